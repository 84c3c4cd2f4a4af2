"""The four scripts through main(argv): what they print, write and refuse, with which status."""

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import alexnet
import feature_extraction
import imagenet_inference
import traffic_sign_inference
import train_feature_extraction
from caffe_classes import class_names
from lab import classifier, explanation, files, weights
from lab.__main__ import plan
from lab.data import class_names as sign_names
from lab.downloads import fetching
from lab.drawn_signs import photographs
from lab.training import on_features, whole_network

ROOT = files.ROOT
SCRIPTS = (
    imagenet_inference,
    traffic_sign_inference,
    feature_extraction,
    train_feature_extraction,
)


def run(script, *argv):
    """A script's status."""
    return script.main([str(word) for word in argv])


def refused(capfd, script, *argv) -> str:
    """The one line of error of a run that must end with status 2."""
    assert run(script, *argv) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if "error: " in line or " --help)" in line]
    assert len(lines) == 1 and err.splitlines()[-1] == lines[0]
    return lines[0]


@pytest.fixture(scope="module")
def photograph(tmp_path_factory):
    """A picture of noise, 300x280."""
    path = tmp_path_factory.mktemp("pictures") / "noise.png"
    noise = np.random.default_rng(0).integers(0, 256, (280, 300, 3))
    Image.fromarray(noise.astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def sign(tmp_path_factory):
    """A rendered stop sign, 32x32, and the same enlarged ten times."""
    folder = tmp_path_factory.mktemp("signs")
    picture = Image.fromarray(photographs.signs(1, seed=3, classes=[14])[0][0])
    picture.save(folder / "stop.png")
    picture.resize((320, 320), Image.Resampling.BICUBIC).save(folder / "large.png")
    return folder / "stop.png", folder / "large.png"


@pytest.fixture(scope="module")
def trained(tiny_p, conv_npz, tmp_path_factory):
    """The folder of a finished run, and its metrics."""
    with pytest.MonkeyPatch.context() as patch:
        base = tmp_path_factory.mktemp("trained")
        patch.setenv("LAB_CACHE", str(base / "cache"))
        argv = ("--data", tiny_p, "--weights", conv_npz, "--epochs", 3, "--batch-size", 16)
        assert run(train_feature_extraction, *argv, "--output", base / "run") == 0
    return base / "run", json.loads((base / "run" / "metrics.json").read_text())


def test_imagenet_text(photograph, full_npz, capfd):
    """The lab's form: `Image 0`, classes with three decimals, likeliest first, and the time."""
    argv = (photograph, photograph, "--weights", full_npz, "--top", 3)
    assert run(imagenet_inference, *argv) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert [lines[0], lines[5]] == [f"Image 0 {photograph}", f"Image 1 {photograph}"]
    names, values = zip(*(line.rsplit(": ", 1) for line in lines[1:4]), strict=True)
    assert set(names) <= set(class_names)
    assert sorted(map(float, values), reverse=True) == list(map(float, values))
    assert all(len(value) == 5 for value in values)
    assert lines[-1].startswith("Time: ") and lines[-1].endswith(" seconds")
    assert "device: " in err and f"weights: {full_npz}" in err


@pytest.mark.parametrize("variant", ["caffe", "lab"])
def test_imagenet_json(photograph, full_npz, capfd, variant):
    """One object and nothing else on stdout; probabilities are those of the network by hand."""
    argv = (photograph, "--weights", full_npz, "--json", "--variant", variant)
    assert run(imagenet_inference, *argv) == 0
    result = json.loads(capfd.readouterr().out)
    assert result.keys() == {"weights", "pictures", "seconds"}
    (picture,) = result["pictures"]
    assert picture["file"] == str(photograph) and len(picture["top"]) == 5
    resized = Image.open(photograph).resize((274, 256), Image.Resampling.BOX)
    assert picture["top"][0].keys() == {"class", "index", "probability"}
    for answer in picture["top"]:
        assert class_names[answer["index"]] == answer["class"]
    assert resized.size == (274, 256)


def test_traffic_sign(sign, full_npz, capfd, tmp_path):
    """It says how the sign is resized, and keeps both sizes side by side."""
    assert run(traffic_sign_inference, *sign, "--weights", full_npz, "--top", 1) == 0
    lines = capfd.readouterr().out.splitlines()
    first, second = tmp_path / "runs/resized/0-stop.png", tmp_path / "runs/resized/1-large.png"
    assert lines[0] == f"32x32x3 -> 227x227x3  {first}"
    assert lines[1] == f"320x320x3 -> 32x32x3 -> 227x227x3  {second}"
    pair = np.asarray(Image.open(first))
    assert pair.shape == (227, 454, 3)
    np.testing.assert_array_equal(pair[:32, :32], np.asarray(Image.open(sign[0])))
    enlarged = Image.open(sign[0]).resize((227, 227), Image.Resampling.BILINEAR)
    assert np.abs(pair[:, 227:].astype(int) - np.asarray(enlarged)).max() <= 1
    assert (pair[32:, :227] == 255).all()


def test_training_prints_the_labs_lines(tiny_p, conv_npz, capfd, tmp_path):
    """After each epoch its number, its time, its accuracy, and what a random split is worth."""
    argv = ("--data", tiny_p, "--weights", conv_npz, "--epochs", 2, "--output", tmp_path / "r")
    assert run(train_feature_extraction, *argv) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [lines[0], lines[4]] == ["EPOCH 1 ...", "EPOCH 2 ..."]
    assert lines[1].startswith("Time: ") and lines[1].endswith(" seconds")
    value, _, note = lines[2].removeprefix("Validation Accuracy: ").partition(" ")
    assert 0 <= float(value) <= 1
    same = "(frames of the same signs on both sides; see --split track)"
    assert note == f"of 90 pictures {same}"


def test_metrics(trained):
    """metrics.json holds what design and readers count on, and the files are all there."""
    folder, metrics = trained
    wanted = "validation_accuracy test_accuracy split layer train variant precision seed device "
    wanted += "epochs images images_per_second feature_seconds total_seconds peak_rss_mib "
    wanted += "weights_sha256 data_sha256 versions"
    assert set(wanted.split()) <= metrics.keys()
    assert metrics["images"] == 270 and metrics["test_accuracy"] is None
    assert metrics["layer"] == "conv4" and metrics["refitted_on_all_data"]
    assert metrics["fitted_on_judged"] is False  # but on tracks that another head had not seen
    assert [e["epoch"] for e in metrics["epochs"]] == [1, 2, 3]
    assert metrics["epochs"][0].keys() == {"epoch", "seconds", "loss", "validation_accuracy"}
    assert metrics["images_per_second"] == pytest.approx(270 / metrics["feature_seconds"])
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("classifier.npz", "metrics.json", "options.json", "predictions.csv", "report.html")
    }
    assert (folder / "classifier.npz").stat().st_size < 4_000_000


