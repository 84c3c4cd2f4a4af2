"""Rendered signs: what comes out, the same again, and that each looks like the sign it names."""

import subprocess
import sys
import time

import imageio.v3 as iio
import numpy as np
import pytest

from benchmarks import drawn_signs as sheet
from lab import files, pictures
from lab.data import class_names
from lab.data.classes import mirror_images
from lab.drawn_signs import painting, photographs
from lab.errors import LabError

CIRCLES = [*range(11), 15, 16, 17, *range(32, 43)]
WARNINGS = [11, *range(18, 32)]
PROHIBITIONS = [*range(6), *range(7, 11), 15, 16]


@pytest.fixture(scope="module")
def many():
    """Forty pictures of each class, and their labels."""
    return photographs.signs(43 * 40, seed=3)


@pytest.fixture(scope="module")
def mean(many):
    """float (43, 32, 32, 3): each class's mean picture, those in much light counting no more."""
    images = many[0].astype(float)
    images /= images.mean((1, 2, 3), keepdims=True) + 1
    return images.reshape(40, 43, 32, 32, 3).mean(0)


def colour(mean, label, rows, columns):
    """The mean colour of a part of a mean picture, as shares of its brightness."""
    part = mean[label][rows, columns].reshape(-1, 3).mean(0)
    return part / part.mean()


def shares(label):
    """The share of each paint in each pixel of a sign's box, (200, 200, 8), its margin cut off."""
    margin = painting.MARGIN
    whole = painting.painted(label, 2 * (100 + 2 * margin))[2 * margin : -2 * margin]
    return whole[:, 2 * margin : -2 * margin]


def test_shapes_and_types():
    """Any count: pictures uint8 (n, 32, 32, 3), labels int64."""
    for count in (1, 42, 257):  # fewer than the classes, and more than are made at once
        images, labels = photographs.signs(count)
        assert images.shape == (count, 32, 32, 3) and images.dtype == np.uint8
        assert labels.shape == (count,) and labels.dtype == np.int64


def test_classes_come_in_turn():
    """All 43 classes in turn, or those that were asked for."""
    np.testing.assert_array_equal(photographs.signs(100)[1], np.arange(100) % 43)
    np.testing.assert_array_equal(photographs.signs(5, classes=[14, 1])[1], [14, 1, 14, 1, 14])


def test_a_seed_makes_the_same_pictures():
    """Same seed, same pictures; another seed, others; no two of a set are the same."""
    first, again, other = (photographs.signs(300, seed=seed)[0] for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2, 3)).all()
    assert len(np.unique(first.reshape(300, -1), axis=0)) == 300


@pytest.mark.parametrize("count", [0, -3])
def test_no_pictures_are_refused(count):
    """A count below 1 is named in the error."""
    with pytest.raises(LabError, match=rf"at least 1 rendered sign; received a count of {count};"):
        photographs.signs(count)


@pytest.mark.parametrize("classes", [[], [43], [-1, 3], ["stop"], [1.0]])
def test_unknown_classes_are_refused(classes):
    """No classes, class 43, and whatever isn't a class number."""
    with pytest.raises(LabError, match=r"expected classes from 0 to 42; received "):
        photographs.signs(5, classes=classes)


def test_5000_pictures_take_ten_seconds():
    """The painting of all signs, and ten times the time of 500: the machine's best of three."""
    painting._painting.cache_clear()
    seconds = []
    for count in (43 * 12, 500, 500, 500):  # the first paints nearly all paintings
        start = time.perf_counter()
        photographs.signs(count)
        seconds.append(time.perf_counter() - start)
    assert seconds[0] + 10 * min(seconds[1:]) < 10


def test_tensorflow_is_not_needed():
    """The data set is made without TensorFlow and matplotlib, which take seconds to import."""
    code = (
        "import sys; from lab.drawn_signs.photographs import signs; signs(1); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=files.ROOT, capture_output=True, text=True
    )
    assert not {"tensorflow", "keras", "matplotlib"} & set(done.stdout.split()), done.stderr
    assert "lab.drawn_signs.photographs" in done.stdout.split()


@pytest.mark.parametrize(
    ("labels", "area"),
    [
        (CIRCLES, np.pi / 4),
        (WARNINGS, 0.5),  # all corners are rounded a little, and yield's most
        ([13], 0.5),
        ([12], 0.5),
        ([14], 2 * (np.sqrt(2) - 1)),  # a regular octagon's share of the square around it
    ],
    ids=["circles", "triangles", "yield", "diamond", "octagon"],
)
def test_boards_have_their_shapes(labels, area):
    """A board's share of its box is a circle's, a triangle's, a diamond's, an octagon's."""
    for label in labels:
        assert (1 - shares(label)[..., 0]).mean() == pytest.approx(area, abs=0.05), label


