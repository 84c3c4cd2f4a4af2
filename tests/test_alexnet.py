"""The network: every layer against an independent runtime, planted faults, parts, errors."""

import dataclasses
import functools
import os
import re
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import python2_npy
import tensorflow as tf

import alexnet
from benchmarks import light_onnx
from caffe_classes import class_names
from lab import files, layers, pictures, weights
from lab.errors import LabError
from lab.training import whole_network

TRUNK = alexnet.LAYERS[: alexnet.LAYERS.index("pool5") + 1]
SHAPES = {
    "conv1": (55, 55, 96),
    "norm1": (55, 55, 96),
    "pool1": (27, 27, 96),
    "conv2": (27, 27, 256),
    "norm2": (27, 27, 256),
    "pool2": (13, 13, 256),
    "conv3": (13, 13, 384),
    "conv4": (13, 13, 384),
    "conv5": (13, 13, 256),
    "pool5": (6, 6, 256),
    "fc6": (4096,),
    "fc7": (4096,),
    "fc8": (1000,),
    "prob": (1000,),
}
LAB_SHAPES = SHAPES | {"conv1": (57, 57, 96), "norm1": (57, 57, 96), "pool1": (28, 28, 96)}
LAB_SHAPES |= {"conv2": (28, 28, 256), "norm2": (28, 28, 256)}


@pytest.fixture(scope="module")
def arrays():
    """Random weights with biases, conv1 and conv2 in the hundreds as with the real ones."""
    generator = np.random.default_rng(1)
    scaled = {}
    for name, (kernel, bias) in whole_network.random_arrays(0, "prob").items():
        kernel *= {"conv1": 100, "fc8": 0.01}.get(name, 1)
        deviation = 1 if name == "fc8" else 10
        scaled[name] = kernel, generator.normal(0, deviation, bias.shape).astype(np.float32)
    return scaled


@pytest.fixture(scope="module")
def trunk(arrays):
    """The same, conv1 to conv5 alone."""
    return {name: pair for name, pair in arrays.items() if name.startswith("conv")}


@pytest.fixture(scope="module")
def batch():
    """Two RGB pictures, 0 to 255: noise, and large squares of pure colours."""
    generator = np.random.default_rng(2)
    noise = generator.uniform(0, 255, (227, 227, 3))
    squares = np.kron(generator.choice([0, 255], (8, 8, 3)), np.ones((29, 29, 1)))[:227, :227]
    return np.stack([noise, squares]).astype(np.float32)


def reference(model, x):
    """An ONNX graph's outputs by layer name, computed by onnxruntime."""
    cpu = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=cpu)
    return light_onnx.run(session, x)


@pytest.fixture(scope="module")
def expected(arrays, batch):
    """Every layer of the onnx package's AlexNet."""
    x = light_onnx.data(batch, alexnet.MEAN_BGR)
    assert x.min() < -120
    assert x.max() > 150
    return reference(light_onnx.network(arrays, alexnet.LAYERS), x)


@pytest.fixture(scope="module")
def model(arrays):
    """The whole network, for the tests that plant nothing in it."""
    return alexnet.build(arrays)


def layers_of(model, x):
    """The outputs of all layers by name, as float32 arrays."""
    names = [layer.name for layer in model.layers if layer.name in alexnet.LAYERS]
    outputs = {name: model.get_layer(name).output for name in names}
    outputs = keras.Model(model.input, outputs)(x, training=False)
    return {name: tf.cast(outputs[name], tf.float32).numpy() for name in names}


def layers_off(outputs, expected):
    """Names of layers that differ by shape, or by more than 1e-4 of their largest value."""
    return [
        name
        for name, x in outputs.items()
        if x.shape != expected[name].shape
        or not np.abs(x - expected[name]).max() <= 1e-4 * np.abs(expected[name]).max()
    ]


# Against onnxruntime


def test_every_layer_equals_the_independent_runtime(model, batch, expected):
    """conv1 to prob, on inputs from -120 to 150."""
    outputs = layers_of(model, batch)
    assert tuple(outputs) == alexnet.LAYERS
    assert layers_off(outputs, expected) == []


@pytest.mark.parametrize("number", "12")
def test_normalisation_is_seen(expected, number):
    """Where the comparison is made, norm1 and norm2 change typical values by a tenth or more."""
    before, after = expected["conv" + number], expected["norm" + number]
    assert np.median(1 - after[before > 0] / before[before > 0]) >= 0.1


def strong_norm(patch, arrays):
    """Caffe's alpha, not divided by local_size."""
    patch.setattr(layers, "LRN_ALPHA", 5 * layers.LRN_ALPHA)


