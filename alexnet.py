"""BVLC AlexNet as a Keras model, every layer named, built from arrays or loaded from a file.

    import alexnet
    model = alexnet.load("bvlc-alexnet.npy")                 # RGB pictures -> 1000 probabilities
    model = alexnet.load("bvlc-alexnet.npy", until="conv5")  # ... -> features of a layer, by name

This is the network of Caffe's `bvlc_alexnet/deploy.prototxt`: that of Krizhevsky, Sutskever and
Hinton (2012), trained without their relighting of the training pictures. Here, as in the prototxt,
normalisation comes before pooling. It is not the one-column network of 2014 that torchvision calls
AlexNet. The module knows arrays and layers; reading files is `lab.weights`' work.
"""

import itertools
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from lab import weights
from lab.errors import LabError

SIZE = 227  # pixels; the prototxt's input
# Blue, green, red: ImageNet's mean picture (Caffe's ilsvrc_2012_mean.npy), averaged over pixels.
MEAN_BGR = (104.00699, 116.66877, 122.67892)
PICTURE_SCALE = 1 / 64  # brings 0 to 255 less the mean to about unit variance

# Local response normalisation: local_size 5, alpha 1e-4, beta 0.75, k 1 in the prototxt. Caffe
# divides alpha by local_size; TensorFlow's formula, used here, does not: 1e-4 / 5.
LRN_RADIUS, LRN_ALPHA, LRN_BETA, LRN_BIAS = 2, 2e-5, 0.75, 1.0


@dataclass(frozen=True)
class Conv:
    """One row of the network's convolutional part; each convolution is followed by ReLU."""

    name: str
    kernel: tuple[int, int, int, int]  # height, width, input channels of one group, filters
    stride: int
    padding: str  # at these sizes SAME pads as the prototxt does, and VALID is its "pad: 0"
    groups: int
    then: tuple[str, ...]  # "norm": local response normalisation, "pool": max 3x3 /2


CONVOLUTIONS = (
    Conv("conv1", (11, 11, 3, 96), 4, "VALID", 1, ("norm", "pool")),  # 55x55 -> 27x27
    Conv("conv2", (5, 5, 48, 256), 1, "SAME", 2, ("norm", "pool")),  # 27x27 -> 13x13
    Conv("conv3", (3, 3, 256, 384), 1, "SAME", 1, ()),  # 13x13
    Conv("conv4", (3, 3, 192, 384), 1, "SAME", 2, ()),  # 13x13
    Conv("conv5", (3, 3, 192, 256), 1, "SAME", 2, ("pool",)),  # 13x13 -> 6x6
)
# Rows of fc6 run over height, width, channel.
DENSE = {"fc6": (6 * 6 * 256, 4096), "fc7": (4096, 4096), "fc8": (4096, 1000)}

SHAPES = {row.name: row.kernel for row in CONVOLUTIONS} | DENSE
LAYERS = (
    *itertools.chain.from_iterable(
        (row.name, *(then + row.name[-1] for then in row.then)) for row in CONVOLUTIONS
    ),
    *DENSE,
    "prob",
)
VARIANTS = ("caffe", "lab")


