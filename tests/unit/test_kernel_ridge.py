"""The kernel expert, held against scikit-learn's kernel ridge regression."""

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge as Reference
from sklearn.metrics.pairwise import rbf_kernel

from joblens.models import kernel_ridge
from joblens.models.kernel_ridge import KernelRidge


def drawn(rows=60, width=7, classes=3, seed=0):
    """Vectors that float16 holds exactly, and targets."""
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(rows, width, generator=generator).half().float()
    return vectors, torch.randn(rows, classes, generator=generator)


def fit(vectors, targets, most=1000, reach=1.5, ridge=0.3, seed=0):
    return KernelRidge.fit(vectors, targets, most=most, reach=reach, ridge=ridge, seed=seed)


def test_with_all_vectors_as_landmarks_it_is_kernel_ridge_regression():
    vectors, targets = drawn()
    others, _ = drawn(seed=1)
    model = fit(vectors, targets)
    gamma = 1.5 / vectors.square().sum(dim=1).mean()
    assert float(model.gamma) == pytest.approx(float(gamma))
    reference = Reference(kernel="rbf", gamma=float(gamma), alpha=0.3).fit(vectors.double(), targets.double())
    expected = reference.predict(others.double())
    np.testing.assert_allclose(model(others).detach().numpy(), expected, atol=1e-4)


def test_with_fewer_landmarks_it_is_ridge_regression_on_the_kernel_of_these():
    vectors, targets = drawn()
    model = fit(vectors, targets, most=20)
    landmarks = model.landmarks.float()
    assert landmarks.shape == (20, 7)
    assert {tuple(row) for row in landmarks.tolist()} <= {tuple(row) for row in vectors.tolist()}
    seen = rbf_kernel(vectors.double(), landmarks.double(), float(model.gamma))
    penalty = 0.3 * rbf_kernel(landmarks.double(), gamma=float(model.gamma))
    expected = np.linalg.solve(seen.T @ seen + penalty, seen.T @ targets.double().numpy())
    np.testing.assert_allclose(model.weight.detach().numpy(), expected, rtol=1e-2, atol=1e-3)


def test_it_parts_what_no_plane_can():
    """Exclusive or: each class has two opposite corners."""
    corners = torch.tensor([[0.0, 1], [1, 0], [0, -1], [-1, 0]]).repeat(10, 1)
    targets = torch.tensor([[1.0, -1], [-1, 1], [1, -1], [-1, 1]]).repeat(10, 1)
    vectors = corners + 0.1 * torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    assert bool((fit(vectors, targets)(corners).argmax(dim=1) == targets.argmax(dim=1)).all())


def test_one_seed_draws_the_same_landmarks_and_another_seed_others():
    vectors, targets = drawn()
    first, again, other = (fit(vectors, targets, most=9, seed=seed).landmarks for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_same_vector_twice_can_be_solved():
    vectors, targets = drawn(5)
    model = fit(vectors.repeat(4, 1), targets.repeat(4, 1), ridge=1e-6)
    np.testing.assert_allclose(model(vectors).detach().numpy(), targets.numpy(), atol=1e-2)


def test_of_zeros_nothing_is_said():
    model = fit(*drawn())
    assert bool((model(torch.zeros(2, 7)) == 0).all())


@pytest.mark.parametrize(("rows", "most"), [(0, 10), (10, 0)])
def test_without_landmarks_nothing_is_said(rows, most):
    model = fit(*drawn(rows), most=most)
    assert model.landmarks.shape == (0, 7)
    assert bool((model(drawn(4)[0]) == 0).all())
    assert model(drawn(4)[0]).shape == (4, 3)


def test_vectors_of_zeros_teach_nothing():
    vectors, targets = drawn(30)
    with_zeros, wanted = torch.cat([vectors, torch.zeros(20, 7)]), torch.cat([targets, drawn(20)[1]])
    model, alone = fit(with_zeros, wanted), fit(vectors, targets)
    assert model.landmarks.shape == (30, 7)
    np.testing.assert_allclose(model(vectors).detach().numpy(), alone(vectors).detach().numpy(), atol=1e-4)
    assert fit(torch.zeros(6, 7), drawn(6)[1]).landmarks.shape == (0, 7)


def test_many_vectors_are_read_in_parts(monkeypatch):
    vectors, targets = drawn()
    whole = fit(vectors, targets, most=20)
    monkeypatch.setattr(kernel_ridge, "_AT_ONCE", 7)
    parts = fit(vectors, targets, most=20)
    np.testing.assert_allclose(parts(vectors).detach().numpy(), whole(vectors).detach().numpy(), atol=1e-4)
