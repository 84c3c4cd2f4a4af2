"""What cameras, weather and files do to pictures, against NumPy, SciPy and plain counting."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from lab.drawn_signs import photographs
from lab.training import dirt

SEED = tf.constant([0, 7])


@pytest.fixture(scope="module")
def images():
    """Rendered signs: float32 (40, 32, 32, 3)."""
    return photographs.signs(40, seed=1)[0].astype(np.float32)


def draws(*columns, n=40):
    """Draws of -1 to 1, each column the same for all pictures."""
    return tf.constant(np.tile(np.float32(columns), (n, 1)))


ALL = -1.0  # a draw that chooses a picture at every share above 0


def every(n):
    """A whole batch."""
    return 0, n, n


def test_nothing_is_done_to_the_others(images):
    """A draw of 1 is outside every share below 1: the pictures stay, to the bit."""
    rows, none = every(40), draws(1.0, 0.3, 0.3)
    for changed in (
        dirt.smeared(images, 0.9, none),
        dirt.defocused(images, 0.9, none),
        dirt.hazy(images, 0.9, none, rows, SEED),
        dirt.peppered(images, 0.9, none, rows, SEED),
        dirt.coarse(images, 0.9, none),
        dirt.in_blocks(images, 0.9, draws(1.0, 0.3)),
        dirt.noisy(images, 0.9, draws(-0.5), rows, SEED),
        dirt.blurred(images, draws(-0.5)),
    ):
        np.testing.assert_array_equal(changed, images)


@pytest.mark.parametrize("number", range(len(dirt.DISCS)))
def test_a_lens_out_of_focus(images, number):
    """A disc, as SciPy convolves with it."""
    where = -1 + 2 * (number + 0.5) / len(dirt.DISCS)
    changed = dirt.defocused(images, 1.0, draws(ALL, where, -0.5)).numpy()
    wanted = ndimage.convolve(
        images, dirt.discs()[:, :, 0, number][None, ..., None], mode="reflect"
    )
    np.testing.assert_allclose(changed, wanted, atol=0.01)
    radius = np.hypot(*np.indices((11, 11)) - 5)
    kernel = dirt.discs()[:, :, 0, number]
    assert kernel[radius < dirt.DISCS[number] - 0.5].min() > 0.9 * kernel.max()
    assert kernel[radius > dirt.DISCS[number] + 0.5].max() == 0


def test_a_fast_camera_smears_along_a_line(images):
    """Level with the picture at the first angle: SciPy's mean of the pixels in a row."""
    changed = dirt.defocused(images, 1.0, draws(ALL, -1.0, 0.5)).numpy()
    wanted = ndimage.uniform_filter1d(images, 13, axis=2, mode="reflect")
    assert np.abs(changed - wanted).max() < 0.01
    middle = dirt._by_one_of(images, dirt.lines(dirt.LONG), draws(0.1)[:, 0]).numpy()
    wanted = ndimage.uniform_filter1d(images, 13, axis=1, mode="reflect")  # upright
    assert np.abs(middle - wanted).max() < 0.01


def test_clouds_cover_at_most_what_they_may(images):
    """At the strongest, a quarter of each pixel stays; clouds are grey, and broad before fine."""
    flat = np.full((40, 32, 32, 3), 100, np.float32)
    changed = dirt.hazy(flat, 1.0, draws(ALL, 1.0, 1.0), every(40), SEED).numpy()
    assert changed.min() > 24.9 and changed.max() < 100.1
    assert np.ptp(changed, axis=3).max() < 1e-3
    clouds = changed[..., 0]
    near = np.corrcoef(clouds[:, :, 1:].ravel(), clouds[:, :, :-1].ravel())[0, 1]
    far = np.corrcoef(clouds[:, :, 16:].ravel(), clouds[:, :, :-16].ravel())[0, 1]
    assert near > 0.9 and far < 0.3
    assert len(np.unique(clouds.mean(axis=(1, 2)))) == 40
    strong = dirt.hazy(images, 1.0, draws(ALL, 1.0, 1.0), every(40), SEED).numpy()
    assert (strong <= images.max(axis=(1, 2, 3), keepdims=True) + 0.01).all()


def test_noise_is_as_strong_as_asked():
    """Of half the picture's own deviation: grey noise of 1 and coloured of 0.5 of it."""
    images = np.random.default_rng(0).normal(128, 10, (40, 32, 32, 3)).astype(np.float32)
    added = dirt.noisy(images, 1.0, draws(0.5), every(40), SEED).numpy() - images
    assert added.std() == pytest.approx(0.5 * 10 * np.hypot(1, 0.5), rel=0.03)
    assert np.corrcoef(added[..., 0].ravel(), added[..., 1].ravel())[0, 1] == pytest.approx(
        1 / 1.25, abs=0.03
    )


def test_pepper_hits_as_many_as_asked():
    """An eighth of the numbers; half of them black, the others very light."""
    images = np.full((40, 32, 32, 3), 100, np.float32)
    changed = dirt.peppered(images, 1.0, draws(ALL, 0.0), every(40), SEED).numpy()
    assert set(np.unique(changed)) == {0, 100, 150}
    assert np.mean(changed == 0) == pytest.approx(1 / 16, abs=0.005)
    assert np.mean(changed == 150) == pytest.approx(1 / 16, abs=0.005)


@pytest.mark.parametrize(("where", "side"), [(-0.9, 2), (0.9, 4)])
def test_coarse_pixels_are_means(images, where, side):
    """NumPy's means of blocks of 2x2 and 4x4 pixels."""
    changed = dirt.coarse(images, 1.0, draws(ALL, where)).numpy()
    n = 32 // side
    means = images.reshape(40, n, side, n, side, 3).mean(axis=(2, 4))
    wanted = means.repeat(side, axis=1).repeat(side, axis=2)
    np.testing.assert_allclose(changed, wanted, atol=0.01)
