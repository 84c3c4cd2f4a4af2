"""Every reader of strangers' files by name, and the rules that each read has to keep."""

import gc
import io
import os
import resource
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import seeds
from PIL import Image
from seeds import ORIGIN, STATE

from lab import cached, pickles, pictures, runs, weights
from lab.data import gtsrb, table, train_p
from lab.data.hash_memory import HashMemory
from lab.errors import CONTROL, LabError

MOST_SECONDS = 2.0  # of the processor
SPARE = 64 * 2**20  # bytes beside twice what a file may hold


@dataclass(frozen=True)
class Reader:
    """A reader: function of a path, what it reads, and the file's name.

    Attributes:
        read: reads a file, and uses what it gives as the lab would.
        seeds: valid files.
        name: of the file.
        modules: of lab/, or functions of one, whose lines the seeds and their mutations should
            reach.
        holds: bytes that a file of this kind may hold, however small it is packed.
    """

    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    name: str
    modules: tuple[str, ...]
    holds: int = 0


class ThrownAway(Exception):
    """A file of the cache that was found broken and removed: it is made again."""


def read_classifier(path: Path) -> None:
    """A classifier that is accepted gives probabilities."""
    from lab import classifier  # with TensorFlow

    loaded = classifier.load(path)
    answers = loaded.probabilities(loaded.bias[None])
    sums = answers.shape == (1, len(loaded.classes)) and np.isclose(answers.sum(), 1)
    if not sums or "\n" in loaded.words():
        raise AssertionError("a classifier without probabilities or words")


def read_checkpoint(path: Path) -> None:
    """A checkpoint that is accepted has the shapes, and an epoch to go on with."""
    from lab.training import checkpoints

    values, where = checkpoints.read(path, ORIGIN, STATE, epochs=3, steps=5)
    if [v.shape for v in values] != [v.shape for v in STATE] or not 0 <= where["epoch"] <= 3:
        raise AssertionError("a checkpoint of another training")


def read_features(path: Path) -> None:
    """A cache entry that is accepted has rows of numbers."""
    from lab.features import cache

    (path.parent / "key.json").write_text("{}")
    features = cache._stored(path.parent, {}, (3, 4))
    if features is not None and not (
        features[:].shape == (3, 4) and np.isfinite(features[:]).all()
    ):
        raise AssertionError("features of another shape, or not finite")
    refuse_removed(path)


def read_key(path: Path) -> None:
    """A cache entry's key is that of the features or another."""
    from lab.features import cache

    (path.parent / "features.npy").write_bytes(seeds.feature_seeds()[0])
    cache._stored(path.parent, {"version": 4, "a": [1]}, (3, 4))
    refuse_removed(path)


def read_hashes(path: Path) -> None:
    """What is remembered of files is a number or nothing."""
    memory = HashMemory("set", "sign")
    memory._path.parent.mkdir(exist_ok=True)
    path.rename(memory._path)
    if HashMemory("set", "sign").find(Path(__file__)) is not None:
        raise AssertionError("a hash of a file that is not in it")
    refuse_removed(memory._path)


def refuse_removed(path: Path) -> None:
    """Raises ThrownAway where the reader removed the file."""
    if not path.exists():
        raise ThrownAway


