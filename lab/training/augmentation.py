"""Random copies of pictures that mean the same: moved, recoloured, relit, blurred, with noise.

The order is the light's: first what is painted on a sign, then how it is lit, then what camera and
file add. Even contrast comes after all of that, as for a picture that is to be named, and the move
last, as it enlarges.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from lab.features import NETWORK, Recipe, extractor
from lab.training import dirt
from lab.training.draws import Rows, chosen, part_of_batch, within
from lab.training.plans import Ranges

# Luma and two differences of colour of red, green and blue, as in television's YIQ: turning the
# differences turns the hue.
YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], np.float32)
RGB = np.linalg.inv(YIQ).astype(np.float32)


def augment(
    images: tf.Tensor,
    size: int,
    seed: tf.Tensor,
    ranges: Ranges,
    recipe: Recipe,
    first: tf.Tensor | int = 0,
    batch: int | None = None,
    turned: tf.Tensor | None = None,
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
        turned: bool tensor (n,), which copies are mirror images; None: none are.

    Returns:
        float32 tensor (n, size, size, 3), 0 to 255.
    """
    seeds = tf.random.split(seed, 2)
    n = tf.shape(images)[0]
    rows = first, n, n if batch is None else batch
    draws = part_of_batch(tf.random.stateless_uniform, rows, (26,), seeds[0], -1.0, 1.0)
    ground, colour, motion, blur, light, noise, jpeg, pose = tf.split(
        draws, [5, 6, 3, 1, 2, 1, 2, 6], axis=1
    )  # of the pose, five are used: with fewer, a seed's other draws would be other ones
    images = tf.cast(images, tf.float32)
    if ranges.ground:
        images = _painted(images, ranges.ground, ground)
    if ranges.gains or ranges.saturation or ranges.hue or ranges.grey:
        images = _recoloured(images, ranges, colour)
    if ranges.motion:
        images = dirt.smeared(images, ranges.motion, motion)
    images = dirt.blurred(images, ranges.blur * blur)
    images = _relit(images, ranges.contrast * light[:, 0], ranges.brightness * light[:, 1])
    if ranges.noise:
        images = dirt.noisy(images, ranges.noise, noise, rows, seeds[1])
    images = _dirty(images, ranges, rows, seed)
    if ranges.jpeg:
        images = dirt.in_blocks(images, ranges.jpeg, jpeg)
    if recipe.contrast:
        images = extractor.even(images)
    if turned is not None:
        images = tf.where(turned[:, None, None, None], images[:, :, ::-1], images)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=_poses(pose, images.shape[1], tf.cast(size, tf.float32), ranges, recipe.zoom),
        output_shape=[size, size],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def mirrored(
    labels: tf.Tensor, mirrors: Sequence[int], rows: Rows, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws which copies are mirror images, and says what these show.

    Args:
        labels: int64 tensor (n,).
        mirrors: for each class, the class of its mirror images, or -1; empty: no copy is mirrored.
        rows, seed: as in `draws.part_of_batch`.

    Returns:
        Bool tensor (n,): half of the copies whose class has a mirror image; int64 tensor (n,): the
        class of each copy.
    """
    if not mirrors:
        return tf.zeros_like(labels, tf.bool), labels
    seed = tf.random.experimental.stateless_fold_in(seed, 3)
    draws = part_of_batch(tf.random.stateless_uniform, rows, (), seed)  # (n,), 0 to 1
    images = tf.gather(tf.constant(mirrors, labels.dtype), labels)
    turned = (draws < 0.5) & (images >= 0)
    return turned, tf.where(turned, images, labels)


def as_pictures(images: tf.Tensor, seed: tuple[int, int] | tf.Tensor, ranges: Ranges) -> tf.Tensor:
    """One random copy of each picture, as large as the picture and as a file would hold it.

    In a dark picture, a file's rounding is most of the noise.

    Args:
        images, seed, ranges: as in `augment`.

    Returns:
        uint8 tensor (n, h, h, 3).
    """
    recipe = replace(NETWORK, contrast=False, zoom=1.0)
    copies = augment(images, images.shape[1], tf.convert_to_tensor(seed), ranges, recipe)
    return tf.cast(tf.round(tf.clip_by_value(copies, 0.0, 255.0)), tf.uint8)


def _dirty(images: tf.Tensor, ranges: Ranges, rows: Rows, seed: tf.Tensor) -> tf.Tensor:
    """Adds what only few trainings have; none of it changes the other draws of a seed."""
    seeds = tf.unstack(tf.random.split(tf.random.experimental.stateless_fold_in(seed, 2), 3))
    draws = part_of_batch(tf.random.stateless_uniform, rows, (10,), seeds[0], -1.0, 1.0)
    focus, haze, pepper, pixels = tf.split(draws, [3, 3, 2, 2], axis=1)
    if ranges.defocus:
        images = dirt.defocused(images, ranges.defocus, focus)
    if ranges.haze:
        images = dirt.hazy(images, ranges.haze, haze, rows, seeds[1])
    if ranges.pepper:
        images = dirt.peppered(images, ranges.pepper, pepper, rows, seeds[2])
    if ranges.coarse:
        images = dirt.coarse(images, ranges.coarse, pixels)
    return images


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
    mask = (mask * disc.astype(np.float32))[..., None] * chosen(draws[:, 0], share)

    red, green, blue = draws[:, 1], draws[:, 2], draws[:, 3]
    yellow = [within(red, 0.8, 1.0), within(green, 0.65, 1.0), within(blue, 0.05, 0.6)]
    other = within(draws[:, 1:4], 0.4, 1.0)
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


def _relit(images: tf.Tensor, contrast: tf.Tensor, brightness: tf.Tensor) -> tf.Tensor:
    """Makes each picture lighter or darker, and changes its contrast about its mean colour."""
    mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)  # (n, 1, 1, 3)
    light = tf.exp(brightness)[:, None, None, None]
    stretch = tf.exp(contrast)[:, None, None, None]
    return tf.clip_by_value(light * (mean + stretch * (images - mean)), 0.0, 255.0)


def _poses(draws: tf.Tensor, side: int, size: tf.Tensor, ranges: Ranges, zoom: float) -> tf.Tensor:
    """Affine maps from pixels of the copy to pixels of the picture, as the warp op wants them."""
    angle = ranges.rotation * draws[:, 0]
    scale = 1.0 + ranges.scale * draws[:, 1]
    squeeze = 1.0 + ranges.scale / 2 * draws[:, 2]
    pixel = zoom * side / size  # of the copy, in pixels of the picture
    across = scale * squeeze * pixel
    a, b = tf.cos(angle) * across, -tf.sin(angle) * scale * pixel
    c, d = tf.sin(angle) * across, tf.cos(angle) * scale * pixel
    # Pixel centres: the copy's middle, (size - 1) / 2, lands on the picture's, plus a shift.
    middle = (size - 1.0) / 2
    x = (side - 1) / 2 + ranges.shift * side * draws[:, 3] - (a + b) * middle
    y = (side - 1) / 2 + ranges.shift * side * draws[:, 4] - (c + d) * middle
    zero = tf.zeros_like(a)
    return tf.stack([a, b, x, c, d, y, zero, zero], axis=1)  # (n, 8)
