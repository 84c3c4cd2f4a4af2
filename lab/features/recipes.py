"""Recipes: which layers a head is trained on, and how their activations are scaled."""

from dataclasses import dataclass

import alexnet


@dataclass(frozen=True)
class Recipe:
    """What a head is trained on.

    Attributes:
        name: what `--layer` and a saved classifier call it.
        layers: names of `alexnet.LAYERS`. A 13x13 layer is max-pooled 3x3 /2 to 6x6, as the network
            itself does after conv5; layers are flattened and concatenated.
        power: exponent of the activations, which are never negative. The square root keeps a few
            strong activations from drowning the rest: pool5, random split, 0.979 -> 0.990.
        scale: factor after that. 0.1 suits the lab's Adam with its rate of 1e-3.
        unit: whether each layer's features are first divided by their length.
        contrast: whether all pictures are first given the same mean and deviation: GTSRB's are
            dark, and the filters were not trained on dark ones.
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
    components: int | None = None
    whiten: str | None = "within"
    penalty: float = 1e-6

    @property
    def last(self) -> str:
        """The layer up to which the network is needed."""
        return max(self.layers, key=alexnet.LAYERS.index)

    @property
    def width(self) -> int:
        """The number of features: 6x6 positions of each channel, or fc6's and fc7's 4096."""
        channels = {name: shape[-1] for name, shape in alexnet.SHAPES.items()}
        channels["pool5"] = channels["conv5"]
        return sum(channels[name] * (1 if name in alexnet.DENSE else 36) for name in self.layers)


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
        Recipe("best", ("conv3", "conv4"), unit=True, contrast=True, components=1536),
        Recipe("pool5-raw", ("pool5",), power=1.0, scale=1.0),
    )
}
# The recipe of --train all and --train scratch: the network itself adapts, so its activations need
# no scaling, and the gradient of a square root would be infinite at 0.
NETWORK = RECIPES["pool5-raw"]
