"""One worker of test_workers.py, as a process: python tests/worker.py FOLDER [CPUS].

Trains a small head and a small network, and writes what it has to FOLDER/<index>.npz.
"""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

import alexnet
from lab import command_line, workers
from lab.data.classes import mirror_images
from lab.data.dataset import Dataset
from lab.drawn_signs import photographs

PICTURES, BATCH = 271, 31  # numbers that neither two, three nor four divide


def train(crew):
    """Head and network on the same pictures: arrays, by name."""
    from lab.features import Recipe
    from lab.training import frozen_heads, learner, plans, whole_network
    from lab.weights import Weights

    images, labels = photographs.signs(PICTURES, seed=5, classes=(9, 10, 20))
    data = Dataset(images, labels.astype(np.int64))
    arrays, rows = whole_network.random_arrays(0), np.arange(0, PICTURES, 2)
    settings = frozen_heads.Settings(
        Recipe("small", ("pool5",), size=99), epochs=2, batch_size=BATCH
    )
    trunk = Weights(arrays, "0" * 64, Path("random.npz"))
    x, _ = frozen_heads.features_of(data, trunk, settings, workers=crew)
    head, history = frozen_heads.fit(x, data, rows, settings, rows[1:] - 1, workers=crew)
    by_lbfgs = frozen_heads.Settings(
        Recipe("best", ("pool5",), size=99, components=20), epochs=1, batch_size=BATCH
    )
    other, _ = frozen_heads.fit(x, data, rows, by_lbfgs, workers=crew)
    plan = plans.Plan(2, BATCH, sizes=(99,), rate=1e-4, scale=alexnet.PICTURE_SCALE)
    plan = replace(plan, mirrors=mirror_images(data.names))
    network = learner.Learner(arrays, images[rows], data.labels[rows], plan, 43, None, crew)
    network.train_epoch()
    result = {
        "accuracy": history[-1]["validation_accuracy"],
        "loss": network.loss,
        "features": x[np.arange(PICTURES)],
        "share": np.arange(PICTURES)[crew.share(PICTURES)],
        "head": head.kernel,
        "other head": other.kernel,
        "logits": network.predict(images, 99),
    }
    return result | {name: kernel for name, (kernel, _) in network.arrays().items()}


def main(folder, cpus="1"):
    command_line.import_tensorflow()
    import tensorflow as tf

    if int(cpus) > 1:
        (cpu,) = tf.config.list_physical_devices("CPU")
        each = [tf.config.LogicalDeviceConfiguration()] * int(cpus)
        tf.config.set_logical_device_configuration(cpu, each)
    with workers.joined() as crew:
        result = train(crew) | {"devices": len(crew.devices)}
    np.savez(Path(folder) / f"{crew.index}.npz", **result)


if __name__ == "__main__":
    command_line.script(lambda argv: main(*argv))(sys.argv[1:]) and sys.exit(2)
