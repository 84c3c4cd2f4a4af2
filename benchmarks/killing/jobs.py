"""The jobs that are killed: a download, and trainings of a head and of the network.

A job has `run`, which is killed, and `again`, what a person does then; both are given the folder
and return a status. `result` is what must be the same in the end, `phases` are those that random
moments are chosen in.
"""

import hashlib
import pickle

import numpy as np

from benchmarks.killing import server
from lab import runs, weights
from lab.downloads import catalogue, fetching
from lab.downloads.catalogue import Remote
from lab.drawn_signs import photographs
from lab.errors import LabError

TRIES = 30  # of a download: the server lets most of them fail
CLASSES, FRAMES = (9, 10), 10  # of the drawn signs: three signs a class, which come nearer


class Download:
    """A file of which no hash is published, from a server that may do anything."""

    phases = ("downloading sign.png",)
    steps = 40  # most downloads have fewer, and none are alike: a kill may come too late

    def __init__(self, folder):
        size = len(server.CONTENTS[0])
        address = (server.serve() + "sign.png",)
        catalogue.REMOTE["sign.png"] = Remote(
            "a sign", address, "give up", check=self.check, most=2 * size
        )

    def check(self, path):
        """As the lab's own records have one: without a length, an end is like any other."""
        if path.stat().st_size != len(server.CONTENTS[0]):
            raise LabError("expected another length")

    def run(self, folder):
        for _ in range(TRIES):
            try:
                fetching.fetch("sign.png", folder)
                return 0
            except LabError:
                pass
        return 2

    again = run

    def result(self, folder):
        """Whether it is one of the two that the server had, whole."""
        return (folder / "sign.png").read_bytes() in server.CONTENTS


class Training:
    """train_feature_extraction.py on 60 drawn signs, by a person who resumes it."""

    steps = None  # always as many as undisturbed

    def __init__(self, folder, kind, phases):
        self.kind, self.phases = kind, phases
        from lab.training import whole_network

        (folder / "d.p").write_bytes(pickle.dumps(drawn_signs(), 3))
        weights.save(folder / "w.npz", whole_network.random_arrays(0))
        self.argv = ["--data", str(folder / "d.p"), "--train", kind, "--split", "random"]
        self.argv += ["--weights", str(folder / "w.npz"), "--epochs", "2", "--batch-size", "8"]

    def run(self, folder):
        return self.main([*self.argv, "--output", str(folder)])

    def again(self, folder):
        if not (folder / runs.OPTIONS).exists():
            return self.run(folder)
        status = self.main(["--resume", str(folder)])
        return 0 if (folder / runs.METRICS).exists() else status

    def main(self, argv):
        import train_feature_extraction
        from lab import report
        from lab.features import batches, cache
        from lab.training import learner, plans

        learner.CHECKPOINT_STEPS = 3  # of five steps an epoch
        plans.KINDS["all"] |= {"sizes": (99,)}
        batches.BATCH = cache.BATCH = 16
        if self.kind == "all":  # a head's run has the same report
            report.write = lambda *_, **__: None
        return train_feature_extraction.main([*argv, "--offline"])

    def result(self, folder):
        """Hashes of what was learned."""
        found = [path for path in folder.iterdir() if path.suffix == ".npz"]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def drawn_signs():
    """A dict like train.p's."""
    count = 3 * FRAMES * len(CLASSES)
    images, labels = photographs.signs(count, seed=5, classes=CLASSES)
    order = np.argsort(labels, kind="stable")
    side = np.tile(np.linspace(20, 80, FRAMES).astype(np.int64), count // FRAMES)
    near = np.full_like(side, 5)
    content = {"features": images[order], "labels": labels[order].astype(np.uint8)}
    content["sizes"] = np.stack([side, side], axis=1) + 10
    content["coords"] = np.stack([near, near, side + 5, side + 5], axis=1)
    return content


def named(names, folder):
    """The jobs of these names, one after the other; children inherit what is imported for them."""
    folder.mkdir()
    if "download" in names:
        yield "download", Download(folder)
    if {"head", "network"} & {*names}:
        import keras  # noqa: F401
        import tensorflow  # noqa: F401

        from lab.training import experiment  # noqa: F401
    if "head" in names:
        yield "head", Training(folder, "head", ("features", "Adam", "saving", "report"))
    if "network" in names:
        phases = ("epoch 1 of 2", "epoch 2 of 2", "saving", "judging")
        yield "network", Training(folder, "all", phases)
