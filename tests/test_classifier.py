"""A saved classifier: its answers, with temperature and precision, and what is refused."""

import json

import numpy as np
import pytest
from scipy import special

import alexnet
from lab import classifier, novelty, weights
from lab.classifier import Classifier
from lab.errors import LabError
from lab.features import RECIPES, Recipe, extractor
from lab.training import whole_network

NAMES = ["one", "two", "three"]


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    """Random weights of conv1 to conv5."""
    path = tmp_path_factory.mktemp("weights") / "w.npz"
    weights.save(path, whole_network.random_arrays(0, "conv5"))
    return weights.read(path)


@pytest.fixture
def made(trunk):
    """A head of random numbers on pool5."""
    generator = np.random.default_rng(0)
    kernel = generator.normal(0, 0.01, (9216, 3)).astype(np.float32)
    bias = generator.normal(0, 1, 3).astype(np.float32)
    recipe = RECIPES["pool5-raw"]
    return Classifier(kernel, bias, NAMES, recipe, "caffe", trunk.sha256, temperature=2.5)


@pytest.fixture
def images():
    """Pictures of noise."""
    return np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)


def test_answers_by_hand(made, trunk, images):
    """Softmax of (pool5 @ kernel + bias) over the temperature, in float64 by scipy."""
    network = alexnet.build(trunk.arrays, "pool5")
    pool5 = network(alexnet.enlarge(images)).numpy().reshape(3, -1).astype(np.float64)
    logits = pool5 @ made.kernel + made.bias
    np.testing.assert_allclose(made.logits(images, trunk), logits, rtol=2e-3, atol=2e-3)
    answers = made.probabilities(made.logits(images, trunk))
    np.testing.assert_allclose(answers, special.softmax(logits / 2.5, axis=1), atol=2e-3)
    assert np.abs(answers - special.softmax(logits, axis=1)).max() > 0.02


def test_saved_and_loaded(made, trunk, images, tmp_path):
    """The file gives the same answers, temperature and notes included."""
    made.notes["accuracy"] = 0.75
    made.save(tmp_path / "c.npz")
    loaded = classifier.load(tmp_path / "c.npz")
    wanted = made.probabilities(made.logits(images, trunk))
    np.testing.assert_array_equal(loaded.probabilities(loaded.logits(images, trunk)), wanted)
    assert (loaded.temperature, loaded.notes) == (2.5, {"accuracy": 0.75})
    assert list(loaded.classes) == NAMES and loaded.recipe == RECIPES["pool5-raw"]


def test_a_recipe_of_its_own(made, tmp_path):
    """Zoom, size and contrast are saved with the head, whatever the recipe's name."""
    recipe = Recipe("mine", ("pool5",), power=1.0, contrast=True, zoom=0.7, size=163)
    made.recipe, made.kernel = recipe, made.kernel[: 4 * 4 * 256]
    made.save(tmp_path / "c.npz")
    assert classifier.load(tmp_path / "c.npz").recipe == recipe


def test_a_file_of_before_names_its_recipe(made, tmp_path):
    """Classifiers of version 1.0.0 hold a name of `RECIPES` in place of its fields."""
    made.save(tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as file:
        parts = dict(file)
    described = json.loads(str(parts["recipe"]))
    described["layer"] = described.pop("recipe")["name"]
    np.savez(tmp_path / "old.npz", **parts | {"recipe": np.array(json.dumps(described))})
    assert classifier.load(tmp_path / "old.npz").recipe == RECIPES["pool5-raw"]


def test_it_answers_in_the_precision_it_was_trained_in(made, trunk, images, tmp_path):
    """Features of a classifier trained in bfloat16 are bfloat16's, also after loading."""
    made.precision = "bfloat16"
    made.save(tmp_path / "c.npz")
    loaded = classifier.load(tmp_path / "c.npz")
    (found,) = loaded.features(images, trunk)
    wanted, other = (
        extractor.Extractor(trunk.arrays, made.recipe, precision=precision)(images).numpy()
        for precision in ("bfloat16", "float32")
    )
    np.testing.assert_array_equal(found, wanted)
    assert (found != other).any()


def test_a_file_of_before_has_float32(made, tmp_path):
    """Classifiers written before the precision was saved answered in float32."""
    made.save(tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as file:
        parts = dict(file)
    text = str(parts["recipe"])
    assert '"precision": "float32", ' in text
    parts["recipe"] = np.array(text.replace('"precision": "float32", ', ""))
    np.savez(tmp_path / "old.npz", **parts)
    assert classifier.load(tmp_path / "old.npz").precision == "float32"


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\x80\x02}q\x00.", b"\x93NUMPY\x01\x00", b"<html>"]
)
def test_other_files_are_refused(tmp_path, content):
    """In one line, which never advises to load them unsafely."""
    (tmp_path / "c.npz").write_bytes(content)
    with pytest.raises(LabError, match="expected a classifier that") as caught:
        classifier.load(tmp_path / "c.npz")
    text = str(caught.value)
    assert "\n" not in text and "allow_pickle" not in text and "unsafe" not in text


def test_other_weights_are_refused(made, trunk, images):
    """A head means nothing on another network."""
    made.weights_sha256 = "0" * 64
    with pytest.raises(LabError, match="expected the weights that this classifier"):
        made.logits(images, trunk)


