"""The official archives, written here in their layout, are read in place and checked."""

import re
import zipfile

import numpy as np
import pytest
from filmed import at_32

from lab import pickles, pictures
from lab.data import fingerprints, gtsrb, load, train_p
from lab.errors import LabError

HEADER = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"
# class, track, frame, width, height: in no order, and with the same track number in two classes
FRAMES = [
    (14, 1, 0, 40, 31),
    (14, 0, 1, 33, 64),
    (14, 0, 0, 25, 27),
    (2, 1, 0, 32, 32),
    (2, 0, 0, 90, 7),
]
ORDER = [4, 3, 2, 1, 0]


def pixels_of(width, height, seed):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def ppm(pixels):
    height, width = pixels.shape[:2]
    return f"P6\n{width} {height}\n255\n".encode() + pixels.tobytes()


def row(name, width, height, label):
    return f"{name};{width};{height};5;6;{width - 5};{height - 6};{label}"


def training(top="GTSRB/Final_Training/Images"):
    """The files of a small training set."""
    files, rows = {}, {}
    for seed, (label, track, frame, width, height) in enumerate(FRAMES):
        name = f"{track:05}_{frame:05}.ppm"
        files[f"{top}/{label:05}/{name}"] = ppm(pixels_of(width, height, seed))
        rows.setdefault(label, [HEADER]).append(row(name, width, height, label))
    for label, lines in rows.items():
        files[f"{top}/{label:05}/GT-{label:05}.csv"] = "".join(f"{x}\r\n" for x in lines).encode()
    return files


def test_set(table="GTSRB/Final_Test/Images/GT-final_test.csv"):
    """The files of a small test set, three pictures, its table where it is wanted."""
    top = "GTSRB/Final_Test/Images"
    files = {f"{top}/{i:05}.ppm": ppm(pixels_of(30 + i, 40, i)) for i in range(3)}
    files[f"{top}/GT-final_test.test.csv"] = b"Filename;Width;Height\r\n00000.ppm;30;40\r\n"
    if table:
        rows = [row(f"{i:05}.ppm", 30 + i, 40, 7 * i) for i in (2, 0, 1)]
        files[table] = "\n".join([HEADER, *rows]).encode()
    return files


test_set.__test__ = False


