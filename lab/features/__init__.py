"""Frozen features: what AlexNet's layers say of a picture, computed once and kept.

recipes     which layers, and how their activations are scaled
extractor   runs the frozen network
fast_cpu/   the same features from fewer operations
cache       features on disk, under a key of all that made them
linear      a linear layer over features that need not fit into memory
"""

from lab.features.recipes import NETWORK, RECIPES, Recipe

__all__ = ["NETWORK", "RECIPES", "Recipe"]