def padded_conv1(patch, arrays):
    """conv1 57x57, as in the old lab."""
    caffe = dataclasses.replace(alexnet.VARIANTS["caffe"], padding="SAME")
    patch.setitem(alexnet.VARIANTS, "caffe", caffe)


def rgb(patch, arrays):
    """The right mean off each colour, but red first."""
    whole = layers.Convolution.call

    def call(self, x):
        self.bgr = False
        return whole(self, x)

    patch.setattr(layers.Convolution, "call", call)


def swapped_groups(name):
    """Each half of the filters on the other half of the channels."""

    def plant(patch, arrays):
        arrays[name] = [np.roll(a, a.shape[-1] // 2, axis=-1) for a in arrays[name]]

    return plant


def rows_by_channel(patch, arrays):
    """fc6's rows in Caffe's order."""
    kernel, bias = arrays["fc6"]
    rows = kernel.reshape(6, 6, 256, -1).transpose(2, 0, 1, 3)
    arrays["fc6"] = rows.reshape(kernel.shape), bias


def pools_rounding_up(patch, arrays):
    """55 pixels -> 28. The prototxt's own rounding up shows at no size of this network."""
    pool = functools.partial(keras.layers.MaxPooling2D, padding="same")
    patch.setattr(keras.layers, "MaxPooling2D", pool)


def no_relu(name):
    """One layer's negative values let through."""

    def plant(patch, arrays):
        whole = layers.Convolution.call

        def call(self, x):
            if self.name != name:
                return whole(self, x)
            return tf.nn.conv2d(x, self.kernel, self.stride, self.padding) + self.bias

        patch.setattr(layers.Convolution, "call", call)

    return plant


def no_relu_in_dense(patch, arrays):
    """fc6 linear."""
    dense = keras.layers.Dense
    patch.setattr(keras.layers, "Dense", lambda units, activation, **kwargs: dense(units, **kwargs))


@pytest.mark.parametrize(
    ("fault", "until", "first_off"),
    [
        pytest.param(strong_norm, "pool5", "norm1", id="LRN alpha five times too large"),
        pytest.param(padded_conv1, "pool5", "conv1", id="conv1 SAME"),
        pytest.param(rgb, "pool5", "conv1", id="RGB"),
        pytest.param(swapped_groups("conv2"), "pool5", "conv2", id="groups of conv2"),
        pytest.param(swapped_groups("conv4"), "pool5", "conv4", id="groups of conv4"),
        pytest.param(swapped_groups("conv5"), "pool5", "conv5", id="groups of conv5"),
        pytest.param(rows_by_channel, "fc6", "fc6", id="rows of fc6"),
        pytest.param(pools_rounding_up, "pool5", "pool1", id="pools that round up"),
        pytest.param(no_relu("conv1"), "pool5", "conv1", id="conv1 without ReLU"),
        pytest.param(no_relu("conv5"), "pool5", "conv5", id="conv5 without ReLU"),
        pytest.param(no_relu_in_dense, "fc6", "fc6", id="fc6 without ReLU"),
    ],
)
def test_planted_fault_is_found(monkeypatch, arrays, batch, expected, fault, until, first_off):
    """The comparison sees each mistake that is easily made, in the layer it was made in."""
    arrays = dict(arrays)
    fault(monkeypatch, arrays)
    outputs = layers_of(alexnet.build(arrays, until), batch)
    assert layers_off(outputs, expected)[0] == first_off


def test_lab_variant_equals_the_independent_runtime(trunk, batch):
    """RGB, no mean, conv1 padded by 4 on each side; all else as in "caffe"."""
    graph = light_onnx.network(trunk, TRUNK)
    pads = next(a for a in graph.graph.node[0].attribute if a.name == "pads")
    pads.ints[:] = [4, 4, 4, 4]
    wanted = reference(graph, np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))
    outputs = layers_of(alexnet.build(trunk, "pool5", variant="lab"), batch)
    assert tuple(outputs) == TRUNK
    assert layers_off(outputs, wanted) == []


# Shapes, and features by name


def test_shapes(model):
    """Every layer's shape by name."""
    assert {n: model.get_layer(n).output.shape[1:] for n in alexnet.LAYERS} == SHAPES


def test_shapes_of_the_lab_variant(arrays):
    """57x57 and 28x28, then the same as ever."""
    model = alexnet.build(arrays, variant="lab")
    assert {n: model.get_layer(n).output.shape[1:] for n in alexnet.LAYERS} == LAB_SHAPES


@pytest.mark.parametrize("until", [*TRUNK, "fc6"])
def test_feature_of_any_layer(arrays, batch, expected, until):
    """A model ends at the layer asked for, and gives its output."""
    model = alexnet.build(arrays, until)
    assert model.layers[-1].name == until
    assert layers_off({until: model(batch).numpy()}, expected) == []


@pytest.mark.parametrize(("size", "side"), [(99, 2), (131, 3), (163, 4), (195, 5)])
def test_smaller_pictures(trunk, size, side):
    """Sizes at which each pooling ends on the border."""
    model = alexnet.build(trunk, "pool5", size=size)
    assert model.output.shape == (None, side, side, 256)
    for pool, before in (("pool1", "norm1"), ("pool2", "norm2"), ("pool5", "conv5")):
        rows = model.get_layer(before).output.shape[1]
        assert 2 * model.get_layer(pool).output.shape[1] + 1 == rows


# Errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"until": "conv6"},
            "expected a layer among conv1, norm1, pool1, conv2, norm2, pool2, conv3, conv4, conv5, "
            "pool5, fc6, fc7, fc8, prob; received 'conv6'",
        ),
        ({"variant": "torch"}, "expected a variant among caffe, lab; received 'torch'"),
        (
            {"until": "fc7"},
            "expected weights of conv1, conv2, conv3, conv4, conv5, fc6, fc7; received conv1, "
            "conv2, conv3, conv4, conv5, without fc6, fc7; take a complete file, such as "
            "bvlc-alexnet.npy, or a layer before fc6",
        ),
    ],
)
def test_build_refuses(trunk, options, message):
    """Unknown names, and layers that the weights lack, by text."""
    with pytest.raises(LabError, match=f"^{re.escape(message)}$"):
        alexnet.build(trunk, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda k: k[..., 0],
            "conv4 kernel: expected shape (3, 3, 192, 384); received (3, 3, 192)",
        ),
        (lambda k: k.astype(int), "conv4 kernel: expected float numbers; received int64"),
        (
            lambda k: np.where(k == k.max(), np.nan, k),
            "conv4 kernel: expected finite numbers; received 1 NaN and 0 infinite of 663552",
        ),
    ],
)
def test_build_refuses_arrays(trunk, change, message):
    """Shape, type and NaN, by text; a model that ends before does not mind."""
    kernel, bias = trunk["conv4"]
    spoiled = trunk | {"conv4": (change(kernel), bias)}
    with pytest.raises(LabError, match=f"^{re.escape(message)}; take another weights file$"):
        alexnet.build(spoiled, "pool5")
    alexnet.build(spoiled, "conv3")