def test_the_same_bits(trained, tiny_p, conv_npz, tmp_path):
    """The same command, another folder, no features stored: the same classifier, but its date."""
    argv = ("--data", tiny_p, "--weights", conv_npz, "--epochs", 3, "--batch-size", 16)
    assert run(train_feature_extraction, *argv, "--output", tmp_path / "r") == 0
    one, other = (np.load(folder / "classifier.npz") for folder in (trained[0], tmp_path / "r"))
    with one, other:
        assert set(one.files) == set(other.files)
        for name in set(one.files) - {"recipe"}:
            assert one[name].tobytes() == other[name].tobytes(), name


def test_the_best_recipe(tiny_p, conv_npz, capfd, tmp_path):
    """By L-BFGS, ten steps an epoch; what it learned by track names signs that it never met."""
    argv = ("--data", tiny_p, "--weights", conv_npz, "--layer", "best", "--split", "track")
    assert run(train_feature_extraction, *argv, "--epochs", 2, "--output", tmp_path / "r") == 0
    metrics = json.loads((tmp_path / "r/metrics.json").read_text())
    assert metrics["layer"] == "best" and [e["epoch"] for e in metrics["epochs"]] == [1, 2]
    assert metrics["epochs"][1]["loss"] < metrics["epochs"][0]["loss"]
    assert metrics["validation_accuracy"] > 0.8
    capfd.readouterr()
    images, labels = photographs.signs(6, seed=77, classes=[9, 10, 20])
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    files = [tmp_path / f"{number}.png" for number in range(6)]
    assert run(feature_extraction, *files, "--model", tmp_path / "r", "--json") == 0
    pictures = json.loads(capfd.readouterr().out)["pictures"]
    assert sum(p["top"][0]["index"] == c for p, c in zip(pictures, labels, strict=True)) >= 5


