"""What cameras, weather and files do to pictures: smear, blur, haze, noise, coarse pixels, blocks.

Each takes float32 pictures (n, h, h, 3), 0 to 255, h static, and draws of -1 to 1, one row a
picture, and gives pictures of the same shape.
"""

import numpy as np
import tensorflow as tf

from lab.training.draws import Rows, chosen, part_of_batch, within

DIRECTIONS = 8  # of the motion blur: how many angles
SHORT, LONG = 5.2, 12.2  # pixels of 32 that a line is long
DISCS = 1.5, 2.5, 3.5, 4.5  # radii, likewise
OCTAVES = 3, 6, 12, 24  # sides of the noise that clouds are made of, from broad to fine


def lines(length: float) -> np.ndarray:
    """Blurs along a line, one a direction: float32 (k, k, 1, DIRECTIONS)."""
    half = int(length / 2) + 1
    at = np.arange(-half, half + 1)
    kernels = []
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        across = at * np.sin(angle) - at[:, None] * np.cos(angle)
        along = at * np.cos(angle) + at[:, None] * np.sin(angle)
        kernel = np.clip(1 - np.abs(across), 0, 1) * (np.abs(along) <= length / 2)
        kernels.append(kernel / kernel.sum())
    return np.stack(kernels, axis=-1)[:, :, None].astype(np.float32)


def discs() -> np.ndarray:
    """Blurs of a lens out of focus, one a radius: float32 (k, k, 1, len(DISCS))."""
    at = np.arange(-int(max(DISCS)) - 1, int(max(DISCS)) + 2)
    radius = np.hypot(at[:, None], at)
    kernels = [np.clip(0.5 + each - radius, 0, 1) for each in DISCS]
    kernels = [kernel / kernel.sum() for kernel in kernels]
    return np.stack(kernels, axis=-1)[:, :, None].astype(np.float32)


def _by_one_of(images: tf.Tensor, kernels: np.ndarray, draw: tf.Tensor) -> tf.Tensor:
    """Each picture under one of the blurs (k, k, 1, m), by a draw (n,)."""
    side, edge, count = images.shape[1], kernels.shape[0] // 2, kernels.shape[-1]
    padded = tf.pad(images, [[0, 0], [edge, edge], [edge, edge], [0, 0]], "SYMMETRIC")
    planes = tf.reshape(tf.transpose(padded, (0, 3, 1, 2)), (-1, side + 2 * edge, side + 2 * edge))
    blurred = tf.nn.conv2d(planes[..., None], kernels, 1, "VALID")  # (n * 3, h, h, m)
    blurred = tf.reshape(blurred, (-1, 3, side, side, count))
    which = tf.cast(within(draw, 0.0, count - 0.001), tf.int32)
    return tf.einsum("nchwk,nk->nhwc", blurred, tf.one_hot(which, count))


def smeared(images: tf.Tensor, share: float, draws: tf.Tensor) -> tf.Tensor:
    """Mixes a share of the pictures with their blur along a line, as a moving camera sees them."""
    blurred = _by_one_of(images, lines(SHORT), draws[:, 1])
    weight = within(draws[:, 2], 0.3, 1.0)[:, None, None, None] * chosen(draws[:, 0], share)
    return images + weight * (blurred - images)


def defocused(images: tf.Tensor, share: float, draws: tf.Tensor) -> tf.Tensor:
    """Puts a share of the pictures out of focus, half of them; the others move far."""
    disc, line = (_by_one_of(images, k, draws[:, 1]) for k in (discs(), lines(LONG)))
    blurred = tf.where(draws[:, 2, None, None, None] < 0, disc, line)
    return images + chosen(draws[:, 0], share) * (blurred - images)


