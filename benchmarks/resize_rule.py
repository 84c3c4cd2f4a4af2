"""Which rule should bring a sign of any size to 32x32? Accuracy on rendered signs, by their size.

    python train_feature_extraction.py --layer conv4 --output runs/conv4
    python benchmarks/resize_rule.py --model runs/conv4 --weights bvlc-alexnet.npy

Judges with the classifier in trained/ and, where it is named, with another one. Every rule gets the
same pictures. Writes benchmarks/results/resize_rule.json.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import stats

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from lab import classifier, files, machine, pictures, runs, weights
from lab.data import CLASSES, gtsrb
from lab.drawn_signs import photographs

SIZES = (15, 22, 32, 45, 64, 90, 125, 175, 250)  # pixels, side of the original
OF_EACH = 10  # pictures of each class and size
SEED = 11
CHUNK = 16  # pictures rendered at once: 64 MB at 250 pixels
FIRST = "bilinear, nothing averaged"  # what the others are compared with: train.p's own rule
AREA = "area averaging"


def bilinear(picture: np.ndarray) -> np.ndarray:
    """Half-pixel bilinear interpolation, as train.p went through."""
    return gtsrb.published_rule(picture)


def area(picture: np.ndarray) -> np.ndarray:
    """Each new pixel is the mean of what it covers."""
    rows, columns = (_shares(side) for side in picture.shape[:2])  # (32, h), (32, w)
    return pictures.to_uint8(np.einsum("ih,hwc,jw->ijc", rows, picture, columns, optimize=True))


def _shares(old: int) -> np.ndarray:
    edges = np.arange(pictures.SIGN + 1) * old / pictures.SIGN
    pixels = np.arange(old)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.maximum(shared, 0) * pictures.SIGN / old  # (32, old), rows of sum 1


def antialiased(picture: np.ndarray) -> np.ndarray:
    """Pillow's BILINEAR: a triangle as wide as two new pixels where it makes a picture smaller."""
    side = (pictures.SIGN, pictures.SIGN)
    return np.asarray(Image.fromarray(picture).resize(side, Image.Resampling.BILINEAR))


RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    FIRST: bilinear,
    AREA: area,
    "bilinear, antialiased": antialiased,
}
# The first rule for pictures of up to so many pixels, area averaging for larger ones.
MIXED = {f"bilinear up to {most} pixels, area above": most for most in (32, 64)}


def rendered(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Signs as a camera sees them, uint8 (n, size, size, 3), and their labels, int64 (n,)."""
    labels = np.tile(np.arange(CLASSES), OF_EACH)
    rng = np.random.default_rng([SEED, size])
    chunks = [labels[i : i + CHUNK] for i in range(0, len(labels), CHUNK)]
    return np.concatenate([photographs.photographs(c, size, rng) for c in chunks]), labels


def small_signs() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """By rule uint8 (n, 32, 32, 3); labels int64 (n,); sizes int64 (n,)."""
    by_rule: dict[str, list[np.ndarray]] = {name: [] for name in RULES}
    all_labels, sizes = [], []
    for size in SIZES:
        originals, labels = rendered(size)
        for name, rule in RULES.items():
            by_rule[name] += [rule(picture) for picture in originals]
        all_labels.append(labels)
        sizes.append(np.full(len(labels), size))
        print(f"rendered {len(labels)} signs of {size} pixels", flush=True)
    small = {name: np.stack(images) for name, images in by_rule.items()}
    return small, np.concatenate(all_labels), np.concatenate(sizes)


def share(right: np.ndarray) -> dict[str, float]:
    """Accuracy and its 95% interval, by Wilson."""
    interval = stats.binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return {"accuracy": float(right.mean()), "low": interval.low, "high": interval.high}


def against_first(right: np.ndarray, first: np.ndarray) -> dict[str, float]:
    """The gain over the first rule on the same pictures, and its 95% interval."""
    gain = right.astype(float) - first
    half = 1.96 * gain.std(ddof=1) / np.sqrt(len(gain))
    return {"gain": gain.mean(), "low": gain.mean() - half, "high": gain.mean() + half}


def judged(folder: Path, trunk: Path, signs: dict, labels: np.ndarray, sizes: np.ndarray) -> dict:
    """A classifier's accuracy by rule: at each size, up to 32 pixels, above, and in all."""
    kept, network = classifier.load(folder), weights.read(trunk)
    right = {
        name: kept.logits(images, network).argmax(axis=1) == labels
        for name, images in signs.items()
    }
    right |= {n: np.where(sizes <= most, right[FIRST], right[AREA]) for n, most in MIXED.items()}
    up_to = pictures.SIGN
    parts = {"all": sizes > 0, f"up to {up_to}": sizes <= up_to, f"above {up_to}": sizes > up_to}
    parts |= {str(size): sizes == size for size in SIZES}
    return {
        part: {
            name: share(right[name][rows])
            | {"against the first": against_first(right[name][rows], right[FIRST][rows])}
            for name in right
        }
        for part, rows in parts.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", metavar="DIR", help="a run's folder")
    parser.add_argument("--weights", metavar="FILE", help="those that its head stands on")
    options = parser.parse_args()
    if (options.model is None) != (options.weights is None):
        parser.error("expected --model and --weights together")
    signs = small_signs()
    result: dict[str, Any] = machine.describe() | {"seed": SEED, "pictures": len(signs[1])}
    bundled = runs.BUNDLED
    result["trained/"] = judged(bundled, bundled / runs.TRUNK, *signs)
    print(json.dumps(result["trained/"], indent=2), flush=True)
    if options.model:
        name = Path(options.model).name
        result[name] = judged(Path(options.model), Path(options.weights), *signs)
        print(json.dumps(result[name], indent=2))
    files.write_json(ROOT / "benchmarks/results/resize_rule.json", result)


if __name__ == "__main__":
    main()
