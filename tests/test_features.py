"""Features: against the network and plain NumPy, and which kept ones are used again."""

import json
import os
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

import alexnet
from lab import files, locks
from lab.errors import LabError
from lab.features import batches, cache, extractor, finite
from lab.features.recipes import RECIPES, Recipe
from lab.progress import Progress
from lab.training import whole_network
from lab.untrusted import Broken

WIDTHS = {
    "fc7": 4096,
    "fc6": 4096,
    "pool5": 9216,
    "conv4": 13824,
    "conv3": 13824,
    "conv3+conv4": 27648,
    "best": 27648,
    "photographs": 23040,
    "pool5-raw": 9216,
}


def run(images, extract):
    """All features at once."""
    return np.concatenate([np.asarray(extract(some)) for some in batches.batches(images)])


@pytest.fixture(scope="module")
def arrays():
    """Random weights as far as fc7."""
    return whole_network.random_arrays(0, "fc7")


@pytest.fixture(scope="module")
def signs():
    """Three pictures of 32x32: noise, black and white squares, one colour."""
    generator = np.random.default_rng(1)
    images = generator.integers(0, 256, (3, 32, 32, 3), np.uint8)
    images[1] = np.kron(generator.choice([0, 255], (4, 4, 1)), np.ones((8, 8, 3)))
    images[2] = (200, 30, 90)
    return images


# The computation


@pytest.mark.parametrize("size", [227, 99])
def test_enlarge(signs, size):
    """Its matrix products are TensorFlow's resize, today's and that of the lab's days."""
    today = tf.image.resize(signs, (size, size))
    np.testing.assert_allclose(extractor.enlarge(signs, size), today, atol=1e-3)
    np.testing.assert_allclose(alexnet.enlarge(signs, size=size), today, atol=1e-3)
    old = tf.raw_ops.ResizeBilinear(images=signs, size=(size, size))  # no half-pixel centres
    np.testing.assert_allclose(extractor.enlarge(signs, size, "lab"), old, atol=1e-3)
    np.testing.assert_allclose(alexnet.enlarge(signs, "lab", size), old, atol=1e-3)


