"""Frozen features: what AlexNet's layers say of a picture, computed once and kept.

recipes says which layers and how they are scaled; extractor runs the network; fast_cpu gets the
same features from fewer operations; cache keeps them on disk; linear is a linear layer over them.
"""

from lab.features.recipes import NETWORK, RECIPES, Recipe

__all__ = ["NETWORK", "RECIPES", "Recipe"]
