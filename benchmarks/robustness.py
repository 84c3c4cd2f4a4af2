"""Signs as other cameras, weather and countries show them: accuracy and calibration by change.

    pip install -r benchmarks/requirements.txt
    python benchmarks/robustness.py --data train.p --weights bvlc-alexnet-conv.npz \\
        trained/=trained "before=FOLDER" fine-tuned=runs/NAME best

Every fifteenth frame of the test tracks of trained/, under the fifteen corruptions of Hendrycks and
Dietterich (2019) at their five strengths, by imagecorruptions-imaug; and, written here, with yellow
grounds, turned hues and other light. The strengths were made for larger pictures: of 32 pixels the
strongest blurs leave little. Each classifier is a run's folder that has not seen those tracks, or
the word `best`: a head on it is trained here on the others. Writes benchmarks/results/
robustness.json, anew after each classifier, and docs/robustness.png; rows that are not named stay.
"""

import argparse
import json
import os
import random
import shlex
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import corruption_plots
from lab import classifier, files, machine, runs, weights
from lab.data import load, splits
from lab.features import RECIPES
from lab.judging import metrics
from lab.progress import Progress
from lab.training import frozen_heads

TARGET = ROOT / "benchmarks/results/robustness.json"
STRENGTHS = (1, 2, 3, 4, 5)
EVERY = 15  # frames: neighbours in a track are nearly alike
SURE = 0.9  # a probability above which a wrong answer is called sure
YELLOW = np.float32([1.0, 0.82, 0.15])


def yellow_ground(images, strength, colour=YELLOW):
    """Light, colourless parts of the sign take a colour, by a fifth more at each strength."""
    hsv = np.stack([np.asarray(Image.fromarray(image).convert("HSV")) for image in images])
    lightest = np.percentile(hsv[:, 6:26, 6:26, 2], 95, axis=(1, 2))[:, None, None] + 1
    at = np.arange(32) - 15.5
    ground = (
        (hsv[..., 2] > 0.6 * lightest) & (hsv[..., 1] < 90) & (np.hypot(at[:, None], at) < 14.5)
    )
    tint = 1 - strength / 5 * (1 - colour)
    return np.where(ground[..., None], images * tint, images)


def hue(images, strength):
    """All colours are turned by 8 degrees at each strength: at 40, red is orange."""
    hsv = np.stack([np.asarray(Image.fromarray(image).convert("HSV")) for image in images])
    hsv[..., 0] += np.uint8(round(strength * 8 / 360 * 256))
    return np.stack([np.asarray(Image.fromarray(i, "HSV").convert("RGB")) for i in hsv])


def dark(images, strength):
    """Light falls to 0.6 of itself at each strength, with the camera's rounding."""
    return images * 0.6**strength


def bright(images, strength):
    """Exposure rises by a third at each strength; what is too light is white."""
    return images * (4 / 3) ** strength


OWN = {"yellow ground": yellow_ground, "hue": hue, "dark": dark, "overexposed": bright}


def changed(images, name, strength):
    """uint8 (n, 32, 32, 3): pictures after one change, the same in each run."""
    if name in OWN:
        return np.clip(OWN[name](images.astype(np.uint8), strength) + 0.5, 0, 255).astype(np.uint8)
    from imagecorruptions import corrupt  # of benchmarks/requirements.txt

    np.random.seed(strength)
    random.seed(strength)
    return np.stack([corrupt(x, severity=strength, corruption_name=name) for x in images])


def figures(probabilities, labels):
    """Accuracy, calibration error, and the share of pictures that are wrong and sure."""
    wrong = probabilities.argmax(axis=1) != labels
    return {
        "accuracy": float(1 - wrong.mean()),
        "calibration_error": metrics.expected_calibration_error(probabilities, labels),
        "wrong_and_sure": float(np.mean(wrong & (probabilities.max(axis=1) > SURE))),
    }


def judged(kept, trunk, data, sets):
    """A classifier's figures: clean, and by change and strength; and their means."""
    clean = figures(kept.probabilities(kept.logits(data.images, trunk)), data.labels)
    by_change = {}
    for name, images in sets():
        logits = kept.logits(images.reshape(-1, *images.shape[2:]), trunk)
        parts = np.split(kept.probabilities(logits), len(STRENGTHS))
        by_change[name] = [figures(part, data.labels) for part in parts]
        print(f"  {name}: {[round(each['accuracy'], 3) for each in by_change[name]]}", flush=True)
    theirs = [each for name, rows in by_change.items() if name not in OWN for each in rows]
    own = [each for name in OWN for each in by_change[name]]
    means = [
        {key: float(np.mean([each[key] for each in part])) for key in clean}
        for part in (theirs, own)
    ]
    return {"clean": clean, "mean": means[0], "own_mean": means[1], "changes": by_change}


def best(data, trunk):
    """A classifier on `best` that has not seen the test tracks."""
    settings, split = frozen_heads.Settings(RECIPES["best"]), splits.three_way(data)
    x, _ = frozen_heads.features_of(data, trunk, settings, Progress())
    head, _ = frozen_heads.fit(x, data, split.train, settings)
    kept = classifier.Classifier(
        head.kernel, head.bias, data.names, settings.recipe, "caffe", trunk.sha256
    )
    logits, labels = head.logits(x, split.held_out), data.labels[split.held_out]
    kept.temperature = metrics.fit_temperature(logits, labels)
    return kept


def rows_of(options, data, tested, imagenet):
    """Each classifier's figures on `tested`, some test pictures of `data`, by name."""
    cache = {}

    from imagecorruptions import get_corruption_names

    def sets():
        for name in (*get_corruption_names(), *OWN):
            if name not in cache:
                each = [changed(tested.images, name, strength) for strength in STRENGTHS]
                cache[name] = np.stack(each)
            yield name, cache[name]

    for given in options.classifiers:
        title, _, folder = given.partition("=")
        print(title, flush=True)
        if title == "best":
            kept, trunk = best(data, imagenet), imagenet
        else:
            kept = classifier.load(Path(folder) / runs.CLASSIFIER)
            trunk = weights.read(Path(folder) / runs.TRUNK)
        yield title, judged(kept, trunk, tested, sets)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="bvlc-alexnet.npy", metavar="FILE")
    parser.add_argument("--data", default="train.p", metavar="FILE")
    parser.add_argument("classifiers", nargs="+", metavar="NAME=FOLDER", help="a run, or best")
    options = parser.parse_args()
    data, imagenet = load(options.data), weights.read(options.weights)
    tested = data.subset(splits.three_way(data).test[::EVERY])
    known = json.loads(TARGET.read_text())["rows"] if TARGET.exists() else {}
    pairs = (given.partition("=") for given in options.classifiers)
    named = [f"{title}{sign}{Path(folder).name}" for title, sign, folder in pairs]
    words = ["--data", data.source_name, "--weights", imagenet.path.name, *named]
    command = shlex.join(["python", "benchmarks/robustness.py", *words])
    by = machine.describe() | {"command": command}
    result = by | {"seed": 0, "weights": imagenet.path.name, "images": len(tested)}
    result |= {"tracks": len(np.unique(tested.tracks)), "rows": known}
    for title, row in rows_of(options, data, tested, imagenet):
        known[title] = row | {"by": by}
        files.write_json(TARGET, result)
    corruption_plots.draw(known)
    print(json.dumps({name: row["mean"] for name, row in known.items()}, indent=2))


if __name__ == "__main__":
    main()
