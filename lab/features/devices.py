"""The frozen network on all devices of a machine: each computes a part of every batch."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

from lab.features.batches import BATCH

OF_A_GPU = 1024  # pictures a call
Run = Callable[[np.ndarray], Any]


class OnAllDevices:
    """Runs one network a device.

    Args:
        build: makes the network, a function of pictures (n, ...).
        devices: names of the devices.

    Attributes:
        batch: pictures to give it at a time. A call costs Python half a millisecond, in which a
            large GPU computes a hundred.
    """

    def __init__(self, build: Callable[[], Run], devices: Sequence[str]):
        self._devices = devices if len(devices) > 1 else [None]  # None: where TensorFlow puts it
        self.batch = len(devices) * (OF_A_GPU if "GPU" in devices[0] else BATCH)
        self._networks = []
        for device in self._devices:
            with tf.device(device):
                self._networks.append(build())

    def __call__(self, images: np.ndarray) -> Any:
        """What the network makes of the pictures, (n, d)."""
        if len(self._devices) == 1:
            return self._networks[0](images)
        parts = np.array_split(images, len(self._devices))
        with ThreadPoolExecutor(len(self._devices)) as pool:
            return np.concatenate([*pool.map(self._run, self._devices, self._networks, parts)])

    def _run(self, device: str, network: Run, images: np.ndarray) -> np.ndarray:
        with tf.device(device):
            return np.asarray(network(images))
