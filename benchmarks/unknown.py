"""Which measure tells pictures of known classes from others: classes left out, and no sign at all.

    python benchmarks/unknown.py --data train.p --weights bvlc-alexnet-conv.npz --photographs DIR

Five draws leave eight of the 43 classes out of the head. The known pictures are held-out tracks of
the other 35; the unknown ones are the eight classes, rendered scenery, and photographs (such as
TrashNet's), all at 32x32. The trunk in trained/ has seen the eight classes; its known pictures are
its own test tracks, and all draws share them. The last rows are the classifier in trained/ as it
is. A threshold comes from tracks that its head has not seen, and is judged on further tracks.
Writes benchmarks/results/unknown.json, anew after each recipe; rows that are in it stay.
"""

import argparse
import functools
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import measures
from lab import classifier, files, machine, novelty, pictures, runs, weights
from lab.data import CLASSES, dataset, folds, load, splits
from lab.drawn_signs import camera, scenery
from lab.features import RECIPES
from lab.progress import Progress
from lab.training import frozen_heads

LEFT_OUT, DRAWS, FOLDS, COUNT = 8, 5, 5, 1000
SEED = 11  # of the draws; those of seed 7 were looked at when the measure was chosen
ORDER = ("best", "conv4", "pool5")
KINDS = ("classes left out", "rendered scenery", "photographs")


def scenes(count, seed=1, at_once=50):
    """Rendered scenery without a sign, uint8 (count, 32, 32, 3)."""
    rng, fine, parts = np.random.default_rng(seed), camera.FINE * pictures.SIGN, []
    for _ in range(0, count, at_once):
        poses = camera.Poses(at_once, rng)
        scene = scenery.behind(fine, poses.centre, poses.radius, rng)
        scene = scene * scenery.light(at_once, fine, rng)
        parts.append(camera.take(scene, poses.original, rng))
    return np.concatenate(parts)[:count]


def photographs(folder, count):
    """Pictures of a folder and its sub-folders, scaled as signs are, uint8 (n, 32, 32, 3)."""
    paths = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in pictures.SUFFIXES)
    chosen = np.sort(np.random.default_rng(0).permutation(len(paths))[:count])
    return np.stack([pictures.to_sign(pictures.read(paths[i])) for i in chosen])


def fitted(x, data, rows, settings, components):
    """A head and a measure of novelty, fitted to these rows."""
    head, _ = frozen_heads.fit(x, data, rows, settings, components=components)
    head = np.array(head.kernel), np.array(head.bias)
    return head, novelty.fit(x, rows, data.labels[rows], *head, settings.recipe)


def measured(x, data, head_rows, calibration, settings):
    """A head, and a measure whose threshold comes from the tracks `calibration`.

    `head_rows`: what the head is trained on, and what the one is that judges `calibration`.
    """
    # Found without labels, and once: as for the heads of one training.
    components = frozen_heads.components_of(x, head_rows[0], settings)
    head, measure = fitted(x, data, head_rows[1], settings, components)
    held_out = x[calibration]
    distances_of = measure.distances(held_out, measures.product(held_out, *head))
    if head_rows[0] is not head_rows[1]:
        head, measure = fitted(x, data, head_rows[0], settings, components)
    return head, measure.calibrated(distances_of)


def draw(number, data, x, far, settings, bundled):
    """One draw: name -> three pairs of AUROC and false acceptances; and the share that passes."""
    left = np.random.default_rng([SEED, number]).permutation(CLASSES)[:LEFT_OUT]
    kept = np.setdiff1d(np.arange(CLASSES), left)
    to = np.full(CLASSES, -1)
    to[kept] = np.arange(len(kept))
    labels = to[data.labels]
    known_class = labels >= 0
    renamed = replace(data, labels=labels, names=[data.names[label] for label in kept])
    if bundled:  # its trunk has seen the tracks of folds 1 to 4
        split = splits.three_way(data)
        train, calibration, known = (
            part[known_class[part]] for part in (split.train, split.held_out, split.test)
        )
        head_rows = train, train
    else:
        fold = folds.of_tracks(data.labels, data.tracks, FOLDS)
        next_fold = (number + 1) % FOLDS
        train, calibration, known = (
            np.flatnonzero(part & known_class)
            for part in (fold != number, fold == next_fold, fold == number)
        )
        head_rows = train, train[fold[train] != next_fold]
    head, measure = measured(x, renamed, head_rows, calibration, settings)
    new = np.flatnonzero(~known_class)
    new = np.sort(np.random.default_rng(number).permutation(new)[: 4 * COUNT])
    sets = [x[known], x[new], *far]
    scores = measures.compared(x, train, labels[train], head, measure, sets)
    passed = float(np.mean(scores[measures.CHOSEN][0] <= measure.threshold))
    turned_away = [float(np.mean(part > measure.threshold)) for part in scores[measures.CHOSEN][1:]]
    return (
        {name: measures.figures(known, rest) for name, (known, *rest) in scores.items()},
        passed,
        turned_away,
    )


