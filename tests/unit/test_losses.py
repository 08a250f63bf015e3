"""Losses against arithmetic by hand and against torch and scikit-learn."""

from math import log

import pytest
import torch
from torch.nn.functional import cross_entropy

from joblens.models.losses import ClassificationLoss, balanced_weights, focal_loss

EVEN = torch.zeros(1, 2)
"""Two classes at probability 1/2 each."""

THREE_TO_ONE = torch.tensor([[log(3.0), 0.0]])
"""Class 0 at probability 3/4, class 1 at 1/4."""


@pytest.mark.parametrize(
    ("logits", "label", "gamma", "expected"),
    [
        (EVEN, 0, 2.0, 0.25 * log(2)),  # (1 - 1/2)^2 * -log(1/2)
        (THREE_TO_ONE, 0, 2.0, (1 / 16) * log(4 / 3)),  # (1 - 3/4)^2 * -log(3/4)
        (THREE_TO_ONE, 1, 2.0, (9 / 16) * log(4)),  # (1 - 1/4)^2 * -log(1/4)
        (THREE_TO_ONE, 1, 1.0, (3 / 4) * log(4)),
        (THREE_TO_ONE, 1, 0.0, log(4)),  # plain cross-entropy
    ],
)
def test_the_focal_loss_is_the_formula_of_the_paper(logits, label, gamma, expected):
    assert float(focal_loss(logits, torch.tensor([label]), gamma)) == pytest.approx(expected, rel=1e-6)


def test_the_focal_loss_averages_over_rows():
    logits = torch.cat([THREE_TO_ONE, THREE_TO_ONE])
    found = float(focal_loss(logits, torch.tensor([0, 1]), 0.0))
    assert found == pytest.approx((log(4 / 3) + log(4)) / 2, rel=1e-6)


def test_class_weights_weigh_rows_and_divide_by_their_sum():
    logits = torch.cat([THREE_TO_ONE, THREE_TO_ONE])
    found = float(focal_loss(logits, torch.tensor([0, 1]), 0.0, weights=torch.tensor([1.0, 3.0])))
    assert found == pytest.approx((1 * log(4 / 3) + 3 * log(4)) / 4, rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 1.0, 2.0])])
def test_gamma_zero_is_the_cross_entropy_of_torch(smoothing, weights):
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(20, 3, generator=generator), torch.randint(3, (20,), generator=generator)
    expected = cross_entropy(logits, labels, weight=weights, label_smoothing=smoothing)
    assert float(focal_loss(logits, labels, 0.0, weights, smoothing)) == pytest.approx(
        float(expected), rel=1e-6
    )


def test_label_smoothing_spreads_its_share_over_all_classes():
    loss = ClassificationLoss(kind="cross_entropy", gamma=0.0, weights=None, label_smoothing=0.2)
    # Targets 0.9 and 0.1 instead of 1 and 0.
    expected = 0.9 * log(4 / 3) + 0.1 * log(4)
    assert float(loss(THREE_TO_ONE, torch.tensor([0]))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", ["cross_entropy", "focal"])
def test_the_configured_loss_is_the_one_computed(kind):
    loss = ClassificationLoss(kind=kind, gamma=2.0, weights=None, label_smoothing=0.0)
    expected = {"cross_entropy": log(2), "focal": 0.25 * log(2)}[kind]
    assert float(loss(EVEN, torch.tensor([1]))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_the_gradient_is_finite_where_a_row_is_certain(gamma):
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    focal_loss(logits, torch.tensor([0]), gamma).backward()
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())


def test_balanced_weights_are_the_inverse_of_class_sizes():
    # N / (C * size): 4 / (2 * 3) and 4 / (2 * 1).
    assert balanced_weights(torch.tensor([0, 0, 0, 1]), 2).tolist() == pytest.approx([2 / 3, 2.0])


def test_balanced_weights_are_those_of_scikit_learn():
    import numpy as np
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.array([0, 0, 1, 1, 1, 2, 3, 3, 3, 3])
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    assert balanced_weights(torch.from_numpy(labels), 4).tolist() == pytest.approx(expected.tolist())


def test_a_class_without_rows_weighs_nothing_and_does_not_change_the_others():
    assert balanced_weights(torch.tensor([0, 0, 0, 1]), 3).tolist() == pytest.approx([2 / 3, 2.0, 0.0])


def test_class_weights_are_not_part_of_the_weights_that_are_saved():
    loss = ClassificationLoss(kind="focal", gamma=2.0, weights=torch.ones(3), label_smoothing=0.0)
    assert loss.state_dict() == {}
