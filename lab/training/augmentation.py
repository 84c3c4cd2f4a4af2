"""Random copies of pictures that mean the same: moved, recoloured, relit, blurred, with noise.

The order is the light's: first what is painted on a sign, then how it is lit, then what camera and
file add. Even contrast comes after all of that, as for a picture that is to be named, and the move
last, as it enlarges.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from lab.features import Recipe, extractor
from lab.training.plans import Ranges

# Luma and two differences of colour of red, green and blue, as in television's YIQ: turning the
# differences turns the hue.
YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], np.float32)
RGB = np.linalg.inv(YIQ).astype(np.float32)
LINE, DIRECTIONS = 7, 8  # of the motion blur: pixels, and how many angles


def augment(
    images: tf.Tensor,
    size: int,
    seed: tf.Tensor,
    ranges: Ranges,
    recipe: Recipe,
    first: tf.Tensor | int = 0,
    batch: int | None = None,
) -> tf.Tensor:
    """Draws one random copy of each picture, as the network is to see it.

    Args:
        images: uint8 or float32 tensor (n, h, h, 3), 0 to 255, h static.
        size: height and width of the copies in pixels.
        seed: int tensor of shape (2,): the same seed gives the same copies.
        ranges: how far copies may differ.
        recipe: of what is trained: its even contrast and its zoom.
        first: place of the first picture in its batch.
        batch: pictures in the batch, if others of it are copied elsewhere: a picture's copy does
            not depend on where it is made.

    Returns:
        float32 tensor (n, size, size, 3), 0 to 255.
    """
    seeds = tf.random.split(seed, 2)
    n = tf.shape(images)[0]
    rows = first, n, n if batch is None else batch
    draws = part_of_batch(tf.random.stateless_uniform, rows, (26,), seeds[0], -1.0, 1.0)
    ground, colour, motion, blur, light, noise, jpeg, pose = tf.split(
        draws, [5, 6, 3, 1, 2, 1, 2, 6], axis=1
    )
    images = tf.cast(images, tf.float32)
    if ranges.ground:
        images = _painted(images, ranges.ground, ground)
    if ranges.gains or ranges.saturation or ranges.hue or ranges.grey:
        images = _recoloured(images, ranges, colour)
    if ranges.motion:
        images = _smeared(images, ranges.motion, motion)
    images = _blurred(images, ranges.blur * blur)
    images = _relit(images, ranges.contrast * light[:, 0], ranges.brightness * light[:, 1])
    if ranges.noise:
        drawn = part_of_batch(tf.random.stateless_normal, rows, (*images.shape[1:3], 4), seeds[1])
        images = _noisy(images, ranges.noise * noise, drawn)
    if ranges.jpeg:
        images = _in_blocks(images, ranges.jpeg, jpeg)
    if recipe.contrast:
        images = extractor.even(images)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=_poses(pose, images.shape[1], tf.cast(size, tf.float32), ranges, recipe.zoom),
        output_shape=[size, size],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def part_of_batch(
    draw: Callable[..., tf.Tensor],
    rows: tuple[tf.Tensor | int, tf.Tensor | int, tf.Tensor | int],
    shape: tuple[int, ...],
    seed: tf.Tensor,
    *limits: float,
) -> tf.Tensor:
    """Draws numbers for a whole batch, and gives those of some of its pictures.

    Args:
        draw: a stateless generator.
        rows: the first of these pictures, how many they are, and all of the batch.
        shape: of one picture's numbers.
        seed: int tensor of shape (2,).
        limits: of the numbers, as `draw` takes them.

    Returns:
        float32 tensor (n, *shape).
    """
    first, n, batch = rows
    return draw((batch, *shape), seed, *limits)[first : first + n]


def _chosen(draw: tf.Tensor, share: float) -> tf.Tensor:
    """1 for a share of the copies, 0 for the others, by a draw (n,): (n, 1, 1, 1)."""
    return tf.cast(draw < 2 * share - 1, tf.float32)[:, None, None, None]


def _within(draw: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """A draw of -1 to 1 as one of `low` to `high`."""
    return low + (high - low) * (draw + 1) / 2


def _painted(images: tf.Tensor, share: float, draws: tf.Tensor) -> tf.Tensor:
    """Paints what is light and colourless near the middle, which is most signs' ground.

    Poland's signs are yellow where Germany's are white: colour of the ground is no class.
    """
    side = images.shape[1]
    luma = tf.tensordot(images, YIQ[0], 1)  # (n, h, h)
    middle = slice(side // 4, side - side // 4)
    lightest = tf.reduce_max(luma[:, middle, middle], axis=(1, 2), keepdims=True) + 1.0
    high, low = tf.reduce_max(images, axis=-1), tf.reduce_min(images, axis=-1)
    colour = (high - low) / (high + 8.0)  # 8: in the dark, noise is no colour
    at = (np.arange(side) - (side - 1) / 2) * 32 / side
    disc = 1 / (1 + np.exp(np.hypot(at[:, None], at) - 14.0))  # (h, h): margins are not the sign
    mask = tf.sigmoid(12 * (luma / lightest - 0.55)) * tf.sigmoid(15 * (0.35 - colour))
    mask = (mask * disc.astype(np.float32))[..., None] * _chosen(draws[:, 0], share)

    red, green, blue = draws[:, 1], draws[:, 2], draws[:, 3]
    yellow = [_within(red, 0.8, 1.0), _within(green, 0.65, 1.0), _within(blue, 0.05, 0.6)]
    other = _within(draws[:, 1:4], 0.4, 1.0)
    other /= tf.reduce_max(other, axis=1, keepdims=True)
    paint = tf.where(draws[:, 4:] < 0.4, tf.stack(yellow, axis=1), other)  # 70% are yellow
    return images * (1 - mask + mask * paint[:, None, None])


def _recoloured(images: tf.Tensor, ranges: Ranges, draws: tf.Tensor) -> tf.Tensor:
    """Turns the hue, changes the saturation and multiplies the channels: a matrix a picture."""
    saturation = 1 + ranges.saturation * draws[:, 0]
    saturation *= 1 - tf.cast(draws[:, 1] < 2 * ranges.grey - 1, tf.float32)
    cos = saturation * tf.cos(ranges.hue * draws[:, 2])
    sin = saturation * tf.sin(ranges.hue * draws[:, 2])
    one, zero = tf.ones_like(cos), tf.zeros_like(cos)
    turn = tf.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], axis=1)  # (n, 9)
    gains = tf.exp(ranges.gains * draws[:, 3:])[:, :, None]
    matrices = gains * (RGB @ tf.reshape(turn, (-1, 3, 3)) @ YIQ)  # (n, 3, 3)
    pixels = tf.reshape(images, (-1, images.shape[1] * images.shape[2], 3))
    pixels = tf.matmul(pixels, matrices, transpose_b=True)
    return tf.clip_by_value(tf.reshape(pixels, tf.shape(images)), 0.0, 255.0)


def _lines() -> np.ndarray:
    """Blurs along a line, one a direction: float32 (LINE, LINE, 1, DIRECTIONS)."""
    at = np.arange(LINE) - LINE // 2
    kernels = []
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        across = at * np.sin(angle) - at[:, None] * np.cos(angle)
        along = at * np.cos(angle) + at[:, None] * np.sin(angle)
        kernel = np.clip(1 - np.abs(across), 0, 1) * (np.abs(along) <= 2.6)  # about 5 pixels long
        kernels.append(kernel / kernel.sum())
    return np.stack(kernels, axis=-1)[:, :, None].astype(np.float32)


def _smeared(images: tf.Tensor, share: float, draws: tf.Tensor) -> tf.Tensor:
    """Mixes a share of the pictures with their blur along a line, as a moving camera sees them."""
    side, edge = images.shape[1], LINE // 2
    padded = tf.pad(images, [[0, 0], [edge, edge], [edge, edge], [0, 0]], "SYMMETRIC")
    planes = tf.reshape(tf.transpose(padded, (0, 3, 1, 2)), (-1, side + 2 * edge, side + 2 * edge))
    blurred = tf.nn.conv2d(planes[..., None], _lines(), 1, "VALID")  # (n * 3, h, h, DIRECTIONS)
    blurred = tf.reshape(blurred, (-1, 3, side, side, DIRECTIONS))
    which = tf.cast(_within(draws[:, 1], 0.0, DIRECTIONS - 0.001), tf.int32)
    blurred = tf.einsum("nchwk,nk->nhwc", blurred, tf.one_hot(which, DIRECTIONS))
    weight = _within(draws[:, 2], 0.3, 1.0)[:, None, None, None] * _chosen(draws[:, 0], share)
    return images + weight * (blurred - images)


def _blurred(images: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Mixes each picture with its 3x3 binomial blur; half of the pictures stay sharp."""
    row = tf.constant([0.25, 0.5, 0.25])
    kernel = tf.tile((row[:, None] * row)[:, :, None, None], (1, 1, 3, 1))  # (3, 3, 3, 1)
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    blurred = tf.nn.depthwise_conv2d(padded, kernel, [1, 1, 1, 1], "VALID")
    return images + tf.maximum(draw, 0.0)[:, None, None] * (blurred - images)  # draw: (n, 1)