def test_features_are_computed_once(tiny_p, conv_npz, tmp_path, monkeypatch):
    """A second run with other settings runs the network on copies and explained pictures alone."""
    argv = ("--data", tiny_p, "--weights", conv_npz, "--epochs", 1)
    assert run(train_feature_extraction, *argv, "--output", tmp_path / "first") == 0
    monkeypatch.setattr(alexnet, "build", None)
    monkeypatch.setattr(on_features, "fitted_temperature", lambda *given: 1.5)
    monkeypatch.setattr(explanation, "heat_maps", lambda *given: np.zeros((len(given[2]), 6, 6)))
    argv = (*argv[:-1], 2, "--batch-size", 32, "--seed", 1, "--split", "track")
    assert run(train_feature_extraction, *argv, "--output", tmp_path / "second") == 0
    metrics = json.loads((tmp_path / "second/metrics.json").read_text())
    assert metrics["images_per_second"] is None and metrics["feature_seconds"] is None


def test_same_seed_same_head(trained, tiny_p, conv_npz, tmp_path):
    """The same command gives the same classifier."""
    argv = ("--data", tiny_p, "--weights", conv_npz, "--epochs", 3, "--batch-size", 16)
    assert run(train_feature_extraction, *argv, "--output", tmp_path / "again") == 0
    ours, theirs = (np.load(f / "classifier.npz") for f in (trained[0], tmp_path / "again"))
    np.testing.assert_allclose(ours["kernel"], theirs["kernel"], atol=1e-5)


def test_a_trained_classifier_names_signs(trained, sign, conv_npz, capfd):
    """A sign enlarged ten times keeps its class, its probability within 0.05."""
    argv = (*sign, "--model", trained[0], "--weights", conv_npz, "--json", "--top", 43)
    assert run(feature_extraction, *argv) == 0
    small, large = json.loads(capfd.readouterr().out)["pictures"]
    names = sign_names()
    assert all(names[answer["index"]] == answer["class"] for answer in small["top"])
    assert sum(answer["probability"] for answer in small["top"]) == pytest.approx(1, abs=1e-4)
    assert small["top"][0]["class"] == large["top"][0]["class"]
    assert abs(small["top"][0]["probability"] - large["top"][0]["probability"]) <= 0.05


def test_the_newest_run_is_used(trained, sign, capfd, tmp_path):
    """Without --model the newest complete run is, on the weights that it was trained on."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/one").symlink_to(trained[0])
    assert run(feature_extraction, sign[0], "--offline") == 0
    out, err = capfd.readouterr()
    first, second, *_ = out.splitlines()
    assert first.startswith(f"Classifier: {tmp_path / 'runs/one'} (conv4, accuracy 0.")
    assert "on 90 pictures (frames of the same signs" in first and "conv.npz" in err
    assert "or --model bundled: pool5-even, accuracy 0.991" in first
    assert second == f"Image 0 {sign[0]}"


def test_other_weights_are_refused(trained, sign, full_npz, capfd):
    """A head means nothing on another network."""
    argv = (sign[0], "--model", trained[0], "--weights", full_npz)
    assert "expected the weights that this classifier was trained on" in refused(
        capfd, feature_extraction, *argv
    )
    argv = (sign[0], "--model", trained[0], "--variant", "lab")
    assert "expected --variant caffe" in refused(capfd, feature_extraction, *argv)


def test_a_fresh_head_says_so(sign, conv_npz, capfd):
    """Nobody takes an untrained head's answers for anything."""
    assert run(feature_extraction, sign[0], "--model", "none", "--weights", conv_npz) == 0
    first = capfd.readouterr().out.splitlines()[0]
    assert "an untrained head (its answers are chance)" in first


