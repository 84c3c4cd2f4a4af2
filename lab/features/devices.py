"""The frozen network on all devices of a machine: each computes a part of every batch."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

Run = Callable[[np.ndarray], Any]


class OnAllDevices:
    """Runs one network a device.

    Args:
        build: makes the network, a function of pictures (n, ...).
        devices: names of the devices.
    """

    def __init__(self, build: Callable[[], Run], devices: Sequence[str]):
        self._devices = devices if len(devices) > 1 else [None]  # None: where TensorFlow puts it
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
