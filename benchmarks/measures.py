"""The measures of novelty that benchmarks/unknown.py compares, and the figures of each."""

import numpy as np
from scipy import special
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from benchmarks.tables.strangers import CHOSEN
from lab import novelty
from lab.features import linear
from lab.training import components, whitening

COMPONENTS, NEIGHBOURS, SHRINK = 128, 5, 0.03


def distances(x, centres, shared):
    """Squared Mahalanobis distances (n, m) to the centres, by one covariance, shrunk a little."""
    shared = shared + SHRINK * np.trace(shared) / len(shared) * np.eye(len(shared))
    root = np.linalg.cholesky(np.linalg.inv(shared))
    x, centres = x @ root, centres @ root
    return np.sum(x**2, 1)[:, None] - 2 * x @ centres.T + np.sum(centres**2, 1)


def gaussians(train, labels, parts):
    """Mahalanobis (Lee et al., 2018) and relative Mahalanobis distance (Ren et al., 2021)."""
    means = np.stack([train[labels == label].mean(0) for label in np.unique(labels)])
    within = np.cov((train - means[labels]).T)
    mean, total = train.mean(0, keepdims=True), np.cov(train.T)
    nearest = [distances(x, means, within).min(1) for x in parts]
    all_in_one = [distances(x, mean, total)[:, 0] for x in parts]
    return nearest, [a - b for a, b in zip(nearest, all_in_one, strict=True)]


def neighbours(train, parts):
    """Distance to the k-th nearest training picture, vectors of length 1 (Sun et al., 2022)."""

    def unit(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    tree = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(unit(train))
    return [tree.kneighbors(unit(x))[0][:, -1] for x in parts]


def compared(x, rows, labels, head, measure, sets):
    """Every measure's scores of every set: name -> list of (n,), higher is less known.

    Args:
        x: features of the training set; rows int (m,), labels int (m,): what was trained on.
        head: kernel and bias.
        measure: fitted `Novelty`, calibrated.
        sets: float16 (n, d), each.
    """
    chosen = novelty.sample(labels)
    rows, labels = rows[chosen], labels[chosen]
    parts = [x[rows], *sets]
    logit, *logits = (product(part, *head) for part in parts)
    mean, axes = components.principal_axes(x, rows, COMPONENTS)
    inside = [product(part, axes, -(mean @ axes)) for part in parts]
    outside = [_outside(part, mean, z) for part, z in zip(parts, inside, strict=True)]
    map_ = whitening.whitening(inside[0], labels, "within")
    z, *zs = (part @ map_ for part in inside)
    spaces = [
        novelty.scaled(part, own, measure.recipe)
        for part, own in zip(parts, (logit, *logits), strict=True)
    ]
    averages, *others = (average for average, _, _ in spaces)
    centres, scales = measure.arrays["centres"], measure.arrays["scales"]
    to_each = [np.sort(novelty.apart(own, centres) / scales, axis=1) for _, own, _ in spaces[1:]]
    both = [measure.distances(part, own) for part, own in zip(sets, logits, strict=True)]
    energy = [-special.logsumexp(a, axis=1) for a in logits]
    factor = logit.max(1).mean() / outside[0].mean()
    vim = [factor * far + e for far, e in zip(outside[1:], energy, strict=True)]
    result = {
        "largest softmax": [-special.softmax(a, axis=1).max(1) for a in logits],
        "largest logit": [-a.max(1) for a in logits],
        "energy": energy,
        "Mahalanobis, logits": gaussians(logit, labels, logits)[0],
        "relative Mahalanobis, logits": gaussians(logit, labels, logits)[1],
        "Mahalanobis, whitened components": gaussians(z, labels, zs)[0],
        "relative Mahalanobis, whitened components": gaussians(z, labels, zs)[1],
        "nearest neighbours, whitened components": neighbours(z, zs),
        "Mahalanobis, averages": gaussians(averages, labels, others)[0],
        "relative Mahalanobis, averages": gaussians(averages, labels, others)[1],
        "nearest neighbours, averages": neighbours(averages, others),
        "residual and energy (ViM)": vim,
        "distance to the nearest class": [each[:, 0] for each in to_each],
        "the same, against the second nearest": [
            each[:, 0] ** 1.5 / each[:, 1] ** 0.5 for each in to_each
        ],
        "distance to a class, against that of features": [b[:, 0] for b in both],
        "distance to all": [b[:, 1] for b in both],
        CHOSEN: [measure.joined(b) for b in both],
    }
    return result


def product(x, kernel, bias):
    return linear.logits(x, np.arange(len(x)), kernel, bias)


def _outside(x, mean, inside):
    """The length (n,) of what the components leave of x."""
    whole = [
        np.sum((x[i : i + 500].astype(np.float32) - mean) ** 2, 1) for i in range(0, len(x), 500)
    ]
    return np.sqrt(np.maximum(np.concatenate(whole) - np.sum(inside**2, 1), 0))


def figures(known, others):
    """AUROC of each set against the known pictures, and its false acceptances at 95% of them."""
    limit = np.quantile(known, 0.95)
    return [
        (
            float(roc_auc_score(np.repeat([0, 1], [len(known), len(x)]), np.r_[known, x])),
            float(np.mean(x <= limit)),
        )
        for x in others
    ]