def test_why(trained, sign, tmp_path, capfd):
    """--explain draws each picture; the answers are what they are without it, in JSON too."""
    argv = (*sign, "--model", trained[0], "--json")
    assert run(feature_extraction, *argv, "--explain", tmp_path / "new" / "why") == 0
    out, err = capfd.readouterr()
    explained = json.loads(out)
    assert "explained: " in err and err.splitlines()[-1].endswith("why/0-stop.png and 1 more")
    assert run(feature_extraction, *argv) == 0
    assert explained["pictures"] == json.loads(capfd.readouterr().out)["pictures"]
    drawn = sorted((tmp_path / "new" / "why").iterdir())
    assert [path.name for path in drawn] == ["0-stop.png", "1-large.png"]
    first, second = (np.asarray(Image.open(path)) for path in drawn)
    assert first.shape == second.shape and np.ptp(first[:227, 235:], axis=2).max() > 50  # colour


def test_why_is_refused_before_anything_is_computed(trained, sign, tmp_path, capfd):
    """A file in the folder's place: no classifier is named, no answer is given."""
    (tmp_path / "file").write_text("")
    argv = (sign[0], "--model", trained[0], "--explain", tmp_path / "file")
    assert "cannot be written" in refused(capfd, feature_extraction, *argv)


@pytest.mark.parametrize(("layer", "shape"), [("conv4", (13, 13, 384)), ("pool5", (6, 6, 256))])
def test_save_features(sign, conv_npz, tmp_path, layer, shape):
    """A layer's features of whole photographs, as the network gives them, and the files' names."""
    target = tmp_path / "f.npz"
    argv = (*sign, "--save-features", target, "--layer", layer, "--weights", conv_npz)
    assert run(feature_extraction, *argv) == 0
    with np.load(target, allow_pickle=False) as file:
        assert file["features"].shape == (2, *shape) and file["features"].dtype == np.float32
        assert file["files"].tolist() == list(map(str, sign)) and str(file["layer"]) == layer
        # Pillow's bilinear reaches beyond the picture as ours does; then the central 227x227.
        enlarged = Image.open(sign[0]).resize((256, 256), Image.Resampling.BILINEAR)
        network = alexnet.load(conv_npz, until=layer)
        wanted = network(np.asarray(enlarged, np.float32)[None, 14:241, 14:241]).numpy()[0]
        assert np.abs(file["features"][0] - wanted).max() <= 0.02 * wanted.max()