# Files


def test_load_from_any_file(tmp_path, trunk, batch):
    """.npy, .npz and .onnx of the same weights give the same features."""
    wanted = alexnet.build(trunk, "pool5")(batch).numpy()
    python2_npy.write(tmp_path / "w.npy", trunk)
    weights.save(tmp_path / "w.npz", trunk)
    onnx.save(light_onnx.network(trunk, ["pool5"]), tmp_path / "w.onnx")
    for name in ("w.npy", "w.npz", "w.onnx"):
        features = alexnet.load(tmp_path / name, until="pool5")(batch).numpy()
        np.testing.assert_array_equal(features, wanted)


def test_load_passes_the_variant_on(tmp_path, trunk):
    """The lab's conv1 from a file."""
    weights.save(tmp_path / "w.npz", trunk)
    model = alexnet.load(tmp_path / "w.npz", until="conv1", variant="lab")
    assert model.output.shape == (None, 57, 57, 96)


def test_load_refuses_a_layer_that_the_file_lacks(tmp_path, trunk):
    """The convolutions alone give no probabilities."""
    weights.save(tmp_path / "w.npz", trunk)
    with pytest.raises(LabError, match="without fc6, fc7, fc8; take a complete file"):
        alexnet.load(tmp_path / "w.npz")


@pytest.mark.parametrize("variant", alexnet.VARIANTS)
def test_saved_model_comes_back(tmp_path, trunk, batch, variant):
    """Keras saves and loads it without help: its layers are registered."""
    model = alexnet.build(trunk, "pool5", variant=variant, scale=0.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(batch), model(batch))


# Parts, against plain NumPy


@pytest.mark.parametrize("scale", [1.0, alexnet.PICTURE_SCALE])
def test_preprocessing(batch, scale):
    """In "caffe" a picture less Caffe's mean colour; "lab" leaves it as it is."""

    def data(variant):
        arrays = whole_network.random_arrays(0, "conv1")
        model = alexnet.build(arrays, "conv1", variant=variant, scale=scale)
        return model.get_layer("data")(batch).numpy()

    caffe = data("caffe")
    wanted = (batch.astype(np.float64) - [122.67892, 116.66877, 104.00699]) * scale
    np.testing.assert_allclose(caffe, wanted, rtol=0, atol=2e-5)
    lab = data("lab")
    np.testing.assert_allclose(lab, batch * scale, rtol=1e-6)


