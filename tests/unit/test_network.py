"""The network's shape and its standardisation."""

import pytest
import torch
from torch import nn

from joblens.models.network import Standardise, build_network


def test_standardised_training_rows_have_mean_zero_and_variance_one():
    layer = Standardise(2)
    rows = torch.tensor([[1.0, 10.0], [3.0, 30.0]])  # means 2 and 20, deviations 1 and 10
    layer.fit(rows)
    assert layer(rows).tolist() == [[-1.0, -1.0], [1.0, 1.0]]


def test_a_dimension_that_never_varies_is_only_centred():
    layer = Standardise(1)
    layer.fit(torch.tensor([[5.0], [5.0]]))
    assert layer(torch.tensor([[5.0], [7.0]])).tolist() == [[0.0], [2.0]]


def test_the_standardisation_is_saved_with_the_weights():
    assert {"0.mean", "0.scale"} <= build_network(3, 2, (), 0.0).state_dict().keys()


@pytest.mark.parametrize(
    ("hidden", "widths"),
    [
        ((), [(5, 3)]),  # logistic regression
        ((8,), [(5, 8), (8, 3)]),
        ((8, 4), [(5, 8), (8, 4), (4, 3)]),
    ],
)
def test_hidden_widths_become_linear_layers(hidden, widths):
    network = build_network(5, 3, hidden, 0.1)
    found = [(layer.in_features, layer.out_features) for layer in network if isinstance(layer, nn.Linear)]
    assert found == widths
    assert network.eval()(torch.zeros(7, 5)).shape == (7, 3)


def test_dropout_acts_in_training_only():
    network = build_network(64, 2, (), 0.5)
    rows = torch.ones(1, 64)
    assert torch.equal(network.eval()(rows), network(rows))
    network.train()
    assert not torch.equal(network(rows), network(rows))