@pytest.mark.parametrize("size", [163, 99])
def test_zoom(signs, size):
    """It shows the middle: the same as enlarging a picture of which that was cut out."""
    large = np.zeros((3, 40, 40, 3), np.uint8)  # 32 is 0.8 of 40
    large[:, 4:36, 4:36] = signs
    inside = slice(size // 16, -(size // 16))  # at the border the picture outside is mixed in
    for variant in alexnet.VARIANTS:
        zoomed = extractor.enlarge(large, size, variant, zoom=0.8).numpy()[:, inside, inside]
        wanted = extractor.enlarge(signs, size, variant).numpy()[:, inside, inside]
        np.testing.assert_allclose(zoomed, wanted, atol=0.1)


def directly(arrays, recipe, images, variant="caffe"):
    """A recipe's features from one network a layer, and NumPy for all that comes after."""
    resize = lambda images, size: alexnet.enlarge(images, variant, size)  # noqa: E731
    parts = []
    if recipe.contrast:
        x = images.astype(np.float64)
        mean, deviation = x.mean(axis=(1, 2, 3)), np.maximum(x.std(axis=(1, 2, 3)), 4)
        x = (x - mean[:, None, None, None]) / deviation[:, None, None, None]
        images = np.clip(115 + 55 * x, 0, 255).astype(np.float32)
    for layer in recipe.layers:
        network = alexnet.build(arrays, layer, variant=variant)
        x = network(resize(images, alexnet.SIZE)).numpy()
        if layer in ("conv3", "conv4", "conv5"):
            windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
            x = windows[:, ::2, ::2].max(axis=(-1, -2))
        x = x.reshape(len(x), -1) ** recipe.power
        if recipe.unit:
            x = x / np.linalg.norm(x, axis=1, keepdims=True) * x.shape[1] ** 0.5
        parts.append(x)
    return recipe.scale * np.concatenate(parts, axis=1)


def assert_near(x, wanted):
    """Equal but for float16's 11 bits and what 32-bit sums leave open."""
    assert x.dtype == np.float16
    np.testing.assert_allclose(x.astype(np.float32), wanted, rtol=1e-3, atol=1e-3 * wanted.max())


@pytest.mark.parametrize("name", RECIPES)
def test_recipe(arrays, signs, name):
    """Each recipe's width and numbers."""
    recipe = replace(RECIPES[name], zoom=1.0)  # for others see below
    x = run(signs, extractor.Extractor(arrays, recipe))
    assert x.shape == (3, WIDTHS[name])
    assert RECIPES[name].width == WIDTHS[name]
    assert x.std(dtype=np.float32) > 0.01
    assert_near(x, directly(arrays, recipe, signs))


def test_layers_stay_in_the_recipe_s_order(arrays, signs):
    """A later layer may come first; the network goes as far as the last."""
    recipe = Recipe("two", ("pool5", "conv3"), power=1.0, scale=0.5)
    assert recipe.last == "pool5"
    x = run(signs, extractor.Extractor(arrays, recipe))
    assert_near(x, directly(arrays, recipe, signs))


@pytest.mark.parametrize(("size", "width"), [(163, 4 * 4 * 256), (99, 2 * 2 * 256)])
def test_a_zoomed_recipe_of_another_size(arrays, signs, size, width):
    """Bilinear interpolation of the picture's middle by scipy, then the network of that size."""
    recipe = Recipe("zoomed", ("pool5",), power=1.0, scale=1.0, zoom=0.7, size=size)
    at = 15.5 + (np.arange(size) - (size - 1) / 2) * 0.7 * 32 / size
    where = np.stack(np.meshgrid(at, at, indexing="ij"))  # (2, size, size)
    large = np.empty((3, size, size, 3), np.float32)
    for i, k in np.ndindex(3, 3):
        plane = signs[i, ..., k].astype(np.float64)
        large[i, ..., k] = ndimage.map_coordinates(plane, where, order=1, mode="nearest")
    wanted = alexnet.build(arrays, "pool5", size=size)(large).numpy().reshape(3, -1)
    x = run(signs, extractor.Extractor(arrays, recipe))
    assert x.shape == (3, width) and recipe.width == width
    assert_near(x, wanted)


def test_lab_variant(arrays, signs):
    """The old lab's network on pictures enlarged as it did, no mean subtracted."""
    x = run(signs, extractor.Extractor(arrays, RECIPES["pool5"], "lab"))
    assert_near(x, directly(arrays, RECIPES["pool5"], signs, "lab"))


@pytest.mark.parametrize(("precision", "most"), [("bfloat16", 0.03), ("float16", 0.005)])
def test_half_precision(arrays, signs, precision, most):
    """The network computes in fewer bits, and its features stay near."""
    wanted = run(signs, extractor.Extractor(arrays, RECIPES["conv4"])).astype(np.float32)
    x = run(signs, extractor.Extractor(arrays, RECIPES["conv4"], precision=precision))
    assert x.dtype == np.float16
    change = np.linalg.norm(x.astype(np.float32) - wanted) / np.linalg.norm(wanted)
    assert 0 < change < most


def test_weights_that_end_too_early(signs):
    """fc7 from the convolutions alone is refused before anything is computed."""
    trunk = whole_network.random_arrays(0, "pool5")
    with pytest.raises(LabError, match="without fc6, fc7; take"):
        extractor.Extractor(trunk, RECIPES["fc7"])


def test_batches(signs, monkeypatch):
    """Pictures go through in batches, the last one smaller; the order stays."""
    sizes = []

    def extract(images):
        sizes.append(len(images))
        return tf.cast(images[:, 0, 0], tf.float16)

    monkeypatch.setattr(batches, "BATCH", 2)
    np.testing.assert_array_equal(run(signs, extract), signs[:, 0, 0])
    assert sizes == [2, 1]


def test_the_next_batch_is_read_beside_the_work(monkeypatch):
    """Reading takes no longer than the slower of both; one batch is read ahead, and no more."""
    monkeypatch.setattr(batches, "BATCH", 1)
    told = []

    class Slow(list):
        def __getitem__(self, part):
            told.append(f"reading {part.start}")
            time.sleep(0.1)
            return super().__getitem__(part)

    start = time.monotonic()
    for (number,) in batches.batches(Slow(range(8)), start=1):
        told.append(f"working on {number}")
        time.sleep(0.1)
    assert time.monotonic() - start < 1.25  # one after the other: 1.4
    assert told.index("reading 3") < told.index("working on 3") < told.index("reading 5")
    assert not any("reading 0" in line for line in told)


def test_a_batch_that_cannot_be_read():
    """The error of the reading thread is raised where the batch is asked for."""

    class Broken(list):
        def __getitem__(self, part):
            raise LabError("gone.jpg: expected a picture")

    with pytest.raises(LabError, match=r"gone\.jpg"):
        list(batches.batches(Broken([1])))


def test_predict_in_batches(signs, monkeypatch):
    """A network's answers to all pictures at once."""
    monkeypatch.setattr(batches, "BATCH", 2)
    network = alexnet.build(whole_network.random_arrays(0, "conv1"), "conv1", size=99)
    large = alexnet.enlarge(signs, size=99)
    answers = extractor.predict(network, large, np.copy)
    np.testing.assert_allclose(answers, network(large), rtol=1e-5, atol=1e-5)


# What is kept

IMAGES = np.random.default_rng(2).integers(0, 256, (300, 32, 32, 3), np.uint8)
WANTED = IMAGES[:, 0].reshape(300, -1).astype(np.float16)
WIDTH = WANTED.shape[1]


class Steps(Progress):
    """Counts what is told, and stops like Ctrl-C after so many steps."""

    def __init__(self, stop=None):
        super().__init__(silent=True)
        self.stop, self.done = stop, 0

    def over(self, name, steps):
        self.name, self.total = name, len(steps)
        for step in steps:
            if self.done == self.stop:
                raise KeyboardInterrupt
            yield step
            self.done += 1


class Work:
    """Stands for the network, and counts how often it is built."""

    built = 0

    def __call__(self):
        self.built += 1
        return FirstRows()


class FirstRows:
    """The first row of each picture, as its features; counts the pictures of each batch."""

    def __init__(self):
        self.batch, self.seen = cache.BATCH, []

    def __call__(self, images):
        self.seen.append(len(images))
        return tf.cast(tf.reshape(images[:, 0], (len(images), -1)), tf.float16)


def key(**changes):
    """A key, some of its ingredients changed."""
    made_of = {
        "data_hash": "a" * 64,
        "weights_hash": "b" * 64,
        "recipe": RECIPES["conv4"],
        "variant": "caffe",
        "precision": "float32",
    }
    return cache.key(**made_of | changes)


def folders():
    """The cache's folders."""
    return list(files.cache_folder().iterdir())


def assert_computed(made_of, images=IMAGES, wanted=WANTED):
    """Features are computed, right, and there for the next call."""
    work = Work()
    x, measured = cache.compute(images, work, made_of, wanted.shape[1])
    np.testing.assert_array_equal(x[:], wanted)
    assert measured["feature_seconds"] > 0 and measured["images_per_second"] > 0
    x, measured = cache.compute(images, work, made_of, wanted.shape[1])
    np.testing.assert_array_equal(x[:], wanted)
    assert measured == {"feature_seconds": None, "images_per_second": None}
    assert work.built == 1


def test_computed_once():
    """The second call builds no network and gives the same."""
    assert_computed(key())
    x, _ = cache.compute(IMAGES, None, key(), WIDTH)
    assert x.dtype == np.float16 and x.shape == WANTED.shape and len(x) == len(WANTED)
    (folder,) = folders()
    assert {file.name for file in folder.iterdir()} == {"features.npy", "key.json", "lock"}
    assert json.loads((folder / "key.json").read_text())["recipe"]["layers"] == ["conv4"]


def test_every_batch_is_told():
    """The progress bar gets one step a batch."""
    steps = Steps()
    cache.compute(IMAGES, Work(), key(), WIDTH, steps)
    assert (steps.name, steps.done, steps.total) == ("features", 3, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"data_hash": "c" * 64},
        {"weights_hash": "c" * 64},
        {"recipe": RECIPES["conv3"]},
        {"recipe": Recipe("other", ("conv4",), power=1.0)},
        {"recipe": Recipe("other", ("conv4",), scale=1.0)},
        {"recipe": Recipe("other", ("conv4",), zoom=0.7)},
        {"recipe": Recipe("other", ("conv4",), size=163)},
        {"variant": "lab"},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_any_change_of_the_key_computes_anew(change):
    """Another ingredient, another folder; the first one's features stay."""
    assert_computed(key())
    assert_computed(key(**change))
    assert len(folders()) == 2
    assert cache.compute(IMAGES, None, key(), WIDTH)[1]["feature_seconds"] is None


def test_another_version_computes_anew(monkeypatch):
    """The number is there for changes to the computation itself."""
    assert_computed(key())
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    assert_computed(key())


@pytest.mark.parametrize(
    ("left", "computed"), [("cut header", 300), ("another", 300), ("a batch and a half", 236)]
)
def test_what_a_stopped_run_has_computed_is_gone_on_with(left, computed, monkeypatch):
    """Ctrl-C in the third batch: whole batches on disk are not computed again, half ones are."""
    monkeypatch.setattr(cache, "BATCH", 64)
    with pytest.raises(KeyboardInterrupt):
        cache.compute(IMAGES, Work(), key(), WIDTH, Steps(stop=3))
    (folder,) = folders()
    part = folder / "features.part"
    assert not (folder / "features.npy").exists()
    content, row = part.read_bytes(), 2 * WANTED.shape[1]
    header = len(content) - 2 * 64 * row
    if left == "cut header":
        part.write_bytes(content[: header // 2])
    elif left == "another":
        part.write_bytes(b"x" + content[1:])
    else:
        part.write_bytes(content[: header + int(1.5 * 64) * row + 7])
    network = Work()()
    x, measured = cache.compute(IMAGES, lambda: network, key(), WIDTH)
    np.testing.assert_array_equal(x[:], WANTED)
    assert sum(network.seen[1:]) == computed  # the first batch, to compile, is not counted
    rate = measured["images_per_second"] * measured["feature_seconds"]
    assert rate == pytest.approx(computed)
    assert {file.name for file in folder.iterdir()} == {"features.npy", "key.json", "lock"}


def test_two_runs_where_there_are_no_locks(monkeypatch):
    """Each writes a file of its own: what is stored is right, whoever ends last."""
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows
    names, real = iter(range(9)), os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: real + next(names))
    first, second = Steps(), Steps()

    def over(name, steps):  # the second runs from end to end while the first is under way
        yield from Steps.over(first, name, steps[:1])
        np.testing.assert_array_equal(
            cache.compute(IMAGES, Work(), key(), WIDTH, second)[0][:], WANTED
        )
        yield from steps[1:]

    first.over = over
    np.testing.assert_array_equal(cache.compute(IMAGES, Work(), key(), WIDTH, first)[0][:], WANTED)
    assert not list(folders()[0].glob("*.part"))


def test_a_cache_that_can_only_be_read(monkeypatch):
    """Features that are there are used without a lock."""
    assert_computed(key())
    monkeypatch.setattr(locks, "held", None)
    np.testing.assert_array_equal(cache.compute(IMAGES, None, key(), WIDTH)[0][:], WANTED)


def test_two_runs_at_once():
    """The second waits for the first, and computes nothing."""
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Steps):
        def over(self, name, steps):
            for step in super().over(name, steps):
                begun.set()
                assert go_on.wait(30)
                yield step

    results = []
    first = threading.Thread(target=lambda: cache.compute(IMAGES, Work(), key(), WIDTH, Slow()))
    first.start()
    assert begun.wait(30)
    second = threading.Thread(
        target=lambda: results.append(cache.compute(IMAGES, None, key(), WIDTH))
    )
    second.start()
    second.join(0.3)
    assert second.is_alive() and not results
    go_on.set()
    first.join(30)
    second.join(30)
    np.testing.assert_array_equal(results[0][0][:], WANTED)
    assert results[0][1]["feature_seconds"] is None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}\n"])
