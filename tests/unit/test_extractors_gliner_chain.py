"""Spans of a sentence weighed together, held against all ways to cut it."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from joblens.extractors.gliner_chain import chain_loss, from_chain, log_partition

LOW = np.array([1e-6, 1e-6])


def ways(words):
    """Every choice of spans (first, last) of that many words that do not overlap."""
    spans = [(first, last) for first in range(words) for last in range(first, words)]
    for count in range(words + 1):
        for chosen in itertools.combinations(spans, count):
            if all(one[1] < next_one[0] for one, next_one in itertools.pairwise(chosen)):
                yield chosen


def weight(scores, spans):
    """The weight of spans by (W, 3) scores."""
    return sum(
        scores[first, 0] + scores[last, 1] + scores[first : last + 1, 2].sum() for first, last in spans
    )


def by_counting(scores, words):
    """log Z and the probability of each span, from all ways to cut the first `words` words."""
    cuts = list(ways(words))
    weights = np.array([weight(scores, cut) for cut in cuts])
    everything = np.logaddexp.reduce(weights)
    chances: dict[tuple[int, int], float] = {}
    for cut, value in zip(cuts, weights, strict=True):
        for span in cut:
            chances[span] = chances.get(span, 0.0) + float(np.exp(value - everything))
    return everything, chances


def exists(lengths, words):
    return torch.arange(words)[None, :] < torch.tensor(lengths)[:, None]


@given(seed=st.integers(0, 2**32 - 1), lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_sums_and_probabilities_are_those_of_all_cuts(seed, lengths):
    scores = np.random.default_rng(seed).normal(0, 2, (len(lengths), max(lengths), 2, 3))
    sums = log_partition(torch.tensor(scores), exists(lengths, max(lengths)))
    found = from_chain(scores, lengths, np.full(2, 0.5))
    for row, words in enumerate(lengths):
        for label in range(2):
            everything, chances = by_counting(scores[row, :, label], words)
            assert sums[row, label].item() == pytest.approx(everything)
            sure = {span: chance for span, chance in chances.items() if chance > 0.5}
            ours = {(first, last): score for first, last, of, score in found[row] if of == label}
            assert ours == pytest.approx(sure)


@given(seed=st.integers(0, 2**32 - 1), threshold=st.floats(0.01, 0.9))
def test_spans_of_a_label_do_not_overlap_and_pass_its_threshold(seed, threshold):
    scores = np.random.default_rng(seed).normal(0, 1, (2, 8, 2, 3))
    for spans in from_chain(scores, [8, 6], np.array([threshold, 0.3])):
        assert spans == sorted(spans)
        for label, least in ((0, threshold), (1, 0.3)):
            own = [span for span in spans if span[2] == label]
            assert all(one[1] < other[0] for one, other in itertools.pairwise(own))
            assert all(score > least for *_, score in own)


def test_the_loss_is_the_likelihood_of_what_is_marked():
    scores = torch.randn(1, 4, 1, 3, generator=torch.Generator().manual_seed(3))
    labels = torch.zeros(1, 4, 1, 3)
    labels[0, 1, 0, 0] = labels[0, 2, 0, 1] = 1
    labels[0, 1:3, 0, 2] = 1
    everything, _ = by_counting(scores[0, :, 0].double().numpy(), 4)
    likelihood = weight(scores[0, :, 0].double().numpy(), [(1, 2)]) - everything
    loss = chain_loss(scores, labels, torch.ones(1, 1), torch.ones(1, 4))
    assert loss.item() == pytest.approx(-likelihood, rel=1e-5)


def test_labels_and_words_that_are_not_there_cost_nothing():
    scores = torch.randn(2, 6, 3, 3, generator=torch.Generator().manual_seed(4))
    labels = torch.zeros(2, 6, 3, 3)
    labels[0, 2, 1] = 1
    part = chain_loss(scores[:1, :4, :2], labels[:1, :4, :2], torch.ones(1, 2), torch.ones(1, 4))
    there = torch.tensor([[True, True, False], [False, False, False]])
    words = torch.tensor([[1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0]])
    assert chain_loss(scores, labels, there, words).item() == pytest.approx(part.item(), rel=1e-5)


def test_the_steps_of_training_find_the_marked_span():
    scores = torch.zeros(1, 9, 1, 3, requires_grad=True)
    labels = torch.zeros(1, 9, 1, 3)
    labels[0, 3, 0, 0] = labels[0, 6, 0, 1] = 1
    labels[0, 3:7, 0, 2] = 1
    optimiser = torch.optim.Adam([scores], lr=0.5)
    for _ in range(60):
        optimiser.zero_grad()
        chain_loss(scores, labels, torch.ones(1, 1), torch.ones(1, 9)).backward()
        optimiser.step()
    [(first, last, label, score)] = from_chain(scores.detach().numpy(), [9], np.array([0.5]))[0]
    assert (first, last, label) == (3, 6, 0)
    assert score > 0.95


@pytest.mark.parametrize("size", [30.0, 3000.0])
def test_long_texts_and_large_weights_stay_finite(size):
    scores = np.random.default_rng(5).normal(0, size, (1, 400, 2, 3)).astype(np.float32)
    tensor = torch.tensor(scores, requires_grad=True)
    loss = chain_loss(tensor, torch.zeros_like(tensor), torch.ones(1, 2), torch.ones(1, 400))
    loss.backward()
    assert torch.isfinite(loss)
    assert tensor.grad is not None
    assert torch.isfinite(tensor.grad).all()
    for *_, score in from_chain(scores, [400], LOW)[0]:
        assert 0 < score <= 1 + 1e-9


def test_nothing_is_found_in_nothing():
    assert from_chain(np.zeros((0, 0, 2, 3), np.float32), [], LOW) == []
