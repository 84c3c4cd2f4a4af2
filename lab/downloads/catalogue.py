"""The published files that the lab uses, in one table: addresses, size, hash and check of each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import weights
from lab.data import gtsrb, load, train_p


@dataclass(frozen=True)
class Remote:
    """A published file.

    Args:
        origin: what it is and who publishes it.
        addresses: where, the lab's own first.
        otherwise: how to do without it.
        size: bytes, where published.
        most: bytes, the most that are received where no size is published.
        hash: "sha256:..." or "md5:...", where published.
        check: reads the file and raises LabError if it is not what it should be.
        made_from: the name in `REMOTE` of an archive that the file can be made from, and the
            function that makes it: (archive, target).
        needs: the name in `REMOTE` of a file beside it that it cannot be read without, unless its
            content is found elsewhere.
    """

    origin: str
    addresses: tuple[str, ...]
    otherwise: str
    size: int | None = None
    most: int = 300_000_000
    hash: str | None = None
    check: Callable[[Path], object] | None = None
    made_from: tuple[str, Callable[[Path, Path], None]] | None = None
    needs: str | None = None


WEIGHTS, TRAIN_P = "bvlc-alexnet.npy", "train.p"
PHOTOGRAPHS, SIGNS = ("poodle.png", "weasel.png"), ("construction.jpg", "stop.jpg")
LAB = "https://d17h27t6h515a5.cloudfront.net/topher/2016/October/"
PICTURES = "https://raw.githubusercontent.com/udacity/CarND-Alexnet-Feature-Extraction/master/"
GTSRB = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
OTHERS, ANOTHER = "name other pictures", "name another data set"


def _picture(name: str, size: int, sha256: str) -> Remote:
    return Remote("the lab's picture", (PICTURES + name,), OTHERS, size, hash="sha256:" + sha256)


def _archive(name: str, most: int, md5: str, needs: str | None = None) -> Remote:
    origin = "GTSRB, Ruhr-Universität Bochum"
    return Remote(origin, (GTSRB + name,), ANOTHER, most=most, hash="md5:" + md5, needs=needs)


REMOTE = {
    WEIGHTS: Remote(
        "BVLC AlexNet by M. Guerzhoy, 244 MB",
        (
            LAB + "580d880c_bvlc-alexnet/bvlc-alexnet.npy",
            "http://www.cs.toronto.edu/~guerzhoy/tf_alexnet/bvlc_alexnet.npy",
        ),
        "name other weights, such as bvlcalexnet-12.onnx",
        most=250_000_000,
        check=weights.read,  # no hash of it is published
    ),
    TRAIN_P: Remote(
        "GTSRB's training set at 32x32",
        (LAB + "580a829f_train/train.p",),
        ANOTHER,
        most=130_000_000,  # 39,209 pictures of 32x32x3, and their sizes and boxes
        check=load,  # no hash of it is published
        made_from=(gtsrb.TRAINING_ZIP, train_p.convert_archive),
    ),
    "poodle.png": _picture(
        "poodle.png", 118_296, "c7c6de6cbc4d237a2e4f5cdcab78e01bf68a4a3ff653862ab05def0c7d1a3aa9"
    ),
    "weasel.png": _picture(
        "weasel.png", 101_910, "04e68cc7196f3d9501b0d2d7759e392c0b26159a316a189db054f0ebb031cf4e"
    ),
    "construction.jpg": _picture(
        "construction.jpg",
        2_088,
        "dd932886d8fb55dd521c9e2dca6905268b910a784b986696052560e287d0fb7f",
    ),
    "stop.jpg": _picture(
        "stop.jpg", 2_123, "ca7c0857c5047dc992c76e80f0e83092a93702dbc08613b304c4e24416dda0aa"
    ),
    gtsrb.TRAINING_ZIP: _archive(
        gtsrb.TRAINING_ZIP, 300_000_000, "f33fd80ac59bff73c82d25ab499e03a3"
    ),
    gtsrb.TEST_ZIP: _archive(
        gtsrb.TEST_ZIP, 100_000_000, "c7e4e6327067d32654124b0fe9e82185", gtsrb.TEST_TABLE_ZIP
    ),
    gtsrb.TEST_TABLE_ZIP: _archive(
        gtsrb.TEST_TABLE_ZIP, 1_000_000, "fe31e9c9270bbcd7b84b7f21a9d9d9e5"
    ),
}