def test_damaged_key(text):
    """A key.json that says something else, or nothing, vouches for no features."""
    assert_computed(key())
    (folder,) = folders()
    (folder / "key.json").write_bytes(text)
    np.save(folder / "features.npy", WANTED * 0)
    assert_computed(key())


@pytest.mark.parametrize("length", [0, 5, 60, 128, 1000, -1])
def test_truncated_features(length):
    """An array cut short anywhere is computed again."""
    assert_computed(key())
    array = folders()[0] / "features.npy"
    array.write_bytes(array.read_bytes()[:length])
    assert_computed(key())


def with_a(value, place):
    """The features with one wrong number."""
    features = WANTED.copy()
    features.flat[place] = value
    return features


@pytest.mark.parametrize(
    "other",
    [
        WANTED[:-1],
        WANTED[:, :-1],
        WANTED.astype(np.float32),
        WANTED.astype(np.int16),
        WANTED[0, 0],
        with_a(np.nan, 0),
        with_a(np.inf, 1234),
        with_a(-np.inf, -1),
    ],
)
def test_other_features(other, capfd):
    """Fewer pictures or features, another type or no numbers: said, thrown away, made again."""
    assert_computed(key())
    array = folders()[0] / "features.npy"
    np.save(array, other)
    assert_computed(key())
    said = capfd.readouterr().err.splitlines()  # TensorFlow may say something, too
    (line,) = [line for line in said if line.startswith(f"{array}: broken (")]
    assert line.endswith("it is thrown away and made again")