def _relit(images: tf.Tensor, contrast: tf.Tensor, brightness: tf.Tensor) -> tf.Tensor:
    """Makes each picture lighter or darker, and changes its contrast about its mean colour."""
    mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)  # (n, 1, 1, 3)
    light = tf.exp(brightness)[:, None, None, None]
    stretch = tf.exp(contrast)[:, None, None, None]
    return tf.clip_by_value(light * (mean + stretch * (images - mean)), 0.0, 255.0)


def _noisy(images: tf.Tensor, draw: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Adds Gaussian noise (n, h, h, 4), most of it grey; half of the pictures get none."""
    noise = noise[..., 3:] + 0.5 * noise[..., :3]  # (n, h, h, 3)
    deviation = tf.maximum(draw, 0.0)[:, None, None] * _deviation(images)  # (n, 1, 1, 1)
    return tf.clip_by_value(images + deviation * noise, 0.0, 255.0)


def _deviation(images: tf.Tensor) -> tf.Tensor:
    return tf.math.reduce_std(images, axis=(1, 2, 3), keepdims=True)  # (n, 1, 1, 1)


def _cosines() -> np.ndarray:
    """The orthonormal cosine transform of 8 numbers: float32 (8, 8)."""
    k, i = np.arange(8)[:, None], np.arange(8)
    matrix = np.cos(np.pi * (2 * i + 1) * k / 16) * np.where(k == 0, 0.125, 0.25) ** 0.5
    return matrix.astype(np.float32)


def _in_blocks(images: tf.Tensor, share: float, draws: tf.Tensor) -> tf.Tensor:
    """Rounds the cosine coefficients of 8x8 blocks, fine ones to coarser steps, as JPEG does."""
    blocks = images.shape[1] // 8
    cosines = np.kron(np.eye(blocks, dtype=np.float32), _cosines())  # (h, h): of all blocks at once
    steps = np.tile(8.0 + 6.0 * np.add.outer(np.arange(8), np.arange(8)), (blocks, blocks))
    planes = tf.transpose(images, (0, 3, 1, 2))  # (n, 3, h, h)
    coefficients = tf.matmul(cosines @ planes, cosines, transpose_b=True)
    coarseness = _within(draws[:, 1:], 0.5, 2.5)[:, :, None, None]
    # Dark signs keep something; the floor is there as a flat picture's steps would be 0.
    coarseness *= tf.clip_by_value(_deviation(images) / 50.0, 0.05, 1.0)
    steps = steps.astype(np.float32) * coarseness
    coarse = tf.round(coefficients / steps) * steps
    planes = tf.matmul(cosines, coarse, transpose_a=True) @ cosines
    rounded = tf.clip_by_value(tf.transpose(planes, (0, 2, 3, 1)), 0.0, 255.0)
    return images + _chosen(draws[:, 0], share) * (rounded - images)


def _poses(draws: tf.Tensor, side: int, size: tf.Tensor, ranges: Ranges, zoom: float) -> tf.Tensor:
    """Affine maps from pixels of the copy to pixels of the picture, as the warp op wants them."""
    angle = ranges.rotation * draws[:, 0]
    scale = 1.0 + ranges.scale * draws[:, 1]
    squeeze = 1.0 + ranges.scale / 2 * draws[:, 2]
    pixel = zoom * side / size  # of the copy, in pixels of the picture
    across = scale * squeeze * pixel
    if ranges.mirror:
        across *= tf.where(draws[:, 5] < 0, -1.0, 1.0)
    a, b = tf.cos(angle) * across, -tf.sin(angle) * scale * pixel
    c, d = tf.sin(angle) * across, tf.cos(angle) * scale * pixel
    # Pixel centres: the copy's middle, (size - 1) / 2, lands on the picture's, plus a shift.
    middle = (size - 1.0) / 2
    x = (side - 1) / 2 + ranges.shift * side * draws[:, 3] - (a + b) * middle
    y = (side - 1) / 2 + ranges.shift * side * draws[:, 4] - (c + d) * middle
    zero = tf.zeros_like(a)
    return tf.stack([a, b, x, c, d, y, zero, zero], axis=1)  # (n, 8)