def test_triangles_point_up_and_yield_down():
    """Warnings are wide at the bottom, yield at the top, the diamond in the middle."""
    for label in (*WARNINGS, 13, 12):
        width = (1 - shares(label)[..., 0]).sum(1) / 200
        top, middle, bottom = width[20], width[100], width[180]
        if label == 12:
            assert middle > 0.9 and top == pytest.approx(bottom, abs=0.02)
        else:
            assert middle == pytest.approx(0.5, abs=0.06)
            assert (bottom - top > 0.7) if label != 13 else (top - bottom > 0.7)


def test_classes_are_a_partition_of_the_boards():
    """All 43 classes were looked at above."""
    assert sorted([*CIRCLES, *WARNINGS, 12, 13, 14]) == list(range(43))


def test_prohibitions_have_a_red_ring_and_a_white_middle(mean):
    """Left and right of the middle red, and between the ring and the pictogram white."""
    for label in PROHIBITIONS:
        red, green, blue = colour(mean, label, slice(14, 18), [5, 6, 25, 26])
        assert red > 1.2 * max(green, blue), label
    assert abs(colour(mean, 15, slice(12, 20), slice(12, 20)) - 1).max() < 0.1


def test_stop_and_no_entry_are_red(mean):
    """Both are red; the bar of no entry is white."""
    for label, rows in ((14, [7, 8, 23, 24]), (17, [9, 10, 21, 22])):
        red, green, blue = colour(mean, label, rows, slice(11, 21))
        assert red > 1.6 * max(green, blue), label
    assert abs(colour(mean, 17, slice(15, 17), slice(12, 20)) - 1).max() < 0.25


def test_mandatory_signs_are_blue(mean):
    """Classes 33 to 40 are blue, whatever arrow they carry, and no other class is."""
    blueness = [colour(mean, label, slice(8, 24), slice(8, 24)) @ (-1, 0, 1) for label in range(43)]
    assert set(np.flatnonzero(np.array(blueness) > 0.35)) == set(range(33, 41))


def test_priority_road_is_yellow_on_white(mean):
    """Its middle is yellow and what is around that white."""
    red, green, blue = colour(mean, 12, slice(14, 18), slice(14, 18))
    assert red > 1.8 * blue and green > 1.5 * blue and red < 1.6 * green
    assert abs(colour(mean, 12, slice(15, 17), [6, 7, 24, 25]) - 1).max() < 0.2


def test_triangles_have_a_red_edge(mean):
    """The lower edge of a warning is red, and the upper one of yield, whose middle is white."""
    for label in (*WARNINGS, 13):
        rows = [25, 26] if label != 13 else [7, 8]
        red, green, blue = colour(mean, label, rows, slice(10, 22))
        assert red > 1.2 * max(green, blue), label
    assert abs(colour(mean, 13, slice(11, 16), slice(14, 19)) - 1).max() < 0.1


def test_ends_are_without_colour(mean):
    """Classes 6, 32, 41 and 42 are white and grey, darker along the band than beside it."""
    for label in (6, 32, 41, 42):
        sign = mean[label][6:26, 6:26]
        assert abs(sign.mean((0, 1)) / sign.mean() - 1).max() < 0.1
        across = np.fliplr(sign)
        band = np.mean([across[i, i] for i in range(3, 17)])
        beside = np.mean([sign[3:6, 6:9], sign[14:17, 11:14]])
        assert band < 0.85 * beside


def test_mirror_images():
    """Of all classes painted without a pose, a mirrored one is most like what it is said to be."""
    names = class_names()
    mirrors = mirror_images(names)
    painted = np.stack([shares(label)[::4, ::4] for label in range(43)])
    for of, image in enumerate(mirrors):
        off = np.abs(painted[of, :, ::-1] - painted).mean(axis=(1, 2, 3))
        assert image == -1 or (off.argmin() == image and mirrors[image] == of), names[of]
    assert mirrors[38] == 39 and mirrors[13] == 13 and mirrors[14] == -1
    assert mirror_images(["a", "Yield", "Keep left"]) == (-1, 1, -1)


@pytest.mark.parametrize(("left", "right"), [(19, 20), (34, 33), (37, 36), (39, 38)])
def test_left_and_right_are_mirror_images(left, right):
    """Painted without a pose, each is the other's mirror image and not the other."""
    one, two = shares(left), shares(right)
    assert abs(one - two[:, ::-1]).mean() < 0.004
    assert abs(one - two).mean() > 0.01


def test_arrows_point_where_they_should():
    """Keep right: white below, right of the middle. Turn right: white above. Ahead: symmetric."""
    white = {label: shares(label)[..., 1] for label in range(33, 41)}
    inside = {label: w * (shares(15)[..., 1] > 0.5) for label, w in white.items()}
    rows, columns = np.mgrid[:200, :200] - 99.5
    centre = {
        k: ((w * columns).sum() / w.sum(), (w * rows).sum() / w.sum()) for k, w in inside.items()
    }
    assert centre[38][0] > 3 and centre[38][1] > 3
    assert centre[33][0] > 3 and centre[33][1] < -3
    assert centre[36][0] > 2 and abs(centre[35][0]) < 1 and centre[35][1] < -3
    assert abs(centre[40][0]) < 2 and abs(centre[40][1]) < 2


