"""AlexNet's weights in files: read from .npy, .npz and .onnx, checked, and written as .npz.

The room knows files and arrays; which layers the network has, and of what shapes, `check` is told.
"""

from lab.weights.weights_file import Arrays, Weights, check, read, save

__all__ = ["Arrays", "Weights", "check", "read", "save"]
