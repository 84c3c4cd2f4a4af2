"""The report's map: like features lie together, pictures where they belong."""

import numpy as np

from lab.report import feature_map


def test_features_without_variance():
    """Features that are all the same have no directions; the map stays."""
    assert np.array_equal(feature_map.positions(np.ones((60, 5))), np.full((60, 2), 0.5))
    line = feature_map.positions(np.arange(60)[:, None])
    assert np.allclose(np.sort(line[:, 0]), np.linspace(0, 1, 60))


def test_map_puts_like_to_like():
    """Three far groups stay groups: each picture's neighbour on the map is of its own."""
    group = np.arange(150) % 3
    features = np.random.default_rng(0).normal(0, 1, (150, 30)) + 20 * np.eye(3, 30)[group]
    place = feature_map.positions(features)
    distance = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    np.fill_diagonal(distance, np.inf)
    assert np.array_equal(group[distance.argmin(axis=1)], group)
    assert place.min() == 0
    assert place.max() == 1


def test_map_draws_pictures_where_they_belong():
    """Opposite corners, unchanged pixels, the wrong one framed in red, clear ground between."""
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    drawn = feature_map.draw(np.array([[0, 0], [1, 1]]), images, np.array([False, True]))
    np.testing.assert_array_equal(drawn[2:34, 2:34, :3], images[0])
    np.testing.assert_array_equal(drawn[-34:-2, -34:-2, :3], images[1])
    assert tuple(drawn[-1, -1]) == feature_map.DOT_WRONG
    assert drawn[feature_map.HEIGHT // 2, feature_map.WIDTH // 2, 3] == 0