@keras.saving.register_keras_serializable("alexnet")
class Preprocessing(keras.layers.Layer):
    """RGB pictures, 0 to 255 -> what the first convolution takes, still RGB.

    The network was trained on pictures less the mean colour ("caffe"). Whether the old lab ("lab")
    subtracted a mean depends on the script: that is left to the caller.
    """

    def __init__(self, variant="caffe", scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.variant, self.scale = variant, scale

    def call(self, pictures):  # (n, 227, 227, 3)
        if self.variant == "caffe":
            pictures = pictures - tf.constant(MEAN_BGR[::-1], pictures.dtype)
        return pictures if self.scale == 1.0 else pictures * self.scale

    def get_config(self):
        return super().get_config() | {"variant": self.variant, "scale": self.scale}


@keras.saving.register_keras_serializable("alexnet")
class Convolution(keras.layers.Layer):
    """Convolution in `groups` groups, bias, ReLU.

    `tf.nn.conv2d` takes a grouped kernel as it is; Keras' own `Conv2D(groups=2)` goes through an
    XLA-compiled call, which is slower to start and to run on a CPU.

    With `bgr`, the kernel takes blue first and the input has red first. The kernel is turned then:
    turning every picture would take as long as the convolution itself.
    """

    def __init__(self, kernel_shape, stride=1, padding="SAME", bgr=False, **kwargs):
        super().__init__(**kwargs)
        self.kernel_shape, self.stride, self.padding = tuple(kernel_shape), stride, padding
        self.bgr = bgr

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=self.kernel_shape)
        self.bias = self.add_weight(name="bias", shape=self.kernel_shape[-1:])

    def call(self, x):  # (n, h, w, channels) -> (n, h / stride, w / stride, filters)
        kernel, bias = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        kernel = kernel[:, :, ::-1] if self.bgr else kernel
        x = tf.nn.conv2d(x, kernel, self.stride, self.padding)
        return tf.nn.relu(tf.nn.bias_add(x, bias))

    def get_config(self):
        own = {name: getattr(self, name) for name in ("kernel_shape", "stride", "padding", "bgr")}
        return super().get_config() | own


@keras.saving.register_keras_serializable("alexnet")
class LocalResponseNormalization(keras.layers.Layer):
    """x / (bias + alpha * sum of x^2 over the 5 neighbouring channels) ** 0.75.

    On a CPU it is compiled into one pass over memory: a quarter of the time of
    `tf.nn.local_response_normalization`, which has a kernel of its own on a GPU.
    """

    def call(self, x):  # (n, h, w, c) -> the same
        if tf.config.list_logical_devices("GPU"):
            wide = tf.cast(x, tf.float32)
            wide = tf.nn.lrn(wide, LRN_RADIUS, LRN_BIAS, LRN_ALPHA, LRN_BETA)
            return tf.cast(wide, x.dtype)
        return _normalized(x, LRN_RADIUS, LRN_BIAS, LRN_ALPHA)


@tf.function(jit_compile=True)
def _normalized(x, radius, bias, alpha):
    # float32, as conv1 reaches 1667 on traffic signs and its square would overflow float16.
    wide = tf.cast(x, tf.float32)
    padded = tf.pad(tf.square(wide), [[0, 0], [0, 0], [0, 0], [radius, radius]])
    channels = x.shape[-1]
    squares = tf.add_n([padded[..., i : i + channels] for i in range(2 * radius + 1)])
    root = tf.math.rsqrt(bias + alpha * squares)  # scale ** -0.5
    return tf.cast(wide * root * tf.sqrt(root), x.dtype)  # LRN_BETA = 0.75 = 0.5 + 0.25


