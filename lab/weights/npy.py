"""The .npy that bvlc-alexnet.npy is: a pickled dict of layers."""

from typing import Any, BinaryIO

from lab import npz, pickles
from lab.untrusted import Broken


def layers(file: BinaryIO) -> dict[Any, Any]:
    """Reads an .npy that holds a dict, as the lab has AlexNet, from Python 2 or 3.

    Args:
        file: the open file, at its start.

    Returns:
        The dict as the file has it: layer name -> [kernel, bias] where it is one of weights. The
        arrays share the memory that the file was read into.

    Raises:
        Broken: it is cut short, or holds anything else.
    """
    shape, _, kind = npz.header(file)
    wanted = "an .npy must hold a dict of [kernel, bias] like bvlc-alexnet.npy"
    if "O" not in kind:
        raise Broken(f"one array {shape} of {kind}; {wanted}")
    content = pickles.read(file)
    if not isinstance(content, dict):
        raise Broken(f"a {type(content).__name__}; {wanted}")
    return content
