"""Heat maps: what they sum up to, what NumPy makes of them, where they lie; their drawings."""

import numpy as np
import pytest
from PIL import Image

import alexnet
from lab import explanation, weights
from lab.classifier import Classifier
from lab.errors import LabError
from lab.explanation import AGAINST, FOR, GAP, draw
from lab.features import RECIPES, Recipe
from lab.printed import top
from lab.training import whole_network

CLASSES = ["one", "two", "three"]
SIDE = alexnet.SIZE
RECIPE = RECIPES["conv4"]
ZOOMED = Recipe("zoomed", ("pool5",), power=1.0, zoom=0.7, size=163)


def read(arrays, folder):
    """Weights as they are when they have been read from a file."""
    weights.save(folder / "w.npz", arrays)
    return weights.read(folder / "w.npz")


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    """Random weights of conv1 to conv5."""
    return read(whole_network.random_arrays(0), tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def dense_trunk(tmp_path_factory):
    """The same with fc6 and fc7, of which 60 units are alive: little to multiply in NumPy."""
    arrays, generator = whole_network.random_arrays(0), np.random.default_rng(3)
    for name, inputs in (("fc6", 9216), ("fc7", 60)):
        kernel, bias = np.zeros(alexnet.DENSE[name], np.float32), np.zeros(4096, np.float32)
        kernel[:inputs, :60] = generator.normal(0, inputs**-0.5, (inputs, 60))
        bias[:60] = generator.normal(0, 0.1, 60)
        arrays[name] = kernel, bias
    return read(arrays, tmp_path_factory.mktemp("weights"))


def made(trunk, recipe, variant="caffe"):
    """A head of random numbers, whose bias is no small part of its logits."""
    recipe = RECIPES[recipe] if isinstance(recipe, str) else recipe
    generator, width = np.random.default_rng(0), recipe.width
    kernel = generator.normal(0.02, 0.02, (width, 3)).astype(np.float32)
    bias = generator.normal(0, 3, 3).astype(np.float32)
    return Classifier(kernel, bias, CLASSES, recipe, variant, trunk.sha256)


@pytest.fixture(scope="module")
def images():
    """Pictures of noise, of different light."""
    generator = np.random.default_rng(1)
    return generator.integers(0, [[[[60]]], [[[150]]], [[[256]]]], (3, 32, 32, 3), np.uint8)


LABELS = np.array([2, 0, 1])


@pytest.mark.parametrize("recipe", ["pool5", "conv4", "conv3+conv4", "best", "pool5-raw"])
def test_contributions_add_up_to_the_logit(trunk, images, recipe):
    """With the bias, and less the mean of all classes, to 1e-4: for one layer and for two."""
    classifier = made(trunk, recipe)
    maps = explanation.heat_maps(classifier, trunk, images, LABELS)
    logits, bias = classifier.logits(images, trunk), classifier.bias
    sums = maps.sum(axis=(1, 2), dtype=np.float64) + bias[LABELS] - bias.mean()
    np.testing.assert_allclose(sums, logits[range(3), LABELS] - logits.mean(axis=1), atol=1e-4)
    assert (maps.shape, maps.dtype) == ((3, 6, 6), np.float32)
    assert np.ptp(maps, axis=(1, 2)).min() > 1e-3
    again = explanation.heat_maps(classifier, trunk, images, LABELS)
    np.testing.assert_array_equal(maps, again)


def test_contributions_written_out(trunk, images):
    """Each place of two layers of unit length, by the features' order, one number at a time."""
    classifier = made(trunk, "best")
    maps = explanation.contributions(classifier, trunk, images, LABELS)
    (features,) = classifier.features(images, trunk)
    kernel = classifier.kernel.astype(np.float64)
    for n, row, column in ((0, 0, 0), (1, 2, 5), (2, 5, 1)):
        total = 0.0
        for layer in range(2):  # conv3 and conv4, 384 channels each
            for channel in range(384):
                i = layer * 6 * 6 * 384 + (row * 6 + column) * 384 + channel
                total += features[n, i] * (kernel[i, LABELS[n]] - kernel[i].mean())
        assert maps[n, row, column] == pytest.approx(total, abs=1e-4)


def test_more_pictures_than_a_batch(trunk):
    """Each picture is explained for its own class."""
    images = np.random.default_rng(2).integers(0, 256, (129, 32, 32, 3), np.uint8)
    labels, classifier = (np.arange(129) + 1) % 3, made(trunk, "pool5")
    maps = explanation.contributions(classifier, trunk, images, labels)
    last = explanation.contributions(classifier, trunk, images[-1:], labels[-1:])
    np.testing.assert_allclose(maps[-1:], last, atol=1e-4)


@pytest.mark.parametrize("recipe", [RECIPES["conv4"], RECIPES["pool5"], ZOOMED])
def test_a_white_spot_lights_up_where_it_is(tmp_path, recipe):
    """Not transposed and not mirrored, in the map and in the drawing: all else is exactly black."""
    arrays = whole_network.random_arrays(0)
    for kernel, bias in arrays.values():  # each filter is the mean of its channels at its middle
        kernel[:], bias[:] = 0, 0
        kernel[kernel.shape[0] // 2, kernel.shape[1] // 2] = 1 / kernel.shape[2]
    trunk = read(arrays, tmp_path)
    classifier = made(trunk, recipe, variant="lab")  # without a mean, black is 0 in every layer
    classifier.kernel = np.zeros_like(classifier.kernel)
    classifier.kernel[:, 1] = 1
    image = np.zeros((32, 32, 3), np.uint8)
    image[4:9, 22:27] = 255  # its middle: row 6.5 of 32 and column 24.5, pixels 46 and 174 of 227
    (heat,) = explanation.heat_maps(classifier, trunk, image[None], np.array([1]))
    rows, columns = np.nonzero(heat)  # pooling spreads it to the nearest places, 32 pixels apart
    if recipe != ZOOMED:
        assert (set(rows), set(columns)) == ({0, 1}, {3, 4, 5})
    drawn = draw(image, heat, recipe)[:, -SIDE:].astype(int)
    orange = drawn[..., 0] - drawn[..., 2]  # red less blue: 0 where it is grey
    middle = [np.average(np.arange(SIDE), weights=orange.sum(axis=1 - axis)) for axis in (0, 1)]
    # A quarter of the step between places; where the map ends beside the spot, some of it is cut.
    np.testing.assert_allclose(middle, (46, 174), atol=24 if recipe == ZOOMED else 8)
    outside = np.abs(np.arange(SIDE) - SIDE // 2) > recipe.zoom * SIDE / 2
    assert not orange[outside].any() and not orange[:, outside].any()


def pooled(conv5):
    """(6, 6, ...) of (13, 13, ...): the largest of 3x3, every two places."""
    windows = np.lib.stride_tricks.sliding_window_view(conv5, (3, 3), axis=(0, 1))
    return windows[::2, ::2].max(axis=(-2, -1))


@pytest.mark.parametrize("recipe", ["fc6", "fc7"])
def test_grad_cam_by_finite_differences(dense_trunk, images, recipe):
    """The mean gradient of a channel is what the logit gains when all of the channel gains."""
    classifier = made(dense_trunk, recipe)
    network = alexnet.build(dense_trunk.arrays, "conv5")
    conv5 = network(alexnet.enlarge(images)).numpy().astype(np.float64)
    layers = [dense_trunk.arrays[name] for name in ("fc6", "fc7") if name <= recipe]
    layers = [(kernel[:, :60].astype(np.float64), bias[:60]) for kernel, bias in layers]
    head = classifier.kernel[:60] - classifier.kernel[:60].mean(axis=1, keepdims=True)

    maps = explanation.heat_maps(classifier, dense_trunk, images, LABELS)
    assert maps.shape == (3, 13, 13) and maps.min() >= 0
    for n in (0, 2):
        x = np.stack([pooled(conv5[n])] * 257)  # the last as it is
        for channel in range(256):
            x[channel, ..., channel] = pooled(conv5[n][..., channel] + 1e-5)
        x = x.reshape(257, 9216)
        for kernel, bias in layers:
            x = np.maximum(x @ kernel[: x.shape[1]] + bias, 0)
        logits = x @ head[:, LABELS[n]]
        gains = (logits[:256] - logits[256]) / 1e-5
        wanted = np.maximum(conv5[n] @ (gains / 169), 0)  # a gain of all is the sum over 13 x 13
        assert wanted.max() > 0
        np.testing.assert_allclose(maps[n], wanted, atol=1e-3 * wanted.max())


@pytest.mark.parametrize("name", ["fc6", "fc7"])
def test_dense_recipes_only_scale(name):
    """That is all that Grad-CAM does between the layer and the head."""
    recipe = RECIPES[name]
    assert (recipe.layers, recipe.power, recipe.unit) == ((name,), 1.0, False)
    assert not recipe.contrast


def test_other_weights_are_refused(trunk, dense_trunk, images):
    """By either method."""
    for recipe, other in (("conv4", dense_trunk), ("fc6", trunk)):
        own = trunk if other is dense_trunk else dense_trunk
        with pytest.raises(LabError, match="expected the weights that this classifier"):
            explanation.heat_maps(made(own, recipe), other, images, LABELS)


@pytest.mark.parametrize("size", [32, SIDE])
def test_drawing(size):
    """The picture itself on the left; on the right orange for, blue against, grey elsewhere."""
    picture = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    heat = np.zeros((6, 6), np.float32)
    heat[1, 4], heat[4, 1] = 2, -2
    before = picture.copy(), heat.copy()
    drawn = draw(picture, heat, RECIPE)
    np.testing.assert_array_equal(picture, before[0])
    np.testing.assert_array_equal(heat, before[1])
    assert (drawn.shape, drawn.dtype) == ((SIDE, 2 * SIDE + GAP, 3), np.uint8)
    large = alexnet.enlarge(picture[None])[0]
    np.testing.assert_allclose(drawn[:, :SIDE], large, atol=0.51)
    heated = drawn[:, -SIDE:].astype(int)
    above, below = heated[65, 161], heated[161, 65]  # the places' middles: 33 + 32 k
    assert np.abs(above - FOR).max() < 40 and np.abs(below - AGAINST).max() < 40
    assert np.ptp(heated[65, 65]) == 0 and np.ptp(heated[161, 161]) == 0  # grey
    np.testing.assert_array_equal(
        draw(picture, heat / 1000, RECIPE), drawn
    )  # the colours are relative


@pytest.mark.parametrize("value", [0.0, 3.0, -3.0])
def test_a_flat_map(value):
    """No place differs: one colour all over, or none; also of a picture of one colour."""
    drawn = draw(np.full((32, 32, 3), 90, np.uint8), np.full((13, 13), value, np.float32), RECIPE)
    heated = drawn[:, -SIDE:].astype(int)
    assert (heated == heated[0, 0]).all()
    red, _, blue = heated[0, 0]
    assert np.sign(red - blue) == np.sign(value)


def test_files_are_named_by_number_and_stem(trunk, images, tmp_path):
    """One PNG a picture: the drawing for its likeliest class, and text that tells the answer."""
    classifier = made(trunk, "pool5")
    paths = [tmp_path / "a" / "stop.ppm", tmp_path / "b" / "stop.ppm", tmp_path / "x.y.png"]
    names = ["Stop", "停", "line\nbreak " + 300 * "long"]
    probabilities = np.array([[0.9, 0.1, 0], [0.1, 0.9, 0], [0, 0, 1]])
    answers = top(probabilities, names, 2, paths)
    explanation.write(tmp_path / "new" / "why", classifier, trunk, images, answers)
    found = sorted(path.name for path in (tmp_path / "new" / "why").iterdir())
    assert found == ["0-stop.png", "1-stop.png", "2-x.y.png"]
    written = [np.asarray(Image.open(tmp_path / "new" / "why" / name)) for name in found]
    maps = explanation.heat_maps(classifier, trunk, images, np.arange(3))
    for picture, image, heat in zip(written, images, maps, strict=True):
        assert picture.shape == (SIDE + 34, 2 * SIDE + GAP, 3)
        np.testing.assert_array_equal(picture[:SIDE], draw(image, heat, RECIPE))
    answer = [picture[SIDE : SIDE + 17] for picture in written]
    assert answer[0].min() < 100 and (answer[0] != answer[1]).any()
    other = top(probabilities, ["Stop", "class 1", names[2]], 1, paths)  # no letters for 停
    explanation.write(tmp_path / "other", classifier, trunk, images, other)
    np.testing.assert_array_equal(Image.open(tmp_path / "other" / "1-stop.png"), written[1])


def test_a_folder_that_cannot_be_written(trunk, images, tmp_path):
    """In one line that names it."""
    (tmp_path / "file").write_text("")
    answers = top(np.eye(3), CLASSES, 1, [tmp_path / "a.png"] * 3)
    with pytest.raises(LabError, match=r"file.*cannot be written"):
        explanation.write(tmp_path / "file", made(trunk, "pool5"), trunk, images, answers)
