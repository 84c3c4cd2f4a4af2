"""What a word of the command line stands for: pictures, labelled sets, weights, classifiers."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import feature_extraction
import imagenet_inference
import train_feature_extraction
from lab import downloads, files, runs
from lab.errors import LabError
from lab.sources import labelled_sets, weights_files
from lab.sources.picture_files import PictureFiles


@pytest.fixture
def folder(tmp_path):
    """Three pictures, a hidden one, a text."""
    place = tmp_path / "pictures"
    place.mkdir()
    for number, name in enumerate(("b.png", "a.JPG", "c.ppm", ".hidden.png")):
        picture = Image.new("RGB", (40, 40), (number, number, number))
        picture.save(place / name)
    (place / "notes.txt").write_text("no picture")
    return place


@pytest.fixture
def no_download(monkeypatch):
    """Fails the test where anything is fetched."""

    def fetch(name, **_):
        pytest.fail(f"{name} was fetched")

    monkeypatch.setattr(downloads, "fetch", fetch)


def test_a_folder_is_its_pictures(folder):
    """By name, hidden ones left alone; files and folders together."""
    named = PictureFiles([folder, folder / "b.png"])
    assert [path.name for path in named.paths] == ["a.JPG", "b.png", "c.ppm", "b.png"]
    assert [round(mean) for mean in named.read(lambda picture: picture.mean())] == [1, 0, 2, 0]
    named.refuse_broken()


def test_files_of_other_kinds_in_a_folder(folder, capfd):
    """Are told; a text beside pictures is none of them."""
    PictureFiles([folder])
    assert capfd.readouterr().err == ""
    (folder / "a.HEIC").touch()
    (folder / "below.heic").mkdir()
    PictureFiles([folder])
    told = f"{folder}: left alone, as no pictures by their names: 1 .heic\n"
    assert capfd.readouterr().err == told


def test_one_broken_picture_among_many(folder, capfd):
    """The others are answered, the broken one is named, status 2."""
    (folder / "aa.png").write_bytes(b"\x89PNG")
    argv = [str(folder), "--model", "bundled", "--offline", "--top", "1"]
    assert feature_extraction.main(argv) == 2
    out, err = capfd.readouterr()
    images = [line for line in out.splitlines() if line.startswith("Image ")]
    assert [line.rpartition("/")[2] for line in images] == ["a.JPG", "b.png", "c.ppm"]
    assert (
        "error: 1 of 4 pictures cannot be read, first " in err and "aa.png" in err.splitlines()[-1]
    )


def test_many_broken_pictures_are_counted(folder, capfd):
    """Ten are named, each in its line; the error names the first."""
    for number in range(13):
        (folder / f"x{number:02}.png").touch()
    named = PictureFiles([folder])
    named.read(np.shape)
    with pytest.raises(LabError, match=r"^13 of 16 pictures .*, first .*x00\.png: ") as caught:
        named.refuse_broken()
    assert len(str(caught.value)) <= 300
    lines = capfd.readouterr().err.splitlines()
    assert (lines[0], lines[11]) == ("13 of 16 pictures cannot be read:", "  and 3 more")
    for number, line in enumerate(lines[1:11]):
        assert line.startswith(f"  {folder}/x{number:02}.png: expected a picture")
    assert len(lines) == 12 and max(map(len, lines)) <= 300


def test_a_ribbon_is_named(folder, full_npz, capfd):
    """What cannot be prepared is broken, too."""
    Image.new("RGB", (1100, 100)).save(folder / "d.png")
    argv = [str(folder / "d.png"), "--weights", str(full_npz)]
    assert imagenet_inference.main(argv) == 2
    assert "d.png: expected a photograph at most ten times" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["train.p", "GTSRB_Final_Test_Images.zip", "poodle.png"])
def test_a_path_that_is_missing_is_not_another_file(tmp_path, name, no_download):
    """A published name at the end of a path says nothing about the file beside the scripts."""
    with pytest.raises(LabError, match=r"no such file|No such file"):
        labelled_sets.locate(str(tmp_path / "no" / name), offline=False)


def test_a_picture_is_no_labelled_set(no_download, monkeypatch, tmp_path):
    """--data poodle.png downloads no poodle."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LabError, match="there is no such file"):
        labelled_sets.locate("poodle.png", offline=False)