def measured(made):
    """The classifier with a measure of novelty, of made-up features."""
    x = np.random.default_rng(5).gamma(1, 1, (60, 9216)).astype(np.float16)
    labels = np.arange(60) % 3
    measure = novelty.fit(x, np.arange(60), labels, made.kernel, made.bias, made.recipe)
    made.novelty = measure.calibrated(measure.distances(x, made.head(x)))
    return x


def test_the_measure_of_novelty_is_saved_with_it(made, tmp_path):
    """The same scores and the same threshold from the file."""
    x = measured(made)
    made.save(tmp_path / "c.npz")
    loaded = classifier.load(tmp_path / "c.npz")
    wanted, found = (one.novelty.distances(x, one.head(x)) for one in (made, loaded))
    np.testing.assert_array_equal(found, wanted)
    assert loaded.novelty.threshold == made.novelty.threshold
    assert sum(answer["known"] for answer in loaded.known(found)) >= 59
    assert not any(answer["known"] for answer in loaded.known(100 * found))
    assert all(answer.keys() == {"known", "score", "classes"} for answer in loaded.known(found))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.0),
        ("temperature", "warm"),
        ("temperature", float("nan")),
        ("classes", [1, 2, 3]),
        ("classes", "abc"),
        ("variant", "unknown"),
        ("precision", "float8"),
        ("crop", "round"),
        ("notes", ["a list"]),
        ("weights_sha256", 7),
        ("threshold", "high"),
        ("threshold", float("inf")),
        ("surprise", 1),
        ("recipe", {"name": "x", "layers": ["conv9"]}),
        ("recipe", {"name": "x", "layers": ["pool5"], "scale": "a"}),
        ("recipe", {"name": "x", "layers": ["pool5"], "scale": float("nan")}),
        ("recipe", {"name": "x", "layers": ["pool5"], "size": 10**6}),
        ("recipe", {"name": "x", "layers": []}),
        ("recipe", ["pool5"]),
        ("recipe", {"name": "x", "layers": ["pool5"], "unknown": 1}),
    ],
)
def test_a_broken_description_is_refused(made, tmp_path, name, value):
    """When the file is read, not when it answers; in one line that names the file."""
    measured(made)
    made.save(tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as file:
        parts = dict(file)
    described = json.loads(str(parts["recipe"])) | {name: value}
    np.savez(tmp_path / "c.npz", **parts | {"recipe": np.array(json.dumps(described))})
    with pytest.raises(LabError, match=r"c\.npz: expected a classifier that ") as caught:
        classifier.load(tmp_path / "c.npz")
    assert "\n" not in str(caught.value) and len(str(caught.value)) <= 300


@pytest.mark.parametrize("name", ["whiten", "centres", "middles", "limits"])
def test_a_broken_measure_is_refused(made, tmp_path, name):
    """An array of another shape, and one that is missing."""
    measured(made)
    made.save(tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as file:
        parts = dict(file)
    without = {key: array for key, array in parts.items() if key != f"novelty/{name}"}
    for broken in (without, parts | {f"novelty/{name}": parts[f"novelty/{name}"][:1]}):
        np.savez(tmp_path / "c.npz", **broken)
        with pytest.raises(LabError, match=f"a measure of novelty that lacks {name}"):
            classifier.load(tmp_path / "c.npz")


PLAN = {"contrast": True, "zoom": 0.7, "sizes": [99, 163], "scale": 0.5}


def of_plan(trunk, path, plan, **more):
    """The same weights, as a training with this plan would have saved them."""
    weights.save(path, trunk.arrays, recipe={"train": "all", "plan": plan, "crop": "sign"} | more)
    return weights.read(path)


def test_a_head_sees_what_its_trunk_was_trained_on(trunk, tmp_path):
    """Pool5 of pictures shown as in the trunk's own training; of other weights, what they have."""
    recipe = classifier.default_recipe(of_plan(trunk, tmp_path / "w.npz", PLAN), "sign")
    assert (recipe.layers, recipe.contrast, recipe.zoom, recipe.size) == (
        ("pool5",),
        True,
        0.7,
        163,
    )
    older = of_plan(trunk, tmp_path / "older.npz", {"scale": 0.5})
    photographs = of_plan(trunk, tmp_path / "photographs.npz", PLAN, crop="squeeze")
    for other in (trunk, older, photographs):
        assert classifier.default_recipe(other, "sign") == RECIPES["conv4"]
    assert classifier.default_recipe(photographs, "squeeze") == RECIPES["photographs"]


@pytest.mark.parametrize(
    ("change", "received"),
    [
        ({"sizes": []}, "lacks contrast, zoom or sizes"),
        ({"sizes": [1000]}, "a recipe of 1000 pixels"),
        ({"sizes": ["x"]}, "whose size is x"),
        ({"zoom": "0.7"}, "whose zoom is 0.7"),
        ({"contrast": 1}, "whose contrast is 1"),
    ],
)
def test_a_trunk_that_tells_no_way_of_showing(trunk, tmp_path, change, received):
    """A plan that no training has is the file's fault."""
    broken = of_plan(trunk, tmp_path / "w.npz", PLAN | change)
    with pytest.raises(LabError, match=f"w.npz: expected a trunk that tells .*{received}"):
        classifier.default_recipe(broken, "sign")
