"""The network's own Keras layers: preprocessing, grouped convolution, response normalisation.

alexnet.py builds the network of them. Keras refuses plain TensorFlow functions between its
layers, so each is a small layer that can be saved and loaded.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

# Local response normalisation: local_size 5, alpha 1e-4, beta 0.75, k 1 in BVLC's deploy.prototxt.
# Caffe divides alpha by local_size; TensorFlow's formula, used here, does not: 1e-4 / 5.
LRN_RADIUS, LRN_ALPHA, LRN_BETA, LRN_BIAS = 2, 2e-5, 0.75, 1.0
Gradient = Callable[[tf.Tensor], tf.Tensor]


@keras.saving.register_keras_serializable("alexnet")
class Preprocessing(keras.layers.Layer):
    """RGB pictures, 0 to 255 -> what the first convolution takes, still RGB.

    Args:
        mean: red, green and blue that are subtracted, or None.
        scale: what the difference is multiplied by.
    """

    def __init__(self, mean: Sequence[float] | None = None, scale: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mean, self.scale = mean and tuple(mean), scale

    def call(self, pictures: tf.Tensor) -> tf.Tensor:  # (n, 227, 227, 3)
        if self.mean:
            pictures = pictures - tf.constant(self.mean, pictures.dtype)
        return pictures if self.scale == 1.0 else pictures * self.scale

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"mean": self.mean, "scale": self.scale}


@keras.saving.register_keras_serializable("alexnet")
class Convolution(keras.layers.Layer):
    """Convolution, bias, ReLU; in as many groups as the kernel has fewer channels than the input.

    Keras' own `Conv2D(groups=2)` goes through an XLA-compiled call, which is slower to start and to
    run on a CPU.

    With `bgr`, the kernel takes blue first and the input has red first. The kernel's channels are
    reversed then: reversing those of every picture would take as long as the convolution itself.
    """

    def __init__(
        self,
        kernel_shape: Sequence[int],
        stride: int = 1,
        padding: str = "SAME",
        bgr: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.kernel_shape, self.stride, self.padding = tuple(kernel_shape), stride, padding
        self.bgr = bgr

    def build(self, input_shape: Sequence[int | None]) -> None:
        # `alexnet.build` sets them: random numbers would be drawn for nothing.
        kernel, bias = self.kernel_shape, self.kernel_shape[-1:]
        self.kernel = self.add_weight(name="kernel", shape=kernel, initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=bias, initializer="zeros")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        # (n, h, w, channels) -> (n, h / stride, w / stride, filters)
        kernel, bias = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        kernel = kernel[:, :, ::-1] if self.bgr else kernel
        x = convolved(x, kernel, self.stride, self.padding)
        return tf.nn.relu(tf.nn.bias_add(x, bias))

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("kernel_shape", "stride", "padding", "bgr")}
        return super().get_config() | own


def convolved(x: tf.Tensor, kernel: tf.Tensor, stride: int, padding: str) -> tf.Tensor:
    """A convolution in as many groups as the kernel has fewer channels than x.

    Args:
        x: (n, h, w, groups * c).
        kernel: (k, k, c, f), each group's filters after those of the group before.
        stride, padding: as `tf.nn.conv2d` has them.

    Returns:
        (n, h / stride, w / stride, f), of x's type.
    """
    groups = x.shape[-1] // kernel.shape[2]
    # A GPU has convolutions in groups of its own.
    if groups == 1 or tf.config.list_logical_devices("GPU") or has_onednn(x.dtype):
        return tf.nn.conv2d(x, kernel, stride, padding)
    pairs = zip(tf.split(x, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True)
    return tf.concat([tf.nn.conv2d(*pair, stride, padding) for pair in pairs], axis=-1)


@functools.cache
def has_onednn(dtype: tf.DType) -> bool:
    """Whether TensorFlow computes with the library oneDNN on this CPU, in this type: it is tried.

    TensorFlow does not tell. Without oneDNN it has no gradients of a convolution in groups; nor has
    it one that adds bias and ReLU: "Fused conv implementation does not support grouped
    convolutions".
    """
    with tf.init_scope(), tf.device("CPU:0"):
        x, kernel = tf.zeros((1, 3, 3, 2), dtype), tf.zeros((3, 3, 1, 2), dtype)
        try:  # the gradient of x, by its operation: no tape records in this scope
            tf.raw_ops.Conv2DBackpropInput(
                input_sizes=x.shape, filter=kernel, out_backprop=x, strides=[1] * 4, padding="SAME"
            )
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            return False
    return True


@keras.saving.register_keras_serializable("alexnet")
class LocalResponseNormalization(keras.layers.Layer):
    """x / (bias + alpha * sum of x^2 over the 5 neighbouring channels) ** 0.75.

    On a CPU it is compiled into one pass over memory: a quarter of the time of
    `tf.nn.local_response_normalization`, which has a kernel of its own on a GPU.
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:  # (n, h, w, c) -> the same
        if tf.config.list_logical_devices("GPU"):
            wide = tf.cast(x, tf.float32)
            wide = tf.nn.lrn(wide, LRN_RADIUS, LRN_BIAS, LRN_ALPHA, LRN_BETA)
            return tf.cast(wide, x.dtype)
        normalized: tf.Tensor = _normalized(x)
        return normalized


@tf.custom_gradient
def _normalized(x: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
    """x normalised, and its gradient: what TensorFlow derives itself takes three times as long."""
    return _response(x, LRN_ALPHA), lambda upstream: _gradient(x, upstream, LRN_ALPHA)


@tf.function(jit_compile=True)
def _response(x: tf.Tensor, alpha: float) -> tf.Tensor:
    wide, power, _ = _powers(x, alpha)
    return tf.cast(wide * power, x.dtype)


@tf.function(jit_compile=True)
def _gradient(x: tf.Tensor, upstream: tf.Tensor, alpha: float) -> tf.Tensor:
    # y_i = x_i s_i^-b, and the s_i of each neighbour i of j holds alpha x_j^2; with g = upstream:
    # g_j s_j^-b - 2 alpha b x_j * (sum over the neighbours of g_i x_i s_i^(-b - 1))
    wide, power, sums = _powers(x, alpha)
    upstream = tf.cast(upstream, tf.float32)
    neighbours = _summed(upstream * wide * power / sums)
    return tf.cast(upstream * power - 2 * alpha * LRN_BETA * wide * neighbours, x.dtype)


def _powers(x: tf.Tensor, alpha: float) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """x as float32, s ** -LRN_BETA and s, each (n, h, w, c)."""
    # float32, as conv1 reaches 1667 on traffic signs and its square would overflow float16.
    wide = tf.cast(x, tf.float32)
    sums = LRN_BIAS + alpha * _summed(tf.square(wide))
    root = tf.sqrt(sums)
    return wide, 1 / (root * tf.sqrt(root)), sums  # LRN_BETA = 0.75 = 0.5 + 0.25


def _summed(x: tf.Tensor) -> tf.Tensor:
    """Sums over each channel and its neighbours: (n, h, w, c) -> the same."""
    channels = x.shape[-1]
    padded = tf.pad(x, [[0, 0], [0, 0], [0, 0], [LRN_RADIUS, LRN_RADIUS]])
    return tf.add_n([padded[..., i : i + channels] for i in range(2 * LRN_RADIUS + 1)])
