"""A map of features in two dimensions: pictures with similar features lie together."""

import numpy as np
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

MOST = 2000  # pictures: t-SNE of that many takes seconds
FEWEST_TSNE = 50  # below it, the two first principal components say as much
COMPONENTS = 50
STEPS = 500  # of t-SNE. sklearn's 1,000 take twice as long and draw the groups a little tighter
WIDTH, HEIGHT = 1200, 900  # pixels
THUMBNAILS, FRAME = 300, 2  # at most this many; pixels around each
DISC = np.hypot(*np.mgrid[-3:4, -3:4]) < 3.4  # the dot of a picture
DOT_GREY, DOT_WRONG = (128, 128, 128, 170), (214, 69, 65, 255)  # seen on white and on black


def sample(n: int, seed: int = 0) -> np.ndarray:
    """int64 (min(n, MOST),): which of n pictures are on the map, ascending."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:MOST])


def positions(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Places pictures by their features: t-SNE of the first principal components.

    Args:
        features: float (m, d), of any scale.
        seed: of t-SNE.

    Returns:
        float64 (m, 2), each coordinate from 0 to 1; 0.5 where all pictures have the same.
    """
    features = np.asarray(features, np.float64)
    features = features - features.mean(axis=0)
    # Its threads wait for each other in each of many small steps: 2,000 pictures on two busy cores
    # took 41 and 72 s with two threads, 7 and 8 s with one.
    with threadpool_limits(1):
        left, strength, _ = np.linalg.svd(features, full_matrices=False)
        place = (left * strength)[:, :COMPONENTS]  # (m, 50), principal components
        if len(place) >= FEWEST_TSNE and place.shape[1] >= 2 and strength[1] > 0:
            tsne = TSNE(init="pca", perplexity=30, max_iter=STEPS, random_state=seed)
            place = tsne.fit_transform(place.astype(np.float32)).astype(np.float64)
    place = np.pad(place, ((0, 0), (0, 2)))[:, :2]
    low, high = place.min(axis=0), place.max(axis=0)
    return np.where(high > low, (place - low) / np.where(high > low, high - low, 1), 0.5)


def draw(place: np.ndarray, images: np.ndarray, wrong: np.ndarray, seed: int = 0) -> np.ndarray:
    """Draws the map: a dot for each picture, and thumbnails where there is room.

    Args:
        place: float (m, 2), 0 to 1, as `positions` gives it.
        images: uint8 (m, h, w, 3).
        wrong: bool (m,): these are marked in red.
        seed: of the order in which thumbnails are placed.

    Returns:
        RGBA uint8 (HEIGHT, WIDTH, 4), transparent between the pictures.
    """
    canvas = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    height, width = images.shape[1] + 2 * FRAME, images.shape[2] + 2 * FRAME
    rows = np.rint(place[:, 1] * (HEIGHT - height)).astype(int)
    columns = np.rint(place[:, 0] * (WIDTH - width)).astype(int)
    for i in np.argsort(wrong, kind="stable"):  # red ones last, on top
        y, x = rows[i] + height // 2 - 3, columns[i] + width // 2 - 3
        canvas[y : y + 7, x : x + 7][DISC] = DOT_WRONG if wrong[i] else DOT_GREY
    taken, shown = np.zeros((HEIGHT, WIDTH), bool), 0
    for i in np.random.default_rng(seed).permutation(len(place)):
        box = np.s_[rows[i] : rows[i] + height, columns[i] : columns[i] + width]
        if shown < THUMBNAILS and not taken[box].any():
            taken[box] = True
            shown += 1
            canvas[box] = 0
            edge = canvas[box] if wrong[i] else canvas[box][1:-1, 1:-1]  # two pixels, or one
            edge[:] = DOT_WRONG if wrong[i] else DOT_GREY
            inside = canvas[box][FRAME:-FRAME, FRAME:-FRAME]
            inside[..., :3], inside[..., 3] = images[i], 255
    return canvas
