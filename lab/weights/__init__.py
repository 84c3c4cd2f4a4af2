"""Weights files: read from .npy, .npz and .onnx, checked, and written as .npz."""

from lab.weights.reading import NONE, PARTS, Arrays, Weights, check, read, save

__all__ = ["NONE", "PARTS", "Arrays", "Weights", "check", "read", "save"]