@pytest.mark.parametrize("devices", [[], ["a GPU"]])
def test_local_response_normalisation(monkeypatch, devices):
    """Caffe's formula, written as a loop over channels; at both ends the window is cut off.

    Where there is a GPU another way is taken; here its operation runs on the CPU.
    """
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: devices)
    x = np.random.default_rng(3).uniform(0, 1667, (2, 3, 3, 9)).astype(np.float32)
    wanted = np.empty(x.shape)
    for c in range(9):
        window = x[..., max(c - 2, 0) : c + 3].astype(np.float64)
        scale = 1 + 1e-4 / 5 * (window**2).sum(axis=-1)
        wanted[..., c] = x[..., c] / scale**0.75
    normalised = layers.LocalResponseNormalization()(x).numpy()
    np.testing.assert_allclose(normalised, wanted, rtol=1e-5)


@pytest.mark.parametrize("channels", [3, 9])
def test_gradient_of_normalisation(channels):
    """It equals TensorFlow's own for its normalisation, which is another formula and code."""
    generator = np.random.default_rng(6)
    x = tf.constant(generator.uniform(-1667, 1667, (2, 3, 3, channels)), tf.float32)
    upstream = tf.constant(generator.normal(size=x.shape), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours = layers.LocalResponseNormalization()(x)
        wanted = tf.nn.lrn(x, layers.LRN_RADIUS, 1.0, 2e-5, 0.75)
    wanted = tape.gradient(wanted, x, output_gradients=upstream)
    assert np.abs(wanted - upstream).max() > 0.1  # the normalisation is seen
    ours = tape.gradient(ours, x, output_gradients=upstream)
    np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-6)


def grouped(x, kernel, bias, stride, pad):
    """Convolution in two groups and ReLU, pixel by pixel and filter by filter."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    height, width, inputs, filters = kernel.shape
    rows, columns = ((side - height) // stride + 1 for side in x.shape[1:3])
    result = np.empty((len(x), rows, columns, filters))
    for f in range(filters):
        first = 0 if f < filters // 2 else inputs
        for i in range(rows):
            for j in range(columns):
                top, left = i * stride, j * stride
                seen = x[:, top : top + height, left : left + width, first : first + inputs]
                result[:, i, j, f] = (seen * kernel[..., f]).sum(axis=(1, 2, 3)) + bias[f]
    return np.maximum(result, 0)


@pytest.mark.parametrize(("stride", "padding", "pad"), [(1, "SAME", 1), (2, "VALID", 0)])
def test_grouped_convolution(stride, padding, pad):
    """Each half of the filters sees its own half of the channels."""
    generator = np.random.default_rng(4)
    x = generator.normal(size=(2, 5, 7, 4)).astype(np.float32)
    layer = layers.Convolution((3, 3, 2, 6), stride, padding)
    layer.build(x.shape)
    kernel, bias = (generator.normal(size=w.shape).astype(np.float32) for w in layer.weights)
    layer.set_weights([kernel, bias])
    wanted = grouped(x, kernel, bias, stride, pad)
    np.testing.assert_allclose(layer(x).numpy(), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize(("dtype", "most"), [("float32", 1e-5), ("bfloat16", 0.03)])
def test_gradients_of_grouped_convolution(monkeypatch, dtype, most, onednn):
    """They equal those of two convolutions side by side, also where groups have to be split.

    In bfloat16 all units are above 0: one beside 0 might fall on the other side of ReLU.
    """
    if not onednn:
        monkeypatch.setattr(layers, "has_onednn", lambda dtype: False)
    generator = np.random.default_rng(5)
    x = tf.constant(generator.normal(size=(2, 5, 5, 4)), tf.float32)
    layer = layers.Convolution((3, 3, 2, 6), dtype=alexnet.PRECISIONS[dtype])
    layer.build(x.shape)
    means = 0, 40 if dtype == "bfloat16" else 0  # of kernel and bias
    pairs = zip(means, layer.weights, strict=True)
    layer.set_weights([generator.normal(mean, size=w.shape) for mean, w in pairs])
    kernel, bias = (tf.convert_to_tensor(w) for w in layer.weights)
    weight = generator.normal(size=(2, 5, 5, 6)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.cast(layer(x), tf.float32) * weight)
    gradients = tape.gradient(loss, [x, *layer.trainable_weights])
    with tf.GradientTape() as tape:
        tape.watch([x, kernel, bias])
        halves = zip(tf.split(x, 2, axis=-1), tf.split(kernel, 2, axis=-1), strict=True)
        y = tf.concat([tf.nn.conv2d(half, k, 1, "SAME") for half, k in halves], axis=-1)
        loss = tf.reduce_sum(tf.nn.relu(y + bias) * weight)
    for ours, wanted in zip(gradients, tape.gradient(loss, [x, kernel, bias]), strict=True):
        assert np.linalg.norm(ours - wanted) <= most * np.linalg.norm(wanted)


def test_a_gpu_convolves_in_groups(monkeypatch):
    """Whatever this CPU can do: where there is a GPU, nothing is split."""
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    monkeypatch.setattr(layers, "has_onednn", lambda dtype: pytest.fail("the CPU was asked"))
    monkeypatch.setattr(tf.nn, "conv2d", lambda *args: args)
    x, kernel = tf.zeros((1, 3, 3, 4)), tf.zeros((3, 3, 2, 6))
    assert layers.convolved(x, kernel, 1, "SAME") == (x, kernel, 1, "SAME")


# Half precision


def relative_change(model, batch, wanted):
    """Each layer's distance from float32, over its norm."""
    outputs = layers_of(model, batch)
    norm = np.linalg.norm
    return {name: norm(x - wanted[name]) / norm(wanted[name]) for name, x in outputs.items()}


