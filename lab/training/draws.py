"""Random numbers for the copies of pictures: one row a picture, wherever it is copied."""

from collections.abc import Callable

import tensorflow as tf

Rows = tuple[tf.Tensor | int, tf.Tensor | int, tf.Tensor | int]  # first, how many, of how many


def part_of_batch(
    draw: Callable[..., tf.Tensor],
    rows: Rows,
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


def chosen(draw: tf.Tensor, share: float) -> tf.Tensor:
    """1 for a share of the copies, 0 for the others, by a draw (n,) of -1 to 1: (n, 1, 1, 1)."""
    return tf.cast(draw < 2 * share - 1, tf.float32)[:, None, None, None]


def within(draw: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """A draw of -1 to 1 as one of `low` to `high`."""
    return low + (high - low) * (draw + 1) / 2


def dropped(x: tf.Tensor, share: float, rows: Rows, seed: tf.Tensor) -> tf.Tensor:
    """Dropout: a share of each row's numbers is 0, the others are larger by as much.

    Others of the batch are dropped elsewhere, so no Keras layer can count them.

    Args:
        x: float32 (n, d).
        share: from 0, less than 1.
        rows, seed: as in `part_of_batch`.
    """
    draws = part_of_batch(tf.random.stateless_uniform, rows, x.shape[1:], seed)
    return tf.where(draws < share, 0.0, x / (1 - share))
