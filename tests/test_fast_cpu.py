"""The quick way to frozen features: against sums written out, and against the network itself."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

import alexnet
from lab import pictures
from lab.features import batches, extractor
from lab.features.fast_cpu import network, winograd
from lab.features.recipes import RECIPES
from lab.training import whole_network

LAYERS = ("conv3", "conv4", "conv5", "pool5", "fc6", "fc7")
# Of a layer's largest value: float32's error grows from layer to layer with these weights.
MOST = 2e-4


@pytest.fixture(scope="module")
def arrays():
    """Random weights as far as fc7, with biases, so that normalisation changes its input."""
    generator = np.random.default_rng(3)
    arrays = whole_network.random_arrays(3, "fc7")
    for name, (kernel, bias) in arrays.items():
        bias = generator.normal(0, 0.1, bias.shape).astype(np.float32)
        arrays[name] = kernel * (200 if name in ("conv1", "conv2") else 1), bias
    return arrays


@pytest.fixture(scope="module")
def images():
    """Noise, black and white squares, one colour, a ramp."""
    generator = np.random.default_rng(4)
    images = generator.integers(0, 256, (4, 32, 32, 3), np.uint8)
    images[1] = np.kron(generator.choice([0, 255], (4, 4, 1)), np.ones((8, 8, 3)))
    images[2] = (200, 30, 90)
    images[3] = np.arange(32)[:, None] * 8
    return images


# Winograd's convolution


@pytest.mark.parametrize(("outputs", "taps"), [(2, 3), (4, 3), (5, 3), (6, 3), (3, 5), (4, 5)])
def test_transforms(outputs, taps):
    """A tile's outputs are the correlation that they stand for."""
    generator = np.random.default_rng(0)
    kernel, picture = generator.normal(size=taps), generator.normal(size=outputs + taps - 1)
    a, g, b = winograd.transforms(outputs, taps)
    wanted = np.correlate(picture, kernel, "valid")
    np.testing.assert_allclose(a @ ((g @ kernel) * (b @ picture)), wanted, atol=1e-12)


