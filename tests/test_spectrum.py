"""Eigenvalues and eigenvectors, against a covariance that was made of known ones."""

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from lab.features import spectrum as module
from lab.features.spectrum import spectrum


def made_of(values, seed=0):
    """A symmetric float32 matrix with these eigenvalues, and its eigenvectors in their order."""
    generator = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(generator.normal(size=(len(values), len(values))))
    return ((axes * values) @ axes.T).astype(np.float32), axes


def test_it_finds_what_the_matrix_was_made_of():
    """The values ascend, and each vector is the known one or its opposite."""
    wanted = np.linspace(1, 60, 60)
    matrix, axes = made_of(wanted)
    values, vectors = spectrum(matrix)
    assert values.dtype == vectors.dtype == np.float32
    np.testing.assert_allclose(values, wanted, rtol=1e-4)
    np.testing.assert_allclose(np.abs(np.sum(vectors * axes, axis=0)), 1, atol=1e-3)


def test_one_core_computes_and_the_others_come_back(monkeypatch):
    """While it computes, each library for products has one thread; afterwards as many as before."""

    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    during, whole = [], module.linalg.eigh
    monkeypatch.setattr(
        module.linalg, "eigh", lambda *args, **how: during.extend(threads()) or whole(*args, **how)
    )
    with threadpool_limits(2, "blas"):
        spectrum(made_of(np.arange(1.0, 9.0))[0])
        assert set(threads()) == {2}
    assert during and set(during) == {1}