def test_a_missing_official_set_names_no_option_that_is_not_there(capfd, monkeypatch, tmp_path):
    """feature_extraction.py has no --data."""
    monkeypatch.setattr(files, "ROOT", tmp_path)
    argv = ["--evaluate", "GTSRB_Final_Test_Images.zip", "--offline", "--model", "bundled"]
    assert feature_extraction.main(argv) == 2
    line = capfd.readouterr().err.splitlines()[-1]
    assert "GTSRB_Final_Test" in line and "--data" not in line


def test_missing_weights_are_said_before_the_data_are_read(folder, tmp_path, capfd):
    """Going through 39,209 signs, or 20,000 photographs, takes a while."""
    for name in ("cat", "dog"):
        (folder / name).mkdir()
        Image.new("RGB", (9, 9)).save(folder / name / "a.png")
    argv = ["--data", str(folder), "--weights", str(tmp_path / "none.npy"), "--offline"]
    assert train_feature_extraction.main(argv) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1 and "none.npy: expected AlexNet weights" in lines[0]


def test_what_is_no_labelled_set_is_said_before_weights_are_fetched(folder, no_download, capfd):
    """A picture, or pictures without a folder for each class, by what they are."""
    for given, words in (
        (folder / "b.png", "received one picture; name the folder of its class's"),
        (folder, "it has no sub-folders; name another"),
    ):
        assert train_feature_extraction.main(["--data", str(given)]) == 2
        assert words in capfd.readouterr().err.splitlines()[-1]


def test_the_folder_of_a_run_for_its_weights(tmp_path, conv_npz, capfd):
    """As --model takes one; another folder is told as such."""
    (tmp_path / "run").mkdir()
    shutil.copy(conv_npz, tmp_path / "run" / runs.TRUNK)
    assert weights_files.locate(str(tmp_path / "run"), True) == tmp_path / "run" / runs.TRUNK
    with pytest.raises(LabError, match=r"expected AlexNet weights .* received a folder; name a"):
        weights_files.locate(str(tmp_path), True)


def test_the_seed_reaches_the_rendered_signs(monkeypatch):
    """--seed is of all that is random."""
    monkeypatch.setattr(labelled_sets, "RENDERED_COUNT", 50)
    one, again, other = (labelled_sets.read(None, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.images, again.images)
    assert (one.images != other.images).any()


def test_the_bundled_classifier_from_anywhere(tmp_path, monkeypatch, capfd):
    """The word works in any folder, where a path like trained would not."""
    picture = next(files.EXAMPLES.glob("stop.png"))
    shutil.copy(picture, tmp_path / "s.png")
    monkeypatch.chdir(tmp_path)
    argv = ["s.png", "--model", "bundled", "--offline", "--json"]
    assert feature_extraction.main(argv) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["pictures"][0]["top"][0]["class"] == "Stop"
    assert result["classifier"] == "trained"


def test_the_bundled_trunk_is_no_network_for_imagenet(capsys):
    """Help offers what can serve."""
    for script, offered in ((imagenet_inference, False), (train_feature_extraction, True)):
        assert script.main(["--help"]) == 0
        assert ("bundled" in capsys.readouterr().out) is offered


def test_targets_are_checked_first(tmp_path, capfd):
    """Before weights are read or anything is computed: here there are none to read."""
    (tmp_path / "file").touch()
    missing = ["--weights", str(tmp_path / "none.npz"), "--offline"]
    target = str(tmp_path / "file" / "f.npz")
    for argv in (
        ["--save-features", target, "--layer", "conv3"],
        ["--save-features", str(tmp_path), "--layer", "conv3"],
        ["--evaluate", "rendered", "--output", target],
    ):
        assert feature_extraction.main([*argv, *missing]) == 2
        assert "cannot be written" in capfd.readouterr().err.splitlines()[-1]
    argv = ["--save-features", str(tmp_path / "f.npz"), "--layer", "fc9", *missing]
    assert feature_extraction.main(argv) == 2
    assert "invalid choice: 'fc9'" in capfd.readouterr().err
    assert not runs.RUNS.exists()