def convolved(x, kernel, groups):
    """A convolution of stride 1, padded SAME, tap after tap in float64; x (n, h, w, c)."""
    taps, _, channels, filters = kernel.shape
    n, h, w, _ = x.shape
    around = [(0, 0), (taps // 2, taps // 2), (taps // 2, taps // 2), (0, 0)]
    padded = np.pad(x.astype(np.float64), around).reshape(n, h + taps - 1, -1, groups, channels)
    kernel = kernel.reshape(taps, taps, channels, groups, filters // groups)
    total = 0
    for i, j in itertools.product(range(taps), repeat=2):
        total += np.einsum("nhwgc,cgf->nhwgf", padded[:, i : i + h, j : j + w], kernel[i, j])
    return total.reshape(n, h, w, filters)


@pytest.mark.parametrize(
    ("taps", "groups", "size", "outputs"),
    [(3, 1, 13, 5), (3, 2, 13, 4), (5, 2, 27, 4), (5, 1, 7, 3), (3, 2, 4, 4)],
)
def test_winograd(taps, groups, size, outputs):
    """Tiles that end within the picture, on its border and beyond; one group and two."""
    generator = np.random.default_rng(1)
    kernel = generator.normal(size=(taps, taps, 6, 8)).astype(np.float32)
    x = generator.normal(size=(3, size, size, 6 * groups)).astype(np.float32)
    parts = np.moveaxis(x.reshape(3, size, size, groups, 6), 0, 3)  # (h, w, groups, n, c)
    y = np.moveaxis(winograd.Winograd(kernel, size, outputs, groups)(parts).numpy(), 3, 0)
    wanted = convolved(x, kernel, groups)
    np.testing.assert_allclose(
        y.reshape(wanted.shape), wanted, rtol=0, atol=2e-5 * np.abs(wanted).max()
    )


# The network


def quickly(arrays, images, precision="float32", zoom=1.0, single=False):
    """The layers by the quick way."""
    whole = alexnet.build(arrays, "fc7", dtype=alexnet.PRECISIONS[precision])
    x = images if zoom else enlarged(images)
    layers = tf.function(network.FastNetwork(whole, LAYERS, zoom, single))(x)
    return {name: tf.cast(layer, tf.float32) for name, layer in layers.items()}


def enlarged(images):
    return tf.image.resize(images, (alexnet.SIZE, alexnet.SIZE))


def by_layers(arrays, images, precision="float32"):
    """The layers by the network's own, one after the other."""
    result, x = {}, enlarged(images)
    for layer in alexnet.build(arrays, "fc7", dtype=alexnet.PRECISIONS[precision]).layers[1:]:
        x = layer(x)
        if layer.name in LAYERS:
            result[layer.name] = tf.cast(x, tf.float32)
    return result


def difference(quick, arrays, images):
    """From the network's own layers: the largest, in parts of the layer's largest value."""
    wanted = by_layers(arrays, images)
    return {
        name: np.abs(quick[name] - layer).max() / np.abs(layer).max()
        for name, layer in wanted.items()
    }


@pytest.mark.parametrize("zoom", [1.0, None])
def test_every_layer(arrays, images, zoom):
    """conv3 to fc7 of the enlarged pictures, as the network has them."""
    found = difference(quickly(arrays, images, zoom=zoom), arrays, images)
    assert tuple(found) == LAYERS
    assert max(found.values()) < MOST


@pytest.mark.parametrize("zoom", [1.0, None])
def test_bfloat16(arrays, images, zoom):
    """No farther from float32 than the network's own layers in bfloat16, which round as often.

    How far that is depends on the weights: a tenth of the values' size with these, which have
    every layer add to the error; so no fixed tolerance would tell a fault.
    """
    wanted = by_layers(arrays, images)
    own, quick = by_layers(arrays, images, "bfloat16"), quickly(arrays, images, "bfloat16", zoom)
    for name, layer in wanted.items():
        most = np.sqrt(np.mean(np.square(own[name] - layer)))
        assert 0 < np.sqrt(np.mean(np.square(quick[name] - layer))) < most, name


def test_normalisation_matters(arrays, images):
    """With these weights it changes its input by a tenth and more: a wrong one would be seen."""
    x = enlarged(images)
    for layer in alexnet.build(arrays, "norm2").layers[1:]:
        before, x = x, layer(x)
        if layer.name.startswith("norm"):
            assert np.abs(x - before).max() > 0.1 * np.abs(before).max()


@pytest.mark.parametrize("fault", ["mean", "colours", "groups", "resize"])
def test_planted_faults(arrays, images, fault, monkeypatch):
    """What goes wrong in such code is seen."""
    changed = dict(arrays)
    with monkeypatch.context() as patch:
        if fault == "mean":
            patch.setattr(network, "MEAN", network.MEAN[::-1])
        if fault == "colours":
            changed["conv1"] = arrays["conv1"][0][:, :, ::-1], arrays["conv1"][1]
        if fault == "groups":
            changed["conv4"] = np.roll(arrays["conv4"][0], 192, axis=3), arrays["conv4"][1]
        if fault == "resize":
            patch.setattr(pictures, "half_pixel", pictures.corner)
        quick = quickly(changed, images)
    assert max(difference(quick, arrays, images).values()) > MOST


# The extractor


def assert_same(found, wanted):
    """But for rounding, in what the features are the roots of: a root magnifies it beside zero."""
    found, wanted = (np.square(np.asarray(x, np.float32)) for x in (found, wanted))
    np.testing.assert_allclose(found, wanted, rtol=4e-3, atol=MOST * wanted.max())


SMALL = replace(RECIPES["pool5"], zoom=0.6, size=163)  # "best" has a zoom and 227 pixels


@pytest.mark.parametrize("recipe", [RECIPES["conv4"], RECIPES["best"], SMALL])
def test_many_pictures(arrays, images, recipe, monkeypatch):
    """From so many pictures on features come this way, and are the same but for float16."""
    made = []
    whole = network.FastNetwork
    monkeypatch.setattr(extractor, "FastNetwork", lambda *args: made.append(args) or whole(*args))
    few = extractor.Extractor(arrays, recipe, count=extractor.MANY - 1)(images)
    assert not made
    many = extractor.Extractor(arrays, recipe, count=extractor.MANY)(images)
    assert len(made) == 1
    assert_same(many, few)


def test_a_shorter_last_batch(arrays, images, monkeypatch):
    """Seven pictures in batches of three: each as the network has it."""
    monkeypatch.setattr(batches, "BATCH", 3)
    images = np.concatenate([images, images[2::-1]])
    quick = extractor.Extractor(arrays, RECIPES["conv4"], count=extractor.MANY)
    x = np.concatenate([quick(some).numpy() for some in batches.batches(images)])
    assert_same(x, extractor.Extractor(arrays, RECIPES["conv4"])(images))


@pytest.mark.parametrize("zoom", [1.0, None])
def test_one_picture_at_a_time(arrays, images, zoom, monkeypatch):
    """Without Winograd's products and with transposed kernels, every layer is the same."""
    monkeypatch.setattr(network, "Winograd", lambda *_: pytest.fail("it was made"))
    quick = quickly(arrays, images[:1], zoom=zoom, single=True)
    found = difference(quick, arrays, images[:1])
    assert tuple(found) == LAYERS
    assert max(found.values()) < MOST


@pytest.mark.parametrize("unusual", [("lab", "float32"), ("caffe", "float16"), "gpu"])
def test_where_it_does_not_serve(arrays, unusual, monkeypatch):
    """The old lab's network, float16 and a GPU keep to the network's own layers."""
    if unusual == "gpu":
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    monkeypatch.setattr(extractor, "FastNetwork", lambda *_: pytest.fail("it was made"))
    options = () if unusual == "gpu" else unusual
    extractor.Extractor(arrays, RECIPES["conv4"], *options, count=extractor.MANY)


@pytest.mark.parametrize("other", [{"zoom": 0.7}, {"size": 163}])
def test_other_sizes(arrays, images, other):
    """Signs of which less is shown, or smaller: enlarged first, as photographs are."""
    recipe = replace(RECIPES["conv4"], **other)
    many = extractor.Extractor(arrays, recipe, count=extractor.MANY)(images)
    assert many.shape == (len(images), recipe.width)
    assert_same(many, extractor.Extractor(arrays, recipe)(images))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_photographs(arrays, images, precision):
    """They are not enlarged, and are as they were; in bfloat16 within what that rounds off."""
    images = alexnet.enlarge(images).astype(np.uint8)
    how = RECIPES["conv4"], "caffe", precision
    few = extractor.Extractor(arrays, *how, side=alexnet.SIZE)(images).numpy().astype(np.float32)
    many = extractor.Extractor(arrays, *how, count=extractor.MANY, side=alexnet.SIZE)(images)
    apart = np.sqrt(np.mean(np.square(many - few)) / np.mean(np.square(few)))
    assert apart < {"float32": 1e-3, "bfloat16": 0.1}[precision]
