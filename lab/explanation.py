"""Where in a picture an answer comes from: a heat map for each picture, and drawings of them.

A head on maps is linear, so its logits are sums over the places of the picture: `contributions`
splits them, nothing is estimated. Through fc6 and fc7 that is impossible: Grad-CAM estimates it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont, ImageOps
from scipy import ndimage

import alexnet
from lab import pictures
from lab.classifier import Classifier
from lab.features import Recipe, extractor
from lab.features.batches import batches
from lab.weights import Weights

# Two colours that people with red-green blindness tell apart, from Okabe and Ito's palette, 2008.
FOR, AGAINST = (230, 159, 0), (0, 114, 178)
OPACITY = 0.85  # of the strongest colour: the picture stays visible below it
GREY = (40, 215)  # of the grey picture's pixels: both colours are seen on its black and its white
GAP = 8  # pixels between the picture and the heat map
LINE = 17  # pixels: height of a line of text
LONGEST_ANSWER = 200  # letters of a class's name: more are beyond the edge; Pillow takes a million
LONGEST = 50  # letters of a file's name that its drawing's has: file systems take 255 bytes
COLOURS = "orange: for it, blue: against, each relative to this picture's strongest place"


def heat_maps(
    classifier: Classifier, trunk: Weights, images: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Where in each picture a class comes from, by the method that suits the classifier's recipe.

    Args:
        classifier: whose answers are explained.
        trunk: the weights that it was trained on.
        images: pictures uint8 (n, h, w, 3), as `Classifier.logits` takes them.
        labels: int (n,), the class to explain for each picture, such as the predicted one.

    Returns:
        float32 (n, k, k) of `contributions`, k the recipe's grid, or (n, 13, 13) of `grad_cam`.

    Raises:
        LabError: `trunk` holds other weights.
    """
    method = grad_cam if classifier.recipe.last in alexnet.DENSE else contributions
    return method(classifier, trunk, images, labels)