def row(data, trunk, recipe, pictures_without, bundled=False, draws=DRAWS):
    """All that is measured of one recipe, over all draws."""
    settings = frozen_heads.Settings(recipe)
    x, _ = frozen_heads.features_of(data, trunk, settings, Progress())
    far = [_features(images, trunk, settings) for images in pictures_without]
    drawn = []
    for number in range(draws):
        drawn.append(draw(number, data, x, far, settings, bundled))
        print(number, drawn[-1][0][measures.CHOSEN], *drawn[-1][1:], flush=True)
    return {
        "measures": {
            name: {
                kind: {
                    "auroc": _spread([d[0][name][i][0] for d in drawn]),
                    "false_acceptances": _spread([d[0][name][i][1] for d in drawn]),
                }
                for i, kind in enumerate(KINDS)
            }
            for name in drawn[0][0]
        },
        "passed": _spread([d[1] for d in drawn]),
        "turned_away": {kind: _spread([d[2][i] for d in drawn]) for i, kind in enumerate(KINDS)},
    }


def _spread(values):
    return {"mean": float(np.mean(values)), "deviation": float(np.std(values)), "each": values}


def _features(images, trunk, settings):
    labels = np.zeros(len(images), np.int64)
    x, _ = frozen_heads.features_of(dataset.Dataset(images, labels), trunk, settings, Progress())
    return x[:]


def as_it_is(data, pictures_without):
    """The classifier in trained/, with the threshold that it has, on its test tracks."""
    kept, trunk = classifier.load(runs.BUNDLED), weights.read(runs.BUNDLED / runs.TRUNK)
    settings, split = frozen_heads.Settings(kept.recipe), splits.three_way(data)
    x, _ = frozen_heads.features_of(data, trunk, settings, Progress())
    head, measure = (kept.kernel, kept.bias), kept.novelty
    far = [_features(images, trunk, settings) for images in pictures_without]
    known, *rest = (
        measure.score(part, measures.product(part, *head)) for part in (x[split.test], *far)
    )
    return {
        "passed": float(np.mean(known <= measure.threshold)),
        "kinds": dict(zip(KINDS[1:], measures.figures(known, rest), strict=True)),
        "turned_away": [float(np.mean(part > measure.threshold)) for part in rest],
        "bytes": sum(array.nbytes for array in measure.arrays.values()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="bvlc-alexnet.npy", metavar="FILE")
    parser.add_argument("--data", default="train.p", metavar="FILE")
    parser.add_argument("--photographs", required=True, metavar="DIR")
    parser.add_argument("--recipes", nargs="+", default=ORDER, choices=ORDER, help="to measure")
    parser.add_argument("--draws", type=int, default=DRAWS, metavar="N", help="of left-out classes")
    options = parser.parse_args()
    data, trunk = load(options.data), weights.read(options.weights)
    without = [scenes(COUNT), photographs(options.photographs, COUNT)]
    target = ROOT / "benchmarks/results/unknown.json"
    before = json.loads(target.read_text())["rows"] if target.exists() else {}
    result = machine.describe() | {"seed": SEED, "weights": trunk.path.name, "rows": before}
    result["bundled"] = as_it_is(data, without)
    print(result["bundled"], flush=True)
    own = weights.read(runs.BUNDLED / runs.TRUNK)
    jobs = {
        "trained/": functools.partial(
            row, data, own, classifier.load(runs.BUNDLED).recipe, without, True
        )
    }
    jobs |= {
        name: functools.partial(row, data, trunk, RECIPES[name], without)
        for name in options.recipes
    }
    for name, job in jobs.items():
        if name in before:  # all draws of a recipe take half an hour
            continue
        print(name, flush=True)
        result["rows"][name] = job(draws=options.draws) | {"by": machine.describe()}
        files.write_json(target, result)


if __name__ == "__main__":
    main()