def test_features_never_replace_a_pipe(tmp_path, capfd):
    """Nor a device: it is refused before anything is read or computed."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    argv = ("--save-features", pipe, "--layer", "fc7", "--weights", "nowhere", "nowhere.png")
    line = refused(capfd, feature_extraction, *argv)
    assert line.startswith(f"error: {pipe}: cannot be written (it is no regular file)")
    assert pipe.is_fifo()


def test_evaluate(trained, tiny_p, capfd, tmp_path):
    """Accuracy, images, per_class, seconds; the report; and what must be said beside it."""
    argv = ("--model", trained[0], "--evaluate", tiny_p, "--json", "--output", tmp_path / "e")
    assert run(feature_extraction, *argv) == 0
    result = json.loads(capfd.readouterr().out)
    assert result.keys() == {"accuracy", "images", "turned_away", "notices", "per_class", "seconds"}
    assert result["images"] == 270
    assert [row["index"] for row in result["per_class"]] == [9, 10, 20]
    shares = [row["accuracy"] * row["images"] for row in result["per_class"]]
    assert sum(shares) / 270 == pytest.approx(result["accuracy"])
    assert result["notices"][0].startswith("the head was trained on 270 of these 270 pictures")
    assert (tmp_path / "e/report.html").exists() and (tmp_path / "e/predictions.csv").exists()


def test_test_data(tiny, tiny_p, conv_npz, tmp_path):
    """A second set is judged at the end, without the pictures that it shares with the first."""
    images, labels = photographs.signs(20, seed=9, classes=[1, 14])
    shared = {"features": np.concatenate([images, tiny["features"][:5]])}
    shared["labels"] = np.concatenate([labels, tiny["labels"][:5]])
    (tmp_path / "test.p").write_bytes(pickle.dumps(shared))
    argv = ("--data", tiny_p, "--weights", conv_npz, "--epochs", 1, "--test", tmp_path / "test.p")
    assert run(train_feature_extraction, *argv, "--output", tmp_path / "r") == 0
    metrics = json.loads((tmp_path / "r/metrics.json").read_text())
    assert metrics["test_images"] == 20 and metrics["test_images_left_out"] == 5
    assert 0 <= metrics["test_accuracy"] <= 1


def pickled(folder, **changes):
    """A pickle of 4 pictures with some columns changed or, as None, left out."""
    columns = {"features": np.zeros((4, 32, 32, 3), np.uint8), "labels": np.arange(4)} | changes
    columns = {name: value for name, value in columns.items() if value is not None}
    (folder / "bad.p").write_bytes(pickle.dumps(columns))
    return folder / "bad.p"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": None}, "features is missing"),
        ({"labels": None}, "labels is missing"),
        ({"labels": np.arange(3)}, "4 features and 3 labels"),
        ({"labels": np.array([0, 1, 2, 43])}, "received 43 for picture 3"),
        ({"labels": np.array(list("abcd"))}, "an array of <U1, where only numbers are read"),
        ({"features": np.zeros((4, 32, 32, 3), np.float32)}, "received float32 (4, 32, 32, 3)"),
        ({"features": np.zeros((4, 32, 32, 4), np.uint8)}, "received uint8 (4, 32, 32, 4)"),
        ({"labels": np.zeros(4, int)}, "received class Speed limit (20km/h) alone"),
        ({"features": np.zeros((1, 32, 32, 3), np.uint8), "labels": [1]}, "at least 3 pictures"),
        ({"features": np.zeros((0, 32, 32, 3), np.uint8), "labels": []}, "received none"),
        ({}, "on both sides of the random split"),
    ],
)
def test_bad_data(tmp_path, conv_npz, capfd, changes, words):
    """Data that cannot be used is one line, and nothing is half-written."""
    argv = ("--data", pickled(tmp_path, **changes), "--weights", conv_npz)
    argv += ("--output", tmp_path / "run")
    assert words in refused(capfd, train_feature_extraction, *argv)
    assert not (tmp_path / "run").exists() and not (tmp_path / "cache").exists()


def test_split_by_track_needs_the_order(tiny, conv_npz, tmp_path, capfd):
    """A pickle whose order has been shuffled shows no sign coming nearer."""
    order = np.random.default_rng(0).permutation(270)
    path = tmp_path / "shuffled.p"
    path.write_bytes(pickle.dumps({name: value[order] for name, value in tiny.items()}))
    argv = ("--data", path, "--weights", conv_npz, "--split", "track")
    line = refused(capfd, train_feature_extraction, *argv)
    assert "expected tracks for a split by track" in line and "take --split random" in line


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        (b"", "received an empty file"),
        (b"<html>", "received a file that starts with"),
        (b"PK\x03\x04", "a zip that is cut short"),
    ],
)
def test_bad_weights(tmp_path, sign, tiny_p, capfd, script, content, words):
    """A weights file that is missing, empty, a web page or cut short."""
    path = tmp_path / "w.npz"
    if content is not None:
        path.write_bytes(content)
    argv = ["--weights", path]
    argv += ["--data", tiny_p] if script is train_feature_extraction else [sign[0]]
    argv += ["--model", "none"] if script is feature_extraction else []
    assert words in refused(capfd, script, *argv)


def test_truncated_weights(lab_data, sign, capfd):
    """What an interrupted download of the genuine file leaves behind."""
    argv = (sign[0], "--weights", lab_data / "bvlc-alexnet-truncated.npy")
    assert "ends early" in refused(capfd, imagenet_inference, *argv)


def test_weights_without_the_layers_asked_for(sign, conv_npz, capfd):
    """conv1 to conv5 alone: the error says which layers there are."""
    argv = (sign[0], "--weights", conv_npz)
    line = refused(capfd, imagenet_inference, *argv)
    assert "received conv1, conv2, conv3, conv4, conv5, without fc6, fc7, fc8; take" in line
    argv = (*argv, "--save-features", "x.npz", "--layer", "fc7")
    assert "without fc6, fc7; take" in refused(capfd, feature_extraction, *argv)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(tmp_path, tiny_p, capfd, value):
    """A NaN in a kernel is named with its layer."""
    arrays = whole_network.random_arrays(0)
    arrays["conv3"][0][0, 0, 0, 0] = value
    names = (f"{name}/{part}" for name in arrays for part in ("kernel", "bias"))
    flat = (array for pair in arrays.values() for array in pair)
    np.savez(tmp_path / "w.npz", **dict(zip(names, flat, strict=True)))
    argv = ("--weights", tmp_path / "w.npz", "--data", tiny_p)
    assert "conv3 kernel: expected finite numbers" in refused(
        capfd, train_feature_extraction, *argv
    )


def test_activations_beyond_float16(tmp_path, tiny_p, sign, capfd):
    """Finite weights whose features no file of the lab can hold: one line, and no run is left."""
    arrays = whole_network.random_arrays(0)
    arrays["conv3"][1][:] = 1e14
    weights.save(tmp_path / "w.npz", arrays)
    argv = ("--weights", tmp_path / "w.npz", "--data", tiny_p, "--epochs", "1")
    argv += ("--output", tmp_path / "run", "--layer")
    for _ in range(2):
        line = refused(capfd, train_feature_extraction, *argv, "conv4")
        assert "expected features up to 65,504" in line and "--layer best" in line
        assert not (tmp_path / "run").exists()
    assert run(train_feature_extraction, *argv, "best") == 0  # it is true
    loaded = classifier.load(tmp_path / "run")
    loaded.recipe = replace(loaded.recipe, unit=False)
    loaded.save(tmp_path / "c.npz")
    capfd.readouterr()
    assert run(feature_extraction, sign[0], "--model", tmp_path / "c.npz") == 2
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ") and "leave that picture out" in line


@pytest.mark.parametrize("script", SCRIPTS[:3])
def test_bad_pictures(tmp_path, full_npz, capfd, script):
    """A picture that is none, an empty file, a folder without any, nothing at all."""
    (tmp_path / "none").mkdir()
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("no picture")
    for name, words in (
        ("empty.png", "received an empty file"),
        ("text.jpg", "received something else"),
        ("none", "it holds none"),
        ("gone.png", "there is no such file"),
    ):
        weights = () if script is feature_extraction else ("--weights", full_npz)
        argv = (tmp_path / name, *weights)
        assert words in refused(capfd, script, *argv)


@pytest.mark.parametrize(
    ("script", "argv", "words"),
    [
        (train_feature_extraction, ["--epochs", "0"], "expected a whole number from 1"),
        (train_feature_extraction, ["--layer", "conv9"], "invalid choice: 'conv9'"),
        (train_feature_extraction, ["--train", "all", "--layer", "conv4"], "is for --train head"),
        (train_feature_extraction, ["--resume", "x", "--seed", "1"], "give no others"),
        (train_feature_extraction, ["--resume", "nowhere"], "expected the options of a run"),
        (feature_extraction, ["--layer", "fc7"], "go together"),
        (feature_extraction, ["--evaluate", "x", "--explain", "y"], "takes a labelled set, and no"),
        (
            feature_extraction,
            ["--save-features", "x", "--layer", "fc7", "--explain", "y"],
            "explains nothing",
        ),
        (feature_extraction, ["--model", "nowhere"], "expected a trained classifier at nowhere"),
        (imagenet_inference, ["--nonsense"], "unrecognized arguments: --nonsense"),
        (imagenet_inference, ["--offline"], "it is missing and --offline is set"),
    ],
)
def test_wrong_options(capfd, monkeypatch, tmp_path, script, argv, words):
    """A wrong option is one line that names it."""
    monkeypatch.setattr(files, "ROOT", tmp_path)
    assert words in refused(capfd, script, *argv)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("word", ["x" * 300, "x/" * 5000, "a\nb\x1b[2J", "\udce9\udcff", "a\0b"])
def test_errors_are_short(script, word, capfd):
    """Names that the system refuses, and what would command a terminal: 300 characters, no more."""
    data = ["--data", word] if script is train_feature_extraction else [word]
    for argv in (data, [f"--{word}"], ["--variant", word]):
        line = refused(capfd, script, "--offline", *argv)
        assert len(line) <= 300 and line.isprintable()
        assert "expected" in line or "--help" in line


def test_a_finished_run_is_not_overwritten(trained, tiny_p, conv_npz, capfd):
    """Neither by --output nor by --resume."""
    before = (trained[0] / "classifier.npz").read_bytes()
    argv = ("--data", tiny_p, "--weights", conv_npz, "--output", trained[0])
    assert "expected a folder without a run" in refused(capfd, train_feature_extraction, *argv)
    argv = ("--resume", trained[0])
    assert "this one is complete" in refused(capfd, train_feature_extraction, *argv)
    assert (trained[0] / "classifier.npz").read_bytes() == before


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_and_ctrl_c(script, capfd, monkeypatch):
    """--help names every option and its default; Ctrl-C is 130, without a traceback."""
    assert run(script, "--help") == 0
    assert "--weights FILE" in capfd.readouterr().out
    monkeypatch.setattr(script, "parse", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    assert run(script) == 130
    assert capfd.readouterr().err == "interrupted; give the same command again\n"


@pytest.mark.parametrize("script", ["imagenet_inference.py", "train_feature_extraction.py"])
def test_from_the_shell(script, tmp_path):
    """As a person runs them, from any folder: help without TensorFlow, an error as the status."""
    command = [sys.executable, ROOT / script, "--help"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("usage: ") and shown.stderr == ""
    failed = subprocess.run([*command[:2], "--top"], cwd=tmp_path, capture_output=True, text=True)
    assert failed.returncode == 2 and failed.stdout == "" and failed.stderr.count("\n") == 1


def test_what_make_lab_runs(tmp_path):
    """Real files where they are, named stand-ins or nothing where they aren't."""
    names = (*fetching.REMOTE,)
    there = {name: tmp_path / name for name in names}
    assert [words for *_, words in plan(there)] == [
        "ran on the real files",
        "ran on real weights, the lab's two signs",
        "ran on the bundled classifier and the real signs",
        "ran on the real files",
    ]
    nothing = list(plan(dict.fromkeys(names, "because")))
    assert [words for *_, words in nothing] == [
        "did not run: because",
        "did not run: because",
        "ran on the bundled classifier and examples/",
        "ran on stand-ins: --weights bundled, --data rendered",
    ]
    assert [arguments for _, arguments, _ in nothing][:2] == [None, None]
    assert nothing[3][1][2:] == ["--weights", "bundled", "--data", "rendered"]
    half = list(plan(dict.fromkeys(names, "because"), "float16"))
    assert half[3][1][2:4] == ["--precision", "float16"] and half[:3] == nothing[:3]
    assert "runs/lab" in nothing[3][1][1]  # where feature_extraction.py does not look for a run
