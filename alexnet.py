"""BVLC AlexNet as a Keras model, every layer named, built from arrays or loaded from a file.

    import alexnet
    model = alexnet.load("bvlc-alexnet.npy")                 # RGB pictures -> 1000 probabilities
    model = alexnet.load("bvlc-alexnet.npy", until="conv5")  # ... -> features of a layer, by name

This is the network of Caffe's `bvlc_alexnet/deploy.prototxt`: the AlexNet of Krizhevsky, Sutskever
and Hinton (2012), trained without their relighting of the training pictures. Normalisation comes
before pooling, as in the prototxt. torchvision's AlexNet is another network, the one-column version
of 2014. Keras and TensorFlow take seconds to import: that waits until a network is built.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lab import pictures, weights
from lab.errors import LabError
from lab.pictures import SIZE, photograph

if TYPE_CHECKING:
    import keras

__all__ = [
    "CONVOLUTIONS", "DENSE", "LAYERS", "MEAN_BGR", "PICTURE_SCALE", "PRECISIONS", "SHAPES", "SIZE",
    "VARIANTS", "Conv", "Variant", "build", "centred", "enlarge", "load", "photograph",
]  # fmt: skip

# Blue, green, red: ImageNet's mean picture (Caffe's ilsvrc_2012_mean.npy), averaged over pixels.
MEAN_BGR = (104.00699, 116.66877, 122.67892)
PICTURE_SCALE = 1 / 64  # brings 0 to 255 less the mean to about unit variance

# The types that the network can compute in, with Keras' names; its weights stay float32.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@dataclass(frozen=True)
class Variant:
    """One way to run the network: everything in which the original and the old lab's differ.

    Attributes:
        bgr: whether conv1's kernel takes blue first. The input is RGB in either case.
        mean: ImageNet's mean colour, BGR, which the network subtracts, or None.
        own_mean: whether the mean of a picture's own pixels is subtracted before it is classified.
        padding: of conv1: "VALID" gives 55x55, "SAME" 57x57.
        rule: how small pictures are enlarged: old side, new side, zoom -> matrix (new, old).
    """

    bgr: bool
    mean: tuple[float, float, float] | None
    own_mean: bool
    padding: str
    rule: pictures.Rule


VARIANTS = {
    "caffe": Variant(True, MEAN_BGR, False, "VALID", pictures.half_pixel),
    # As in the public labs of 2016, so that their published numbers can be reproduced.
    "lab": Variant(False, None, True, "SAME", pictures.corner),
}


@dataclass(frozen=True)
class Conv:
    """One row of the network's convolutional part; each convolution is followed by ReLU."""

    name: str
    kernel: tuple[int, int, int, int]  # height, width, input channels of one group, filters
    stride: int
    groups: int
    then: tuple[str, ...]  # "norm": local response normalisation, "pool": max 3x3 /2


CONVOLUTIONS = (
    Conv("conv1", (11, 11, 3, 96), 4, 1, ("norm", "pool")),  # 55x55 -> 27x27
    Conv("conv2", (5, 5, 48, 256), 1, 2, ("norm", "pool")),  # 27x27 -> 13x13
    Conv("conv3", (3, 3, 256, 384), 1, 1, ()),  # 13x13
    Conv("conv4", (3, 3, 192, 384), 1, 2, ()),  # 13x13
    Conv("conv5", (3, 3, 192, 256), 1, 2, ("pool",)),  # 13x13 -> 6x6
)
# fc6's rows are in height, width, channel order.
DENSE = {"fc6": (6 * 6 * 256, 4096), "fc7": (4096, 4096), "fc8": (4096, 1000)}

SHAPES: dict[str, tuple[int, ...]] = {**{row.name: row.kernel for row in CONVOLUTIONS}, **DENSE}
LAYERS = (
    *itertools.chain.from_iterable(
        (row.name, *(then + row.name[-1] for then in row.then)) for row in CONVOLUTIONS
    ),
    *DENSE,
    "prob",
)


def enlarge(images: np.ndarray, variant: str = "caffe", size: int = SIZE) -> np.ndarray:
    """Brings small pictures to the network's size, by the variant's bilinear interpolation.

    Args:
        images: uint8 or float (n, h, w, 3).
        variant: a key of `VARIANTS`.
        size: the new height and width in pixels.

    Returns:
        float32 (n, size, size, 3), in the range of images.
    """
    return pictures.resize(images, size, VARIANTS[variant].rule)


