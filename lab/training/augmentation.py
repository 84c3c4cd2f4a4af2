"""Random copies of traffic signs, of the same class: moved, turned, scaled, relit, blurred.

They are not mirrored: that would turn "keep right" into "keep left".
"""

from dataclasses import dataclass

import tensorflow as tf

from lab.pictures import SIGN


@dataclass(frozen=True)
class Ranges:
    """How far a copy may differ from its picture.

    Attributes:
        shift: pixels of 32, either way.
        rotation: radians, either way.
        scale: of the size, either way; half of it for the ratio of width to height.
        contrast: of the differences to the mean colour: a factor exp(+-0.5) is 0.6 to 1.65.
        brightness: a factor of the mean colour, likewise; a shift would turn dark signs black.
        blur: largest share of the 3x3 binomial blur.
    """

    shift: float = 2.5
    rotation: float = 0.26  # 15 degrees
    scale: float = 0.18
    contrast: float = 0.5
    brightness: float = 0.5
    blur: float = 0.8


WIDE = Ranges()  # for a network that is trained on every picture many times


def augment(images: tf.Tensor, size: int, seed: tf.Tensor, ranges: Ranges = WIDE) -> tf.Tensor:
    """Draws one random copy of each picture, enlarged.

    Args:
        images: uint8 or float32 tensor (n, 32, 32, 3), 0 to 255.
        size: height and width of the copies in pixels.
        seed: int tensor of shape (2,): the same seed gives the same copies.
        ranges: `Ranges`.

    Returns:
        float32 tensor (n, size, size, 3), 0 to 255.
    """
    n = tf.shape(images)[0]
    draws = tf.random.stateless_uniform((n, 9), seed, -1.0, 1.0)  # a column each
    images = _blur(tf.cast(images, tf.float32), ranges.blur * draws[:, 0])
    images = _relight(images, ranges.contrast * draws[:, 1], ranges.brightness * draws[:, 2])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=_poses(draws[:, 3:], tf.cast(size, tf.float32), ranges),
        output_shape=[size, size],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _blur(images: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Mixes each picture with its 3x3 binomial blur; half of the pictures stay sharp."""
    row = tf.constant([0.25, 0.5, 0.25])
    kernel = tf.tile((row[:, None] * row)[:, :, None, None], (1, 1, 3, 1))  # (3, 3, 3, 1)
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    blurred = tf.nn.depthwise_conv2d(padded, kernel, [1, 1, 1, 1], "VALID")
    share = tf.maximum(draw, 0.0)[:, None, None, None]
    return images + share * (blurred - images)


def _relight(images: tf.Tensor, contrast: tf.Tensor, brightness: tf.Tensor) -> tf.Tensor:
    """Makes each picture lighter or darker, and changes its contrast about its mean colour."""
    mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)  # (n, 1, 1, 3)
    light = tf.exp(brightness)[:, None, None, None]
    stretch = tf.exp(contrast)[:, None, None, None]
    return tf.clip_by_value(light * (mean + stretch * (images - mean)), 0.0, 255.0)


def _poses(draws: tf.Tensor, size: tf.Tensor, ranges: Ranges) -> tf.Tensor:
    """Affine maps from pixels of the copy to pixels of the picture, as the warp op wants them."""
    angle = ranges.rotation * draws[:, 0]
    scale = 1.0 + ranges.scale * draws[:, 1]
    squeeze = 1.0 + ranges.scale / 2 * draws[:, 2]
    zoom = float(SIGN) / size
    a, b = tf.cos(angle) * scale * squeeze * zoom, -tf.sin(angle) * scale * zoom
    c, d = tf.sin(angle) * scale * squeeze * zoom, tf.cos(angle) * scale * zoom
    # Pixel centres: the copy's middle, (size - 1) / 2, lands on the picture's, plus a shift.
    middle = (size - 1.0) / 2
    x = (SIGN - 1) / 2 + ranges.shift * draws[:, 3] - (a + b) * middle
    y = (SIGN - 1) / 2 + ranges.shift * draws[:, 4] - (c + d) * middle
    zero = tf.zeros_like(a)
    return tf.stack([a, b, x, c, d, y, zero, zero], axis=1)  # (n, 8)