def blurred(images: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Mixes each picture with its 3x3 binomial blur; half of the pictures stay sharp."""
    row = tf.constant([0.25, 0.5, 0.25])
    kernel = tf.tile((row[:, None] * row)[:, :, None, None], (1, 1, 3, 1))  # (3, 3, 3, 1)
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    soft = tf.nn.depthwise_conv2d(padded, kernel, [1, 1, 1, 1], "VALID")
    return images + tf.maximum(draw, 0.0)[:, None, None] * (soft - images)  # draw: (n, 1)


def hazy(
    images: tf.Tensor, share: float, draws: tf.Tensor, rows: Rows, seed: tf.Tensor
) -> tf.Tensor:
    """Lays clouds before a share of the pictures, as fog and a frosted lens do."""
    side = images.shape[1]
    cloud = tf.zeros_like(images[..., :1])  # (n, h, h, 1)
    for octave, own in zip(OCTAVES, tf.unstack(tf.random.split(seed, len(OCTAVES))), strict=True):
        noise = part_of_batch(tf.random.stateless_normal, rows, (octave, octave, 1), own)
        cloud += tf.image.resize(noise, (side, side), "bicubic") * OCTAVES[0] / octave
    cloud -= tf.reduce_min(cloud, axis=(1, 2, 3), keepdims=True)
    cloud /= tf.reduce_max(cloud, axis=(1, 2, 3), keepdims=True)  # 0 to 1
    # Fog at its strongest leaves a quarter of the light that the sign sends.
    cover = within(draws[:, 1], 0.2, 0.75)[:, None, None, None] * chosen(draws[:, 0], share)
    light = within(draws[:, 2], 0.6, 1.0)[:, None, None, None] * _lightest(images)
    return images + cover * (light * cloud - images)


def noisy(
    images: tf.Tensor, noise: float, draw: tf.Tensor, rows: Rows, seed: tf.Tensor
) -> tf.Tensor:
    """Adds Gaussian noise, most of it grey; half of the pictures get none."""
    drawn = part_of_batch(tf.random.stateless_normal, rows, (*images.shape[1:3], 4), seed)
    drawn = drawn[..., 3:] + 0.5 * drawn[..., :3]  # (n, h, h, 3)
    deviation = tf.maximum(noise * draw, 0.0)[:, None, None] * _deviation(images)  # (n, 1, 1, 1)
    return tf.clip_by_value(images + deviation * drawn, 0.0, 255.0)


def peppered(
    images: tf.Tensor, share: float, draws: tf.Tensor, rows: Rows, seed: tf.Tensor
) -> tf.Tensor:
    """In a share of the pictures, up to a quarter of the numbers become 0 or very light."""
    drawn = part_of_batch(tf.random.stateless_uniform, rows, images.shape[1:], seed)
    hit = within(draws[:, 1], 0.0, 0.25)[:, None, None, None] * chosen(draws[:, 0], share)
    images = tf.where(drawn < hit / 2, 0.0, images)
    return tf.where(drawn > 1 - hit / 2, tf.minimum(1.5 * _lightest(images), 255.0), images)


def coarse(images: tf.Tensor, share: float, draws: tf.Tensor) -> tf.Tensor:
    """Shows a share of the pictures with 1/2 to 1/4 of their pixels a side, as from afar."""
    side = images.shape[1]
    fewer = [
        tf.image.resize(tf.image.resize(images, 2 * (pixels,), "area"), (side, side), "nearest")
        for pixels in (side // 2, side // 3, side // 4)
    ]
    which = tf.one_hot(tf.cast(within(draws[:, 1], 0.0, len(fewer) - 0.001), tf.int32), len(fewer))
    blocks = tf.einsum("knhwc,nk->nhwc", tf.stack(fewer), which)
    return images + chosen(draws[:, 0], share) * (blocks - images)


def _lightest(images: tf.Tensor) -> tf.Tensor:
    return tf.reduce_max(images, axis=(1, 2, 3), keepdims=True)  # (n, 1, 1, 1)


def _deviation(images: tf.Tensor) -> tf.Tensor:
    return tf.math.reduce_std(images, axis=(1, 2, 3), keepdims=True)  # (n, 1, 1, 1)


def _cosines() -> np.ndarray:
    """The orthonormal cosine transform of 8 numbers: float32 (8, 8)."""
    k, i = np.arange(8)[:, None], np.arange(8)
    matrix = np.cos(np.pi * (2 * i + 1) * k / 16) * np.where(k == 0, 0.125, 0.25) ** 0.5
    return matrix.astype(np.float32)


def in_blocks(images: tf.Tensor, share: float, draws: tf.Tensor) -> tf.Tensor:
    """Rounds the cosine coefficients of 8x8 blocks, fine ones to coarser steps, as JPEG does."""
    blocks = images.shape[1] // 8
    cosines = np.kron(np.eye(blocks, dtype=np.float32), _cosines())  # (h, h): of all blocks at once
    steps = np.tile(8.0 + 6.0 * np.add.outer(np.arange(8), np.arange(8)), (blocks, blocks))
    planes = tf.transpose(images, (0, 3, 1, 2))  # (n, 3, h, h)
    coefficients = tf.matmul(cosines @ planes, cosines, transpose_b=True)
    coarseness = within(draws[:, 1:], 0.5, 2.5)[:, :, None, None]
    # Dark signs keep something; the floor is there as a flat picture's steps would be 0.
    coarseness *= tf.clip_by_value(_deviation(images) / 50.0, 0.05, 1.0)
    steps = steps.astype(np.float32) * coarseness
    rounded = tf.round(coefficients / steps) * steps
    planes = tf.matmul(cosines, rounded, transpose_a=True) @ cosines
    rounded = tf.clip_by_value(tf.transpose(planes, (0, 2, 3, 1)), 0.0, 255.0)
    return images + chosen(draws[:, 0], share) * (rounded - images)