def unpacked(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("GTSRB/", b"")  # folders have entries of their own
        for name, content in files.items():
            file.writestr(name, content)
    return path


def bilinear_loop(pixels):
    """Half-pixel bilinear to 32x32, rounded, written out pixel by pixel."""
    height, width = pixels.shape[:2]
    result = np.zeros((32, 32, 3))
    for i in range(32):
        for j in range(32):
            y = min(max((i + 0.5) * height / 32 - 0.5, 0), height - 1)
            x = min(max((j + 0.5) * width / 32 - 0.5, 0), width - 1)
            top, left = int(y), int(x)
            bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
            dy, dx = y - top, x - left
            upper = pixels[top, left] * (1 - dx) + pixels[top, right] * dx
            lower = pixels[bottom, left] * (1 - dx) + pixels[bottom, right] * dx
            result[i, j] = upper * (1 - dy) + lower * dy
    return np.floor(result + 0.5).astype(np.uint8)


def check_training(data):
    """data is what `training` wrote, in train.p's order."""
    frames = [FRAMES[i] for i in ORDER]
    assert data.labels.tolist() == [2, 2, 14, 14, 14]
    assert data.labels.dtype == data.tracks.dtype == np.int64
    assert data.tracks.tolist() == [0, 1, 2, 2, 3]
    assert data.sizes.tolist() == [[width, height] for *_, width, height in frames]
    assert data.coords.tolist() == [[5, 6, w - 5, h - 6] for *_, w, h in frames]
    assert data.images.dtype == np.uint8
    for image, seed in zip(data.images, ORDER, strict=True):
        expected = at_32(pixels_of(*FRAMES[seed][3:], seed))
        assert np.abs(image - expected).max() <= 0.5 + 1e-3
    endings = [f"/{c:05}/{t:05}_{f:05}.ppm" for c, t, f, *_ in frames]
    assert all(file.endswith(end) for file, end in zip(data.files, endings, strict=True))


@pytest.mark.parametrize("top", ["GTSRB/Final_Training/Images", "GTSRB/Training"])
def test_training_set_as_folder_and_zip(tmp_path, top):
    """Both layouts, at each level that a user may name, and zipped: same pictures, same order."""
    folder = unpacked(tmp_path / "all", training(top))
    place = folder
    for part in ("", *top.split("/")):
        place = place / part
        check_training(load(place))
    check_training(load(zipped(tmp_path / "a.zip", training(top))))
    before = set(tmp_path.rglob("*"))
    load(tmp_path / "a.zip")
    assert set(tmp_path.rglob("*")) == before  # read in place


def test_a_ppm_gives_the_pixels_that_it_gives_as_a_picture(tmp_path):
    """The scripts that take pictures see what folder and zip give, larger or smaller than 32."""
    folder = load(unpacked(tmp_path / "all", training()))
    archive = load(zipped(tmp_path / "a.zip", training()))
    for i, file in enumerate(folder.files):
        seen = pictures.to_sign(pictures.read(file))
        np.testing.assert_array_equal(folder.images[i], seen)
        np.testing.assert_array_equal(archive.images[i], seen)


def test_the_archive_and_the_train_p_made_of_it_are_known_as_the_same_pictures(tmp_path):
    """Their pixels differ; weights trained on the one know the other, and what was held out."""
    archive = load(zipped(tmp_path / "a.zip", training()))
    train_p.convert_archive(tmp_path / "a.zip", tmp_path / "train.p")
    data = load(tmp_path / "train.p")
    assert (data.images != archive.images).any()
    np.testing.assert_array_equal(fingerprints.of(archive), fingerprints.of(data))
    rows = np.array([3, 0])
    np.testing.assert_array_equal(
        fingerprints.of(archive.subset(rows)), fingerprints.of(data)[rows]
    )


def test_one_class_folder(tmp_path):
    """The folder of one class alone is a set too."""
    folder = unpacked(tmp_path, training()) / "GTSRB" / "Final_Training" / "Images" / "00014"
    data = load(folder)
    assert data.labels.tolist() == [14] * 3
    assert data.tracks.tolist() == [0, 0, 1]


def check_test(data):
    """data is what `test_set` wrote, in the order of the file names."""
    assert data.labels.tolist() == [0, 7, 14]
    assert data.sizes.tolist() == [[30, 40], [31, 40], [32, 40]]
    assert data.tracks is None
    assert data.no_tracks == "the official test set has none"
    assert np.abs(data.images[2] - at_32(pixels_of(32, 40, 2))).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("above", ["Final_Test/Images/", "Final_Test/", ""])
def test_test_set_with_its_table_up_to_two_folders_above(tmp_path, above):
    """The table may lie beside the pictures or above them, also above the folder that is named."""
    files = test_set(f"GTSRB/{above}GT-final_test.csv")
    folder = unpacked(tmp_path / "all", files)
    for place in ("", "GTSRB", "GTSRB/Final_Test", "GTSRB/Final_Test/Images"):
        check_test(load(folder / place))
    check_test(load(zipped(tmp_path / "a.zip", files)))


def test_test_set_with_its_table_beside_the_zip(tmp_path):
    """As downloaded: the pictures' zip, and the table or the table's zip beside it."""
    path = zipped(tmp_path / "images.zip", test_set(table=None))
    with pytest.raises(
        LabError, match=r"expected GT-final_test.csv beside the test pictures or up"
    ):
        load(path)
    table = test_set("t.csv")["t.csv"]
    official = zipped(tmp_path / gtsrb.TEST_TABLE_ZIP, {"GT-final_test.csv": table})
    check_test(load(path))
    official.unlink()
    (tmp_path / "GT-final_test.csv").write_bytes(table)
    check_test(load(path))


def test_convert_archive(tmp_path):
    """A train.p like the lab's: protocol 3, the four columns, its rule; nothing else is left."""
    path = zipped(tmp_path / "a.zip", training())
    train_p.convert_archive(path, tmp_path / "train.p")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.zip", "train.p"]
    assert (tmp_path / "train.p").read_bytes()[:2] == b"\x80\x03"
    content = pickles.load(tmp_path / "train.p", "a pickle like train.p")
    data = load(path)
    assert sorted(content) == ["coords", "features", "labels", "sizes"]
    assert content["features"].dtype == content["labels"].dtype == np.uint8
    for image, seed in zip(content["features"], ORDER, strict=True):
        expected = bilinear_loop(pixels_of(*FRAMES[seed][3:], seed).astype(float))
        np.testing.assert_array_equal(image, expected)
    for name in ("labels", "sizes", "coords"):
        np.testing.assert_array_equal(content[name], getattr(data, name))
    with pytest.raises(
        LabError, match="expected the training set; received the test set; take GTSRB"
    ):
        train_p.convert_archive(zipped(tmp_path / "b.zip", test_set()), tmp_path / "other.p")
    assert not (tmp_path / "other.p").exists()


TABLE = "GTSRB/Final_Training/Images/00014/GT-00014.csv"
PICTURE = "GTSRB/Final_Training/Images/00014/00000_00001.ppm"  # its row is in line 3


def edited(name, *change):
    """The training set with one file's content replaced (old by new), set or removed."""
    files = training()
    if len(change) == 2:
        assert change[0] in files[name]
        files[name] = files[name].replace(*change, 1)
    elif change:
        files[name] = change[0]
    else:
        del files[name]
    return files


BROKEN = {
    "missing picture": (
        edited(PICTURE),
        "GT-00014.csv line 3: expected the picture .*00000_00001.ppm; i",
    ),
    "empty picture": (
        edited(PICTURE, b""),
        "line 3: .*00000_00001.ppm: .*; received an empty file",
    ),
    "broken picture": (
        edited(PICTURE, training()[PICTURE][:99]),
        "line 3: .*00001.ppm: .*truncated",
    ),
    "other size": (
        edited(PICTURE, ppm(pixels_of(20, 20, 0))),
        "line 3: expected a picture of 33x64 pixels; received .*00000_00001.ppm of 20x20",
    ),
    "missing table": (
        edited(TABLE),
        "00014: expected one table GT-000NN.csv beside .*; received 0",
    ),
    "empty table": (edited(TABLE, b""), "GT-00014.csv line 1: .*; Filename is missing; get"),
    "no rows": (
        edited(TABLE, HEADER.encode()),
        r"row for each .* none for 00000_00000.ppm \(3 such",
    ),
    "missing row": (
        edited(TABLE, row("00000_00001.ppm", 33, 64, 14).encode() + b"\r\n", b""),
        r"GT-00014.csv: expected a row for each picture; received none for 00000_00001.ppm \(1",
    ),
    "empty row": (edited(TABLE, b"\r\n", b"\r\n\r\n"), "line 2: expected 8 cells; received 0"),
    "short row": (edited(TABLE, b";27;5", b";5"), "line 4: expected 8 cells; received 7"),
    "text": (
        edited(TABLE, b";40;", b";forty;"),
        "line 2: expected a whole number as Width; received 'fo",
    ),
    "negative": (edited(TABLE, b";5;6;35", b";-5;6;35"), "line 2: .* as Roi.X1; received '-5'"),
    "no class": (
        edited(TABLE, b"25;14", b"25;"),
        "line 2: expected a whole number as ClassId; received ''",
    ),
    "class 43": (
        edited(TABLE, b"25;14", b"25;43"),
        "line 2: expected a ClassId from 0 to 42; received 43",
    ),
    "other class": (
        edited(TABLE, b"25;14", b"25;13"),
        "line 2: expected ClassId 14, .*; received 13",
    ),
    "twice": (
        edited(TABLE, b"00000_00000", b"00000_00001"),
        "line 4: expected one row a picture; r",
    ),
    "name": (
        edited(TABLE, b"00001_00000.ppm", b"../../x.ppm"),
        "line 2: expected a Filename TTTTT_FFFFF.ppm; received '../../x.ppm'; correct it",
    ),
    "commas": (
        edited(TABLE, training()[TABLE].replace(b";", b",")),
        "line 1: expected the columns Fil",
    ),
    "no text": (
        edited(TABLE, b"\xff\xfe\x00"),
        "GT-00014.csv: expected a table, cells separated by sem",
    ),
    "two sets": (
        training() | test_set(),
        "expected one set of pictures; received 2: GTSRB/Final_Test/Images, GTSRB/Final_Tr",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named(tmp_path, name):
    """Folder or zip, the message has the file, the line, and what to do."""
    files, message = BROKEN[name]
    for place in (unpacked(tmp_path / "all", files), zipped(tmp_path / "a.zip", files)):
        with pytest.raises(LabError, match=message) as caught:
            load(place)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(str(tmp_path))


def test_a_zip_of_something_else(tmp_path):
    """It is no zip of class folders either."""
    with pytest.raises(LabError, match=r"expected GTSRB as published, .*; name the folder or zip"):
        load(zipped(tmp_path / "a.zip", {"a/readme.txt": b"x"}))


def test_broken_zips(tmp_path):
    """Half a zip, none, no file, and one whose bytes have been damaged."""
    path = zipped(tmp_path / "a.zip", training())
    content = path.read_bytes()
    for wrong in (content[: len(content) // 2], b"", b"hello"):
        path.write_bytes(wrong)
        with pytest.raises(
            LabError,
            match=r"a.zip: expected a folder or a whole zip; received a zip that is cut short",
        ):
            load(path)
    pixels = training()[PICTURE]
    with zipfile.ZipFile(path, "w") as file:  # stored, so that the picture's bytes can be found
        for name, data in training().items():
            file.writestr(name, data)
    content = path.read_bytes()
    place = content.index(pixels) + 500
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.raises(
        LabError, match=re.escape("line 3: ") + ".*00000_00001.ppm: expected a whole file"
    ):
        load(path)
    with pytest.raises(LabError, match=r"none\.zip: expected a folder or a whole zip; there is"):
        load(tmp_path / "none.zip")


def test_train_p_was_made_by_this_rule(lab_data):
    """Of originals less than 32 wide or high, the rule leaves only rounding unexplained."""
    data = load(lab_data / "train.p")
    for n in (25, 26, 27, 28):
        unexplained = np.linalg.svd(pictures.half_pixel(n, 32))[0][
            :, n:
        ]  # (32, 32 - n), orthogonal to the rule's span
        for axis in (0, 1):
            images = data.images[data.sizes[:, axis] == n][:300].astype(float)
            rest = np.moveaxis(images, 2 - axis, -1) @ unexplained
            assert abs(np.sqrt((rest**2).mean()) - 1 / np.sqrt(12)) < 0.01