def centred(images: Sequence[np.ndarray] | np.ndarray, variant: str = "caffe") -> np.ndarray:
    """Stacks n pictures (h, w, 3), 0 to 255, as float32 (n, h, w, 3), ready to be classified.

    With "lab" each picture loses its own mean here; with "caffe" the network subtracts ImageNet's.
    """
    batch = np.asarray(images, np.float32)
    if VARIANTS[variant].own_mean:
        batch -= batch.mean(axis=(1, 2, 3), keepdims=True, dtype=np.float64).astype(np.float32)
    return batch


def build(
    arrays: weights.Arrays,
    until: str = "prob",
    *,
    variant: str = "caffe",
    dtype: str = "float32",
    size: int | None = SIZE,
    scale: float = 1.0,
) -> keras.Model:
    """Builds the network from arrays, as far as one layer.

    Args:
        arrays: dict, layer name -> (kernel, bias). Kernels of conv1 to conv5 are HWIO, float32, for
            BGR input; fc6 (9216, 4096) with rows in height, width, channel order. Layers beyond
            `until` may be absent.
        until: a name in `LAYERS`: the model's output. Every layer before it is in the model by its
            name, so `keras.Model(model.input, model.get_layer("conv4").output)` gives that one.
            conv1 to conv5, fc6 and fc7 are outputs after ReLU; fc8 is the logits.
        variant: a key of `VARIANTS`.
        dtype: a Keras dtype policy, a value of `PRECISIONS`.
        size: height and width of the input in pixels, or None for any. fc6 needs 227; the
            convolutions also take 99, 131, 163 and 195, where every pooling ends on the border as
            it does at 227.
        scale: what the input is multiplied by after the mean is subtracted.

    Returns:
        A Keras model: float32 RGB pictures (n, size, size, 3), 0 to 255 -> that layer's output.

    Raises:
        LabError: an unknown layer or variant, or an array that is absent, of another shape, of
            another type, or not finite.
    """
    import keras

    from lab.layers import Preprocessing

    if until not in LAYERS:
        raise LabError(f"expected a layer among {', '.join(LAYERS)}; received {until!r}")
    if variant not in VARIANTS:
        raise LabError(f"expected a variant among {', '.join(VARIANTS)}; received {variant!r}")
    names = LAYERS[: LAYERS.index(until) + 1]
    weights.check(arrays, SHAPES, [name for name in names if name in SHAPES])
    picture = keras.Input((size, size, 3), name="picture")
    mean = VARIANTS[variant].mean
    x = Preprocessing(mean and mean[::-1], scale, dtype=dtype, name="data")(picture)
    for layer in _layers(names, VARIANTS[variant], dtype):
        x = layer(x)
    model = keras.Model(picture, x, name="alexnet")
    for name in names:
        if name in SHAPES:
            model.get_layer(name).set_weights(arrays[name])
    return model


def _layers(names: Sequence[str], variant: Variant, dtype: str) -> Iterator[keras.Layer]:
    """The layers up to the last of `names`, in order; shapes are those of 227x227 input."""
    import keras

    from lab.layers import Convolution, LocalResponseNormalization

    for row in CONVOLUTIONS:
        if row.name not in names:
            return
        first = row.name == "conv1"
        # With these kernels SAME pads as the prototxt does: height and width stay the same.
        padding, bgr = (variant.padding, variant.bgr) if first else ("SAME", False)
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
            options = {"kernel_initializer": "zeros", "dtype": dtype, "name": name}
            yield keras.layers.Dense(units, activation, **options)  # `build` sets the weights
    if "prob" in names:  # float32: in half precision, 1000 probabilities do not add up to 1
        yield keras.layers.Softmax(dtype="float32", name="prob")


def load(
    path: str | Path = "bvlc-alexnet.npy", until: str = "prob", *, variant: str = "caffe"
) -> keras.Model:
    """Loads the network, as far as one layer, from a weights file.

    Args:
        path: `.npy` as the lab publishes it, `.npz` with `conv1/kernel`, `conv1/bias` ..., or
            `.onnx`.
        until, variant: as in `build`.

    Returns:
        The Keras model of `build`.

    Raises:
        LabError: the file cannot be read, or lacks a layer up to `until`.
    """
    return build(weights.read(path).arrays, until, variant=variant)