def test_bfloat16_stays_near(trunk, batch, expected):
    """Within a few percent at every layer; with the real weights conv3 changes by 1.2%."""
    model = alexnet.build(trunk, "pool5", dtype="mixed_bfloat16")
    assert model.output.dtype == "bfloat16"
    change = relative_change(model, batch, expected)
    assert 0 < max(change.values()) < 0.03


def test_float16_does_not_overflow(trunk, batch):
    """conv1 goes beyond the 1667 that it reaches on signs; its square is no float16."""
    kernel, bias = trunk["conv1"]
    louder = trunk | {"conv1": (2 * kernel, bias)}
    wanted = layers_of(alexnet.build(louder, "pool5"), batch)
    assert wanted["conv1"].max() > 1667
    model = alexnet.build(louder, "pool5", dtype="mixed_float16")
    assert model.output.dtype == "float16"
    assert max(relative_change(model, batch, wanted).values()) < 0.01


# The real weights

PUBLISHED = {  # what the old lab prints
    "poodle.png": {
        "miniature poodle": 0.3895,
        "toy poodle": 0.2231,
        "Bedlington terrier": 0.1730,
        "standard poodle": 0.1496,
        "komondor": 0.0258,
    },
    "weasel.png": {
        "weasel": 0.3313,
        "polecat": 0.2803,
        "black-footed ferret": 0.2105,
        "mink": 0.0814,
        "Arctic fox": 0.0268,
    },
    "construction.jpg": {
        "screen": 0.0510,
        "digital clock": 0.0408,
        "laptop": 0.0300,
        "balance beam": 0.0270,
        "parallel bars": 0.0227,
    },
    "stop.jpg": {
        "digital watch": 0.3954,
        "digital clock": 0.2749,
        "bottlecap": 0.1150,
        "stopwatch": 0.1036,
        "combination lock": 0.0862,
    },
}


def place_of(name):
    """Where a real file is: beside the scripts, in LAB_DATA or its folder lab; else skipped."""
    folders = [files.ROOT]
    if os.environ.get("LAB_DATA"):
        data = Path(os.environ["LAB_DATA"])
        folders += [data, data / "lab"]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    return pytest.skip(f"{name} is neither beside the scripts nor in LAB_DATA")


@pytest.fixture(scope="module")
def genuine():
    """The network of the real weights, as the old lab built it."""
    return alexnet.load(place_of("bvlc-alexnet.npy"), variant="lab")


@pytest.mark.weights
@pytest.mark.parametrize("file", PUBLISHED)
def test_published_probabilities(genuine, file):
    """RGB less the picture's own mean; signs enlarged as TensorFlow 1 did it."""
    picture = alexnet.centred([pictures.read(place_of(file))], "lab")
    (probabilities,) = genuine(pictures.old_resize(picture, alexnet.SIZE)).numpy()
    top = np.argsort(-probabilities)[:5]
    names = [class_names[i].split(",")[0] for i in top]
    assert names == list(PUBLISHED[file])
    np.testing.assert_allclose(probabilities[top], list(PUBLISHED[file].values()), atol=0.002)
