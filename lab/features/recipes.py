"""Recipes: which layers a head is trained on, and how their activations are scaled."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import alexnet
from lab.errors import shown
from lab.untrusted import Broken

# The layers that a head can be trained on; pool5 has as many channels as conv5.
CHANNELS = {name: alexnet.SHAPES[name][-1] for name in ("conv3", "conv4", "conv5", "fc6", "fc7")}
CHANNELS["pool5"] = CHANNELS["conv5"]
# Pixels of the input at which every pooling ends on the border; fc6 needs the last.
SIZES = (99, 131, 163, 195, alexnet.SIZE)


@dataclass(frozen=True)
class Recipe:
    """What a head is trained on.

    Attributes:
        name: what `--layer` and a saved classifier call it.
        layers: names of `alexnet.LAYERS`. conv3, conv4 and conv5 are max-pooled 3x3 /2, as the
            network itself does after conv5; layers are flattened and concatenated.
        power: exponent of the activations, which are never negative. The square root keeps a few
            strong activations from drowning the rest: pool5, random split, 0.979 -> 0.990.
        scale: factor after that. 0.1 suits the lab's Adam with its rate of 1e-3.
        unit: whether each layer's features are first divided by their length.
        contrast: whether all pictures are first given the same mean and deviation: GTSRB's are
            dark, and the filters were not trained on dark ones.
        zoom: share of the picture's height and width that the network is shown, from its middle:
            GTSRB leaves a margin around each sign.
        size: height and width in pixels of the network's input: 227, or without fc6 also 99, 131,
            163 or 195.
        components: number of principal components that L-BFGS trains the head on, see
            `lab.training.logistic_head`; None: the lab's Adam trains it, on the features.
        whiten: how the components are whitened: {"within", "total", None}.
        penalty: of L-BFGS, on the sum of the kernel's squares.
    """

    name: str
    layers: tuple[str, ...]
    power: float = 0.5
    scale: float = 0.1
    unit: bool = False
    contrast: bool = False
    zoom: float = 1.0
    size: int = alexnet.SIZE
    components: int | None = None
    whiten: str | None = "within"
    penalty: float = 1e-6

    @property
    def last(self) -> str:
        """The layer up to which the network is needed."""
        return max(self.layers, key=alexnet.LAYERS.index)

    @property
    def grid(self) -> int:
        """Height and width of pool5, and of the other layers when pooled: 6, of 163 pixels 4."""
        side = (self.size - 11) // 4 + 1  # conv1: 11x11 /4
        for _ in range(3):
            side = (side - 3) // 2 + 1  # each pooling: 3x3 /2
        return side

    @property
    def widths(self) -> list[int]:
        """Each layer's number of features: the grid's positions of each channel, or 4096."""
        positions = {name: 1 if name in alexnet.DENSE else self.grid**2 for name in self.layers}
        return [CHANNELS[name] * positions[name] for name in self.layers]

    @property
    def width(self) -> int:
        """The number of features."""
        return sum(self.widths)


def from_fields(fields: dict[str, Any]) -> Recipe:
    """A recipe as a saved classifier has it, in a file that anybody may have written.

    Raises:
        Broken: a field is unknown, missing, of another type or out of range.
    """
    known = {field.name for field in dataclasses.fields(Recipe)}
    layers = fields.get("layers") if isinstance(fields, dict) else None
    if not isinstance(layers, list | tuple) or "name" not in fields or not known >= fields.keys():
        raise Broken("a recipe of other fields")
    recipe = Recipe(**fields | {"layers": tuple(layers)})
    for field in dataclasses.fields(Recipe):
        value: Any = getattr(recipe, field.name)
        kind: Any = tuple if field.name == "layers" else field.type
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not isinstance(value, kind) or (number and not 0 <= value < 1e6):
            raise Broken(f"a recipe whose {field.name} is {shown(str(value), 40)}")
    if not recipe.layers or not all(layer in list(CHANNELS) for layer in recipe.layers):
        raise Broken("a recipe of other layers")
    if len(set(recipe.layers)) < len(recipe.layers):
        raise Broken("a recipe that has a layer twice")
    if recipe.last in alexnet.DENSE and recipe.size != alexnet.SIZE:
        raise Broken(f"a recipe of {recipe.last} at {recipe.size} pixels, not {alexnet.SIZE}")
    if not 0 < recipe.power <= 1 or recipe.size not in SIZES or not 0.1 <= recipe.zoom <= 1:
        raise Broken(f"a recipe of {recipe.size} pixels, zoom {recipe.zoom}, power {recipe.power}")
    return recipe


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("fc7", ("fc7",), power=1.0, scale=1.0),  # as the lab has it
        Recipe("fc6", ("fc6",), power=1.0, scale=1.0),
        Recipe("pool5", ("pool5",)),
        Recipe("conv4", ("conv4",)),
        Recipe("conv3", ("conv3",)),
        Recipe("conv3+conv4", ("conv3", "conv4")),
        # The most accurate linear head on signs it has not seen, of all in benchmarks/recipes.py.
        Recipe("best", ("conv3", "conv4"), unit=True, contrast=True, zoom=0.7, components=1536),
        # For photographs: TrashNet's 2,384, five folds, 0.797, where pool5 by Adam has 0.765; with
        # 30 pictures a class ten epochs of Adam are ten steps. benchmarks/photographs.py
        Recipe("photographs", ("conv4", "pool5"), unit=True, components=1536, penalty=1e-3),
        # As classifiers of version 1.0.0 that were trained as a whole name theirs.
        Recipe("pool5-raw", ("pool5",), power=1.0, scale=1.0),
    )
}


def named(name: str, crop: str) -> Recipe:
    """The recipe that `--layer` names; photographs are shown whole, as they are cropped already."""
    return RECIPES[name] if crop == "sign" else dataclasses.replace(RECIPES[name], zoom=1.0)


def as_in_training(recipe: Recipe, plan: dict[str, Any]) -> Recipe:
    """The same layers of pictures that are shown as the plan of a training has it.

    Args:
        recipe: `Recipe`.
        plan: of `lab.training.plans.Plan`, as a file has it that anybody may have written.

    Raises:
        Broken: it is no such plan.
    """
    sizes = plan.get("sizes")
    if not isinstance(sizes, list) or not sizes or not {"contrast", "zoom"} <= plan.keys():
        raise Broken("a plan that lacks contrast, zoom or sizes")
    shown = {"contrast": plan["contrast"], "zoom": plan["zoom"], "size": sizes[-1]}
    return from_fields(dataclasses.asdict(recipe) | shown)


# The recipe of --train all and --train scratch, but for zoom and size, which their plans tell: the
# network itself adapts, so its activations need no scaling, and the gradient of a square root would
# be infinite at 0.
NETWORK = Recipe("pool5-even", ("pool5",), power=1.0, scale=1.0, contrast=True)
