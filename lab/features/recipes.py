"""Recipes: which layers a head sees, and how their activations are scaled."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What a head is trained on.

    Attributes:
        layers: names of `alexnet.LAYERS`. A 13x13 layer is max-pooled 3x3 /2 to 6x6, as the network
            itself does after conv5; layers are flattened and put side by side.
        power: exponent of the activations, which are never negative. The square root keeps a few
            strong activations from drowning the rest: pool5, random split, 0.979 -> 0.990.
        scale: factor after that. With 0.1 the lab's Adam, 1e-3, neither crawls nor jumps.
        unit: whether each layer's features are first divided by their length.
        contrast: whether each picture is first brought to one mean and one deviation: GTSRB's are
            dark, and ImageNet's filters were not trained on those.
        components: where given, the head is found by L-BFGS on so many principal components, see
            `lab.logistic`; elsewhere by the lab's Adam.
        whiten: of these components, {"within", "total", None}.
        penalty: of L-BFGS, on the kernel's squares.
    """

    layers: tuple[str, ...]
    power: float = 0.5
    scale: float = 0.1
    unit: bool = False
    contrast: bool = False
    components: int | None = None
    whiten: str | None = "within"
    penalty: float = 1e-6

    @property
    def last(self):
        """The layer up to which the network is needed."""
        return max(self.layers, key=ORDER.index)


ORDER = ("conv3", "conv4", "conv5", "pool5", "fc6", "fc7")
RECIPES = {
    "fc7": Recipe(("fc7",), power=1.0, scale=1.0),  # as the lab has it
    "fc6": Recipe(("fc6",), power=1.0, scale=1.0),
    "pool5": Recipe(("pool5",)),
    "conv4": Recipe(("conv4",)),
    "conv3": Recipe(("conv3",)),
    "conv3+conv4": Recipe(("conv3", "conv4")),
    # The best linear head for signs never met that we found: benchmarks/recipes.py.
    "best": Recipe(("conv3", "conv4"), unit=True, contrast=True, components=1536),
    "pool5-raw": Recipe(("pool5",), power=1.0, scale=1.0),
}
# What --train all and --train scratch put their head on: the whole network learns, so nothing needs
# taming, and a square root would have an infinite gradient at 0.
NETWORK = "pool5-raw"