def contributions(
    classifier: Classifier, trunk: Weights, images: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Splits the logits of a linear head on maps among the places of the picture.

    A constant added to all of a picture's logits changes no answer. So what is split is by how much
    the class's logit exceeds the mean of all classes' logits: why this class rather than the
    others. With b the bias: sum of the map + b[label] - mean(b) = logit[label] - mean(logits).

    Args:
        classifier, trunk, images, labels: as in `heat_maps`; the recipe's layers are maps.

    Returns:
        float32 (n, k, k), rows from top to bottom: above 0 for the class, below 0 against it.
    """
    kernel = _rather(classifier).T  # (classes, d)
    # The extractor puts each layer's (grid, grid, channels) into one row, one after the other.
    side, ends = classifier.recipe.grid, np.cumsum(classifier.recipe.widths)[:-1]
    maps: list[np.ndarray] = []
    for x in classifier.features(images, trunk):  # float16 (m, d)
        of_batch = labels[len(maps) : len(maps) + len(x)]
        layers = np.split(x.astype(np.float32) * kernel[of_batch], ends, axis=1)
        maps.extend(sum(layer.reshape(len(x), side, side, -1).sum(axis=3) for layer in layers))
    return np.stack(maps)


def grad_cam(
    classifier: Classifier, trunk: Weights, images: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Grad-CAM (Selvaraju et al., 2017) of a head on fc6 or fc7, at conv5, in float32.

    Each of conv5's channels is weighted by the logit's gradient, averaged over its places; the
    weighted sum is cut off below 0. The logit is the same as in `contributions`, less the mean of
    all classes'; the map is an estimate and has no sum to compare with it.

    Args:
        classifier, trunk, images, labels: as in `heat_maps`; the recipe's layer is fc6 or fc7.

    Returns:
        float32 (n, 13, 13), from 0.
    """
    classifier.check(trunk)
    kernel = _rather(classifier).T * classifier.recipe.scale  # the recipes of fc6, fc7 only scale
    network = alexnet.build(trunk.arrays, classifier.recipe.last, variant=classifier.variant)
    conv5 = network.get_layer("conv5")
    below = keras.Model(network.input, conv5.output)
    above = network.layers[network.layers.index(conv5) + 1 :]
    maps: list[np.ndarray] = []
    for batch in batches(images):
        weights = tf.constant(kernel[labels[len(maps) : len(maps) + len(batch)]])  # (m, 4096)
        large = extractor.enlarge(tf.constant(batch), alexnet.SIZE, classifier.variant)
        places = below(large)  # (m, 13, 13, 256)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(places)
            x = places
            for layer in above:
                x = layer(x)
            logits = tf.reduce_sum(x * weights, axis=1)  # (m,)
        importance = tf.reduce_mean(tape.gradient(logits, places), axis=(1, 2), keepdims=True)
        maps.extend(tf.nn.relu(tf.reduce_sum(importance * places, axis=3)).numpy())
    return np.stack(maps)


def _rather(classifier: Classifier) -> np.ndarray:
    """float32 (d, classes): the head's kernel, less its mean over the classes."""
    return classifier.kernel - classifier.kernel.mean(axis=1, keepdims=True)


def draw(picture: np.ndarray, heat: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Draws a picture, and beside it what `heated` makes of it.

    Args:
        picture, heat, recipe: as in `heated`.

    Returns:
        uint8 (227, 2 * 227 + GAP, 3).
    """
    gap = np.full((alexnet.SIZE, GAP, 3), 255, np.uint8)
    return np.concatenate([_large(picture), gap, heated(picture, heat, recipe)], axis=1)


def heated(picture: np.ndarray, heat: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Draws a heat map on the picture in grey: orange is for the class, blue against it.

    The colours are relative: the strongest one stands for the picture's own strongest place.

    Args:
        picture: uint8 (h, h, 3).
        heat: float (k, k), a map of `heat_maps`.
        recipe: of the classifier: which part of the picture the network was shown.

    Returns:
        uint8 (227, 227, 3).
    """
    grey = Image.fromarray(_large(picture)).convert("L")
    grey = ImageOps.autocontrast(grey, cutoff=1)  # many signs are dark
    below = np.interp(np.asarray(grey), (0, 255), GREY)[..., None]  # (227, 227, 1)
    values = _enlarge(heat, recipe)[..., None]
    strongest = np.abs(values).max() or 1.0  # a map of zeros has no colour
    opacity = OPACITY * np.abs(values) / strongest
    return pictures.to_uint8((1 - opacity) * below + opacity * np.where(values > 0, FOR, AGAINST))


def _large(picture: np.ndarray) -> np.ndarray:
    """uint8 (227, 227, 3) of a picture uint8 (h, h, 3)."""
    return pictures.to_uint8(alexnet.enlarge(picture[None])[0])


def _enlarge(heat: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Interpolates a heat map (k, k) to the picture's pixels, (227, 227): each place at its own.

    In the network's input, neighbouring places of conv5 lie 16 pixels apart, those after the last
    pooling 32, and the middle one, or the middle between two, is that of the picture.
    """
    side = len(heat)
    apart = (16 if side == 13 else 32) * recipe.zoom * alexnet.SIZE / recipe.size
    across = (np.arange(alexnet.SIZE) - alexnet.SIZE // 2) / apart + (side - 1) / 2  # in places
    # A B-spline without prefilter has no negative part: no blue ring around an orange place.
    values = ndimage.map_coordinates(
        heat, np.meshgrid(across, across, indexing="ij"), order=2, mode="nearest", prefilter=False
    )
    away = np.abs(np.arange(alexnet.SIZE) - alexnet.SIZE // 2)
    shown = away <= recipe.zoom * alexnet.SIZE / 2  # the head sees nothing beyond
    return np.where(shown[:, None] & shown, values, 0)


def write(
    folder: str | Path,
    classifier: Classifier,
    trunk: Weights,
    images: np.ndarray,
    answers: Sequence[Mapping[str, Any]],
) -> list[Path]:
    """Writes a PNG for each picture: where its likeliest class comes from, and the answer below it.

    Args:
        folder: where to; made where it is missing.
        classifier, trunk, images: as in `heat_maps`.
        answers: of these n pictures, as `lab.printed.top` gives them.

    Returns:
        The n files.

    Raises:
        LabError: they cannot be written there, or `trunk` holds other weights.
    """
    likeliest = [answer["top"][0] for answer in answers]
    labels = np.array([best["index"] for best in likeliest])
    maps = heat_maps(classifier, trunk, images, labels)
    written = []
    for number, best in enumerate(likeliest):
        # Pillow's own font has no letters beyond ASCII.
        name = best["class"] if best["class"].isascii() else f"class {best['index']}"
        name = " ".join(name[:LONGEST_ANSWER].split())
        answer = f"{best['probability']:.3f}  {name}"
        if not answers[number].get("known", True):
            answer = f"none of these {len(classifier.classes)}; nearest: {name}"
        stem = Path(answers[number]["file"]).stem[:LONGEST]
        target = Path(folder) / f"{number}-{stem}.png"
        drawing = draw(images[number], maps[number], classifier.recipe)
        pictures.write_png(target, _with_text(drawing, answer))
        written.append(target)
    return written


def _with_text(drawing: np.ndarray, answer: str) -> np.ndarray:
    """A drawing uint8 (h, w, 3) with the answer and what the colours mean below it."""
    image = ImageOps.expand(Image.fromarray(drawing), (0, 0, 0, 2 * LINE), "white")
    text, font = ImageDraw.Draw(image).text, ImageFont.load_default(LINE - 4)
    text((4, len(drawing)), answer, "black", font)
    text((4, len(drawing) + LINE), COLOURS, "dimgrey", font)
    return np.asarray(image)