# Modules of lab/, or of a module those functions and classes that a file's content takes a reader
# through; the door that opens files, `lab.untrusted`, is the matter of test_untrusted.py.
JSON = "untrusted:json_object,leaves"
PICKLES = ("pickles/arrays", "pickles/machine", "untrusted:array_size")
NPZ = ("npz", "zips", "untrusted:array_size", JSON)
WEIGHTS = "weights/weights_file:read,_layers,_name,_pair"
TRAIN_P = "data/train_p:read,from_dict,_images,_labels,_whole_numbers,_array"
PICTURE = ("pictures/reading:_decoded,_judge,_rgb,_strip",)
ZIP = ("data/archives:opened,Zip", "data/gtsrb", "zips")
CLASSIFIER = ("classifier/loading", "features/recipes:from_fields", *NPZ)
CHECKPOINT = ("training/checkpoints:read,_check,_number", *NPZ)
FEATURES = ("features/cache:_stored,FeatureFile", "features/finite:all_finite", "npz:header")
FEATURES += ("cached", "untrusted:array_size")
KEY = ("features/cache:_stored", "cached", JSON)
HASHES = ("data/hash_memory:__init__,find,_is_entry", "cached", JSON)
ALEXNET = 243_863_787  # bytes: bvlc-alexnet.npy
READERS = {
    "pickle": Reader(
        lambda path: pickles.load(path, "a pickle"), seeds.pickle_seeds, "a.p", PICKLES
    ),
    "train.p": Reader(train_p.read, seeds.train_p_seeds, "a.p", (TRAIN_P, *PICKLES)),
    "npy": Reader(weights.read, seeds.npy_seeds, "a", ("weights/npy", WEIGHTS, *PICKLES)),
    "npz": Reader(
        weights.read, seeds.npz_seeds, "a", ("weights/npz:layers,_recipe", WEIGHTS, *NPZ), ALEXNET
    ),
    "onnx": Reader(weights.read, seeds.onnx_seeds, "a", ("weights/onnx",)),
    "picture": Reader(pictures.read, seeds.picture_seeds, "a", PICTURE),
    "zip": Reader(gtsrb.read, seeds.zip_seeds, "a.zip", ZIP),
    "table": Reader(table.read, seeds.table_seeds, "a.csv", ("data/table",)),
    "classifier": Reader(read_classifier, seeds.classifier_seeds, "c.npz", CLASSIFIER),
    "checkpoint": Reader(read_checkpoint, seeds.checkpoint_seeds, "c.npz", CHECKPOINT),
    "options": Reader(
        lambda path: runs.options(path.parent),
        seeds.json_seeds({"data": "a.p", "epochs": 3, "skip_broken": True}),
        runs.OPTIONS,
        ("runs:options,words", JSON),
    ),
    "features": Reader(read_features, seeds.feature_seeds, "features.npy", FEATURES),
    "key": Reader(read_key, seeds.json_seeds({"version": 4, "a": [1]}), "key.json", KEY),
    "hashes": Reader(read_hashes, seeds.json_seeds({"/a": [5, 6, 7]}), "h.json", HASHES),
}


class Rules:
    """Reads one file after the other and checks each against the rules.

    Attributes:
        refused, accepted, thrown_away: counts; the last of files of the cache.
        slowest: seconds of the processor.
        most: bytes that a read took beyond those that the process had.
    """

    def __init__(self, reader: Reader, folder: Path):
        self.reader, self.folder = reader, folder
        self.refused = self.accepted = self.thrown_away = self.most = 0
        self.slowest = 0.0

    @property
    def inputs(self) -> int:
        """How many files were read."""
        return self.refused + self.accepted + self.thrown_away

    def read(self, content: bytes) -> None:
        """Reads a file of this content.

        Raises:
            AssertionError: a rule is broken.
            Exception: what the reader let through.
        """
        path = self.folder / self.reader.name
        path.write_bytes(content)
        before, most, start = resident(), peak(), time.process_time()
        try:
            self.reader.read(path)
            self.accepted += 1
        except ThrownAway:
            self.thrown_away += 1
        except LabError as error:
            self.refused += 1
            text = str(error)
            if len(text) > 300 or CONTROL.search(text):
                raise AssertionError(f"no short line: {text!r}") from error
        seconds = time.process_time() - start
        taken = peak() - before if peak() > most else 0
        self.slowest, self.most = max(self.slowest, seconds), max(self.most, taken)
        if seconds > MOST_SECONDS * max(1, len(content) / 1e7):
            raise AssertionError(f"{seconds:.1f} seconds")
        if taken > SPARE + 2 * max(self.reader.holds, len(content)) + of_picture(content):
            raise AssertionError(f"{taken:,} bytes for a file of {len(content):,}")


def of_picture(content: bytes) -> int:
    """Bytes that a picture may take: 8 for each pixel that it claims."""
    pixels = 0
    try:
        with Image.open(io.BytesIO(content), formats=pictures.reading.FORMATS) as image:
            pixels = image.width * image.height
    except Exception:  # of any type: then it is no picture
        pixels = 0
    return 8 * min(pixels, pictures.reading.MOST_PIXELS)


def resident() -> int:
    """Bytes of memory that the process has now."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak() -> int:
    """The most bytes of memory that the process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def attempt(reader: str, content: bytes, folder: Path, pipe: Connection) -> None:
    """Reads a file in a process of its own, and sends what came of it.

    Args:
        reader: a key of `READERS`.
        content: of the file.
        folder: to work in.
        pipe: is sent "refused", "thrown_away", "accepted" or a traceback.
    """
    os.dup2(os.open(os.devnull, os.O_RDWR), 2)
    os.chdir(folder)
    gc.freeze()  # as the scripts do: the collector need not walk through what imports made
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
    warnings.simplefilter("ignore")
    cached.tell = lambda text: None
    rules = Rules(READERS[reader], folder.relative_to(folder))
    try:
        rules.read(content)
        said = next(how for how in ("refused", "thrown_away", "accepted") if getattr(rules, how))
    except BaseException:
        said = traceback.format_exc()[-2000:]
    pipe.send(said)