def build(arrays, until="prob", *, variant="caffe", dtype="float32", size=SIZE, scale=1.0):
    """Builds the network from arrays, as far as one layer.

    Args:
        arrays: dict, layer name -> (kernel, bias). Kernels of conv1 to conv5 are HWIO, float32, for
            BGR input; fc6 (9216, 4096) with rows in height, width, channel order. Layers beyond
            `until` may be absent.
        until: a name in `LAYERS`: the model's output. Every layer before it is in the model by its
            name, so `keras.Model(model.input, model.get_layer("conv4").output)` gives that one.
            conv1 to conv5, fc6 and fc7 are outputs after ReLU; fc8 is the logits.
        variant: {"caffe", "lab"}. "lab" is the old public lab's reading of the network: RGB, no
            mean, conv1 padded SAME (57x57 in place of 55x55).
        dtype: Keras dtype policy: "float32", "mixed_bfloat16", "mixed_float16".
        size: height and width of the input in pixels. fc6 needs 227; the convolutions also take
            99, 131, 163 and 195, where every pooling ends on the border as it does at 227.
        scale: what the input is multiplied by after the mean is subtracted.

    Returns:
        A Keras model: float32 RGB pictures (n, size, size, 3), 0 to 255 -> that layer's output.

    Raises:
        LabError: an unknown layer or variant, or an array that is absent, of another shape, of
            another type, or not finite.
    """
    if until not in LAYERS:
        raise LabError(f"expected a layer among {', '.join(LAYERS)}; received {until!r}")
    if variant not in VARIANTS:
        raise LabError(f"expected a variant among {', '.join(VARIANTS)}; received {variant!r}")
    names = LAYERS[: LAYERS.index(until) + 1]
    weights.check(arrays, SHAPES, [name for name in names if name in SHAPES])
    picture = keras.Input((size, size, 3), name="picture")
    x = Preprocessing(variant, scale, dtype=dtype, name="data")(picture)
    for layer in _layers(names, variant, dtype):
        x = layer(x)
    model = keras.Model(picture, x, name="alexnet")
    for name in names:
        if name in SHAPES:
            model.get_layer(name).set_weights(arrays[name])
    return model


def _layers(names, variant, dtype):
    """The layers up to the last of `names`, in order; shapes are those of 227x227 input."""
    for row in CONVOLUTIONS:
        if row.name not in names:
            return
        padding = "SAME" if variant == "lab" else row.padding
        bgr = row.name == "conv1" and variant == "caffe"  # the old lab fed it RGB
        yield Convolution(row.kernel, row.stride, padding, bgr, dtype=dtype, name=row.name)
        for then in row.then:
            name = then + row.name[-1]
            if name not in names:
                return
            if then == "norm":
                yield LocalResponseNormalization(dtype=dtype, name=name)
            else:  # Caffe rounds pooled sizes up, Keras down: 55, 27 and 13 leave nothing to round
                yield keras.layers.MaxPooling2D(3, 2, dtype=dtype, name=name)
    if "fc6" in names:
        yield keras.layers.Flatten(dtype=dtype, name="flat5")  # (n, 6, 6, 256) -> (n, 9216)
    for name, (_, units) in DENSE.items():
        if name in names:  # (n, 4096), (n, 4096), (n, 1000)
            activation = None if name == "fc8" else "relu"
            yield keras.layers.Dense(units, activation, dtype=dtype, name=name)
    if "prob" in names:  # float32: 1000 probabilities add up badly in half precision
        yield keras.layers.Softmax(dtype="float32", name="prob")


def load(path="bvlc-alexnet.npy", until="prob", *, variant="caffe"):
    """Loads the network, as far as one layer, from a weights file.

    Args:
        path: `.npy` as the lab has it, `.npz` with `conv1/kernel`, `conv1/bias` ..., or `.onnx`.
        until, variant: as in `build`.

    Returns:
        The Keras model of `build`.

    Raises:
        LabError: the file cannot be read, or lacks a layer up to `until`.
    """
    return build(weights.read(path).arrays, until, variant=variant)


def random_arrays(seed=0, until="pool5"):
    """Random weights (He et al., 2015): zero biases, kernels of variance 2 / fan-in.

    conv1's are smaller by `PICTURE_SCALE`, so that every layer's output is of about unit variance.

    Returns:
        dict, layer name -> (kernel, bias) float32, for every layer up to `until`.
    """
    generator = np.random.default_rng(seed)
    names = LAYERS[: LAYERS.index(until) + 1]
    arrays = {}
    for name, shape in SHAPES.items():
        if name in names:
            deviation = (2 / np.prod(shape[:-1])) ** 0.5
            deviation *= PICTURE_SCALE if name == "conv1" else 1.0
            kernel = generator.normal(0, deviation, shape).astype(np.float32)
            arrays[name] = (kernel, np.zeros(shape[-1], np.float32))
    return arrays
