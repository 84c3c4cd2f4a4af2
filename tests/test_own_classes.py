"""Anybody's pictures and classes through the scripts: from folders to classifier and answers."""

import functools
import json
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import feature_extraction
import train_feature_extraction
from lab import classifier, files, runs
from lab.data import Photographs, load
from lab.features import batches
from lab.report import single_pictures
from lab.training import notices

COLOURS = {"2 blue": (40, 60, 200), "10 red": (200, 50, 40), "grün, <b>": (40, 180, 60)}


def photograph(colour, seed):
    """uint8 (h, w, 3): a striped disc of one colour on noise, of a size of its own."""
    generator = np.random.default_rng(seed)
    height, width = generator.integers(240, 330, 2)
    picture = generator.integers(90, 160, (height, width, 3))
    y, x = np.mgrid[:height, :width]
    disc = np.hypot(y - height / 2, x - width / 2) < 0.3 * min(height, width)
    picture[disc & (y // 12 % 2 == 0)] = np.array(colour) + generator.integers(-20, 20, 3)
    return picture.astype(np.uint8)


def write(folder, count, seed=0):
    """A folder for each class, with `count` photographs in it."""
    for number, (name, colour) in enumerate(COLOURS.items()):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            image = Image.fromarray(photograph(colour, [seed, number, i]))
            image.save(folder / name / f"{i}.{('jpg', 'png', 'webp')[i % 3]}")
    return folder


def run(script, *argv):
    """A script's status."""
    return script.main([str(word) for word in argv])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten photographs of each class."""
    return write(tmp_path_factory.mktemp("own") / "data", 10)


@pytest.fixture(scope="module")
def trained(folder, conv_npz, tmp_path_factory):
    """A run on the folder, by the options' defaults."""
    target = tmp_path_factory.mktemp("runs") / "own"
    argv = ("--data", folder, "--weights", conv_npz, "--output", target)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_CACHE", str(target.parent / "cache"))
        assert run(train_feature_extraction, *argv) == 0
    return target


def test_a_classifier_of_ones_own(trained, folder):
    """Every class is in it, by its folder's name, in natural order; few pictures, five folds."""
    metrics = json.loads((trained / "metrics.json").read_text())
    assert (metrics["split"], metrics["images"], metrics["classes"]) == ("folds", 30, 3)
    assert metrics["epochs"][-1]["validation_accuracy"] > 0.9  # chance is a third
    if metrics["accuracy"] == 1:  # a bootstrap of nothing but right answers has no spread
        assert metrics["accuracy_interval"] is None
    else:
        assert 0.7 < metrics["accuracy_interval"][0] < metrics["accuracy_interval"][1] <= 1
    made = classifier.load(trained)
    assert list(made.classes) == ["2 blue", "10 red", "grün, <b>"] and made.crop == "centre"
    page = (trained / "report.html").read_text(encoding="utf-8")
    assert "grün, &lt;b&gt;" in page and "<b>" not in re.sub("<style>.*?</style>", "", page)
    assert "traffic sign" not in page.lower() and "signs filmed" not in page


def test_it_names_new_photographs(trained, conv_npz, tmp_path, capfd):
    """Pictures it has not seen, whole photographs, by the same preparation as in training."""
    new = write(tmp_path / "new", 2, seed=9)
    argv = (*(new / name for name in COLOURS), "--model", trained, "--weights", conv_npz, "--json")
    assert run(feature_extraction, *argv) == 0
    answers = json.loads(capfd.readouterr().out)["pictures"]
    assert len(answers) == 6
    for answer in answers:
        assert f"/{answer['top'][0]['class']}/" in answer["file"]


def test_a_name_of_any_length_is_explained(trained, conv_npz, tmp_path):
    """File systems take names of 255 bytes; the drawing's name has a number before it."""
    picture = tmp_path / f"{'ü' * 122}.png"
    Image.fromarray(photograph((40, 60, 200), 3)).save(picture)
    argv = ("--model", trained, "--weights", conv_npz, "--explain", tmp_path / "why")
    assert run(feature_extraction, picture, *argv) == 0
    assert [file.name for file in (tmp_path / "why").iterdir()] == [f"0-{'ü' * 50}.png"]


def test_it_is_judged_on_folders(trained, conv_npz, tmp_path, capfd):
    """--evaluate: classes by name, also where some are missing; a class it lacks is named."""
    new = write(tmp_path / "new", 2, seed=9)
    argv = ("--model", trained, "--weights", conv_npz, "--output")
    for path in (new / "10 red").iterdir():
        path.unlink()
    (new / "10 red").rmdir()
    assert run(feature_extraction, "--evaluate", new, *argv, tmp_path / "report", "--json") == 0
    result = json.loads(capfd.readouterr().out)
    assert result["images"] == 4 and result["accuracy"] == 1
    assert {row["class"]: row["index"] for row in result["per_class"]} == {
        "2 blue": 0,
        "grün, <b>": 2,
    }
    (new / "2 blue").rename(new / "azure")
    assert run(feature_extraction, "--evaluate", new, *argv, tmp_path / "other") == 2
    assert "azure" in capfd.readouterr().err


def test_signs_and_photographs_are_not_mixed(trained, tiny_p, conv_npz, tmp_path, capfd):
    """A classifier of photographs is not judged on signs, and signs have no crop."""
    argv = ("--weights", conv_npz, "--output", tmp_path / "r")
    assert run(feature_extraction, "--evaluate", tiny_p, "--model", trained, *argv) == 2
    assert "expected photographs" in capfd.readouterr().err
    assert run(train_feature_extraction, "--data", tiny_p, "--crop", "squeeze", *argv) == 2
    assert "leave --crop out" in capfd.readouterr().err
    assert not (tmp_path / "r").exists()


def test_the_features_are_the_photograph_s(folder, conv_npz, tmp_path):
    """What a head is trained on is what --save-features writes, pooled, for the same picture."""
    from lab import weights
    from lab.features import RECIPES, extractor

    data, trunk = load(folder), weights.read(conv_npz)
    extract = extractor.Extractor(trunk.arrays, RECIPES["pool5-raw"], side=227)
    x = extract(data.images[:3]).numpy().astype(np.float32)
    argv = (*data.files[:3], "--weights", conv_npz, "--layer", "pool5")
    assert run(feature_extraction, *argv, "--save-features", tmp_path / "f.npz") == 0
    with np.load(tmp_path / "f.npz") as file:
        wanted = file["features"].reshape(3, -1)
    np.testing.assert_allclose(x, wanted, rtol=2e-3, atol=2e-3 * wanted.max())


def test_the_whole_network_learns_photographs(folder, conv_npz, tmp_path, capfd):
    """--train all: trunk and classifier of one's own classes, judged on pictures held out."""
    target = tmp_path / "network"
    argv = ("--data", folder, "--weights", conv_npz, "--train", "all", "--epochs", 1)
    assert run(train_feature_extraction, *argv, "--batch-size", 8, "--output", target) == 0
    metrics = json.loads((target / "metrics.json").read_text())
    assert metrics["split"] == "random" and 0 <= metrics["test_tracks_accuracy"] <= 1
    made = classifier.load(target)
    assert made.crop == "centre" and len(made.classes) == 3
    # By another crop they are other pixels: nothing would tell which ones the trunk has seen.
    argv = ("--data", folder, "--weights", target / "trunk.npz", "--layer", "pool5", "--epochs", 1)
    assert (
        run(train_feature_extraction, *argv, "--crop", "squeeze", "--output", tmp_path / "x") == 2
    )
    assert "expected --crop centre" in capfd.readouterr().err and not (tmp_path / "x").exists()
    assert run(train_feature_extraction, *argv, "--output", tmp_path / "head") == 0
    told = capfd.readouterr().err
    assert "was trained on 24 of these pictures" in told and "track" not in told
    # No groups are known: pictures of one object may be on both sides.
    metrics = json.loads((tmp_path / "head/metrics.json").read_text())
    assert metrics["split"] == "weights' own" and metrics["judged_on"].endswith("it has not seen")
    page = (tmp_path / "head/report.html").read_text(encoding="utf-8")
    assert "pool5, weights&#39; own split" in page and "split by track" not in page
    assert "The weights&#39; own split, into what they were trained on" in page
    assert "they may be on both sides, and the accuracy flatters the classifier" in page


@pytest.mark.parametrize("path", [runs.BUNDLED / "trunk.npz", Path("trained/trunk.npz")])
def test_the_bundled_trunk_knows_signs_alone(path, monkeypatch):
    """It is said, however its file is named."""
    monkeypatch.chdir(files.ROOT)
    photographs, trunk = SimpleNamespace(crop="centre"), SimpleNamespace(path=path)
    (notice,) = notices.notices_of(None, photographs, None, trunk, None)
    assert "trained on traffic signs alone" in notice
    other = SimpleNamespace(path=path.parent / "other/trunk.npz")
    assert notices.notices_of(None, photographs, None, other, None) == []


def test_the_folders_own_split(tmp_path, conv_npz):
    """train/ and val/: judged on val/, and the test pictures of --test by their names."""
    write(tmp_path / "data/train", 4)
    write(tmp_path / "data/val", 3, seed=1)
    test = write(tmp_path / "test", 2, seed=2)
    argv = ("--data", tmp_path / "data", "--test", test, "--weights", conv_npz, "--epochs", 2)
    assert run(train_feature_extraction, *argv, "--output", tmp_path / "run") == 0
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["split"] == "given" and metrics["judged_on"].startswith("9 pictures")
    assert metrics["test_images"] == 6


def test_broken_pictures(tmp_path, conv_npz, capfd):
    """Named, status 2 and nothing written; left out with --skip-broken."""
    folder = write(tmp_path / "data", 4)
    for i in range(12):
        (folder / f"10 red/b{i:02}.jpg").write_bytes(b"no picture")
    argv = ("--data", folder, "--weights", conv_npz, "--epochs", 1, "--output", tmp_path / "run")
    told = []
    for status, options in ((2, ()), (0, ("--skip-broken",))):
        assert run(train_feature_extraction, *argv, *options) == status
        assert (tmp_path / "run").exists() == (status == 0)
        lines = capfd.readouterr().err.splitlines()
        assert max(map(len, lines)) <= 300
        start = next(i for i, line in enumerate(lines) if line.endswith("cannot be read:"))
        told.append(lines[start : start + 12])
        for i, line in enumerate(told[-1][1:11]):
            path = folder / f"10 red/b{i:02}.jpg"
            assert line.startswith(f"  {path}: expected a picture") and "something else" in line
        assert told[-1][11] == "  and 2 more"
        if status:  # one line of an error, the last
            assert re.match("error: 12 of 24 pictures .*b00.jpg.*--skip-broken$", lines[-1])
            assert sum(line.startswith("error: ") for line in lines) == 1
    assert told[1] == [f"left out: {told[0][0]}", *told[0][1:]]
    assert json.loads((tmp_path / "run/metrics.json").read_text())["images"] == 12


@pytest.fixture
def decoded(monkeypatch):
    """Of each access to photographs how many it decoded, and whether the network waited for it."""
    seen, read = [], Photographs.__getitem__

    def watched(images, index):
        result = read(images, index)
        seen.append((len(result), threading.current_thread() is threading.main_thread()))
        return result

    monkeypatch.setattr(Photographs, "__getitem__", watched)
    monkeypatch.setattr(batches, "BATCH", 2)
    return seen


def test_the_whole_network_never_holds_all(folder, conv_npz, tmp_path, decoded, monkeypatch):
    """Photographs are decoded beside the network, in training as in validation, a batch each."""
    from lab.training.learner import Learner

    parts = {}

    def part(function, *words):
        del decoded[:]
        result = function(*words)
        parts[function.__name__] = list(decoded)
        return result

    for function in (Learner.train_epoch, Learner.predict):
        watched = functools.partial(part, function)
        monkeypatch.setattr(Learner, function.__name__, lambda *words, run=watched: run(*words))
    argv = ("--data", folder, "--weights", conv_npz, "--train", "all", "--epochs", 1)
    assert run(train_feature_extraction, *argv, "--batch-size", 7, "--output", tmp_path / "r") == 0
    assert parts["train_epoch"] == [(7, False)] * 3  # of 30, 6 are tested and 3 held out
    assert parts["predict"] == [(2, False), (1, False)]


def test_the_report_never_holds_all(folder, decoded):
    """Small pictures are made of a batch of photographs at a time."""
    judgement = SimpleNamespace(data=load(folder))
    small = single_pictures.thumbnails(judgement, [7, 0, 9, 21, 3])
    assert small.shape == (5, 32, 32, 3) and [count for count, _ in decoded] == [2, 2, 1]
    alone = single_pictures.thumbnails(judgement, [9])
    np.testing.assert_array_equal(small[2], alone[0])


def test_here(folder, conv_npz, tmp_path, monkeypatch):
    """--data . has the folder's name in its report; stopped, and resumed from elsewhere."""
    from lab.training.learner import Learner

    def stop(learner, path, save=Learner.save):
        save(learner, path)
        raise KeyboardInterrupt

    argv = ("--data", ".", "--weights", conv_npz, "--train", "all", "--epochs", 1)
    with monkeypatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(Learner, "save", stop)
        words = (*argv, "--crop", "squeeze", "--batch-size", 8, "--output", tmp_path / "run")
        assert run(train_feature_extraction, *words) == 130
    assert run(train_feature_extraction, "--resume", tmp_path / "run") == 0
    monkeypatch.chdir(folder)
    argv = ("--data", ".", "--weights", conv_npz, "--epochs", 1, "--output", tmp_path / "head")
    assert run(train_feature_extraction, *argv) == 0
    page = (tmp_path / "head/report.html").read_text(encoding="utf-8")
    assert "<title>data: photographs, folds split" in page
