"""Frozen features: the activations of AlexNet's layers, computed once and stored.

recipes     which layers, and how their activations are scaled
extractor   runs the frozen network
devices     the same on all GPUs of a machine
emulation   how slow a precision is that the processor only emulates
fast_cpu/   the same features from fewer operations
finite      features that float16 can hold
cache       stored features, by a key of all that determines them
batches     pictures in batches, the next one read beside the network
linear      a linear layer over features that need not fit into memory
spectrum    eigenvalues and eigenvectors of their covariances
"""

from lab.features.recipes import NETWORK, RECIPES, Recipe

__all__ = ["NETWORK", "RECIPES", "Recipe"]
