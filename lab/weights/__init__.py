"""AlexNet's weights in files.

weights_file   reads any of the three forms, checks the arrays, writes .npz
npy            as the lab has them: a pickled dict, from Python 2 or 3
npz            as this lab writes them
onnx           as the ONNX model zoo has them

The room knows files and arrays; which layers the network has, and their shapes, `check` is told.
"""

from lab.weights.weights_file import EXPECTED, Arrays, Weights, check, read, save

__all__ = ["EXPECTED", "Arrays", "Weights", "check", "read", "save"]