def test_pictures_show_the_sign_they_are_labelled_with(many):
    """Of 43 bare paintings the one that correlates most is the right one for most pictures."""
    bare = [painting.painted(label, 26) @ painting.COLOURS for label in range(43)]
    bare = np.pad(np.stack(bare), ((0, 0), (3, 3), (3, 3), (0, 0)))
    images, labels = many
    votes = correlation(images, bare).argmax(1)
    majority = [np.bincount(votes[labels == label], minlength=43).argmax() for label in range(43)]
    wrong = [class_names()[label] for label in range(43) if majority[label] != label]
    assert len(wrong) <= 2, wrong


def correlation(images, templates):
    """float (n, 43): of the inner 22x22 pixels, the best of 25 shifts."""

    def standard(x):
        x = x.reshape(len(x), -1).astype(np.float32)
        x = x - x.mean(1, keepdims=True)
        return x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-6)

    inner = standard(templates[:, 5:27, 5:27])
    shifts = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)]
    return np.max(
        [standard(images[:, 5 + y : 27 + y, 5 + x : 27 + x]) @ inner.T for y, x in shifts], axis=0
    )


def test_the_sheet_has_43_cells(tmp_path):
    """Each class has a cell with its sign and name, no two alike; no other file is left behind."""
    assert sheet.main([str(tmp_path / "all.png")]) == 0
    assert [file.name for file in tmp_path.iterdir()] == ["all.png"]
    page = iio.imread(tmp_path / "all.png")
    width, height = sheet.CELL
    rows = page.shape[0] // height
    assert page.shape == (rows * height, sheet.COLUMNS * width, 3)
    cells = page.reshape(rows, height, sheet.COLUMNS, width, 3).swapaxes(1, 2)
    cells = cells.reshape(-1, height, width, 3)
    drawn = [(cell != sheet.PAPER).any() for cell in cells]
    assert drawn == [True] * 43 + [False] * (len(cells) - 43)
    painted = cells[:43, : sheet.PAINTED]
    assert len(np.unique(painted.reshape(43, -1), axis=0)) == 43
    names = cells[:43, sheet.PAINTED + 12 + 64 :]
    assert len(np.unique(names.reshape(43, -1), axis=0)) == 43
    assert not (names[:, -2:] != sheet.PAPER).any()  # no name reaches beyond its cell


def test_a_sheet_that_breaks_off_leaves_the_old_one(tmp_path, monkeypatch, capsys):
    """Where the disk fails half-way, status 2, the old file and nothing beside it."""
    path = tmp_path / "all.png"
    path.write_bytes(b"old")

    def full(file, *_, **__):
        file.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(sheet, "sheet", lambda: np.zeros((4, 4, 3), np.uint8))
    monkeypatch.setattr(iio, "imwrite", full)
    assert sheet.main([str(path)]) == 2
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    said = capsys.readouterr().err
    assert said.startswith(f"error: {path}: cannot be written (No space left on device); ")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "expected either OUT.png or --examples"),
        (["a.png", "--examples"], "expected either OUT.png or --examples"),
        (["a.jpg"], "expected a file that ends in .png; received a.jpg"),
        (["--all"], "unrecognized arguments: --all"),
    ],
)
def test_wrong_options_are_one_line(argv, message, capsys):
    """Status 2 and one line that says what was expected."""
    assert sheet.main(argv) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and message in lines[0]
    assert lines[0].startswith("python benchmarks/drawn_signs.py: ")


def test_a_place_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    """Status 2 and one line for a sheet whose folder is a file."""
    monkeypatch.setattr(sheet, "sheet", lambda: np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "file").write_bytes(b"")
    assert sheet.main([str(tmp_path / "file" / "all.png")]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1 and "all.png: cannot be written" in shown


def test_help(capsys):
    """--help names both forms of the command."""
    assert sheet.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "OUT.png" in shown and "--examples" in shown


def test_examples_are_what_the_command_draws(tmp_path, monkeypatch):
    """The pictures in examples/ are those that --examples draws, and no others are there."""
    kept = files.EXAMPLES
    monkeypatch.setattr(files, "EXAMPLES", tmp_path)
    assert sheet.main(["--examples"]) == 0
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == sorted(file.name for file in kept.glob("*.png")) == sorted(sheet.EXAMPLES)
    for name in names:
        drawn, committed = pictures.read(tmp_path / name), pictures.read(kept / name)
        assert drawn.shape == committed.shape and 64 <= len(drawn) <= 200
        # Another processor's matrix products may round a pixel to its neighbouring value.
        assert abs(drawn.astype(int) - committed).max() <= 2, name