def test_the_largest_features_are_no_broken_ones(tmp_path):
    """float16's largest number, zero and the smallest; all of a file longer than one block."""
    extremes = np.float16([65504, -65504, 0, -0.0, 6e-8])
    np.save(tmp_path / "x.npy", np.resize(extremes, (3, finite.BLOCK // 2 + 1)))
    cache.FeatureFile(tmp_path / "x.npy").check()
    wrong = np.resize(extremes, (3, finite.BLOCK // 2 + 1))
    wrong[2, -1] = np.nan
    np.save(tmp_path / "x.npy", wrong)
    with pytest.raises(Broken, match="not finite"):
        cache.FeatureFile(tmp_path / "x.npy").check()


def test_no_features():
    """A key alone is not enough."""
    assert_computed(key())
    (folders()[0] / "features.npy").unlink()
    assert_computed(key())


@pytest.mark.parametrize("picture", [0, cache.BATCH, len(IMAGES) - 1])
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_what_float16_cannot_hold(picture, value, capfd):
    """Said at the first run, by an early or a late picture; nothing of it is kept or broken."""

    class Overflowing(FirstRows):
        def __call__(self, images):
            x = np.array(super().__call__(images))
            x[(images == IMAGES[picture]).all(axis=(1, 2, 3)), 0] = value
            return tf.constant(x)

    for _ in range(2):
        with pytest.raises(finite.Overflow, match=r"65,504.*--layer best .*--precision float32"):
            cache.compute(IMAGES, Overflowing, key(), WIDTH)
        (folder,) = folders()
        assert {file.name for file in folder.iterdir()} == {"key.json", "lock"}
    assert "broken" not in capfd.readouterr().err


def test_no_room(monkeypatch):
    """The disk is asked before the work: 300 pictures of 96 numbers of 2 bytes."""
    usage = type("Usage", (), {"free": 57_599})
    monkeypatch.setattr(files.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(LabError, match=r"57\.6 kB are needed there and 57\.6 kB are free"):
        cache.compute(IMAGES, Work(), key(), WIDTH)


def test_a_disk_that_fills_up(monkeypatch):
    """The file is named; what was computed until then is kept, and the next run goes on with it."""
    import resource

    limit = 128 + 2 * WANTED[0].nbytes * cache.BATCH
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        with pytest.raises(LabError, match=r"features\.part: cannot be written \(File too large\)"):
            cache.compute(IMAGES, Work(), key(), WIDTH)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    steps = Steps()
    np.testing.assert_array_equal(cache.compute(IMAGES, Work(), key(), WIDTH, steps)[0][:], WANTED)
    assert not list(folders()[0].glob("*.part"))
