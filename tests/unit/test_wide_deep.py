"""The wide-and-deep network: what each expert reads of an advert, and how their scores become logits."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from joblens.models.kernel_ridge import KernelRidge
from joblens.models.network import build_network
from joblens.models.ngrams import NgramBlock, SparseLinear, ngram_counts
from joblens.models.occupation_groups import OccupationGroups
from joblens.models.wide_deep import (
    EXPERTS,
    LABEL_SCALE,
    Fusion,
    Inputs,
    Shape,
    WideDeep,
    flat,
    label_scores,
    logits_of,
    read_features,
)

SIDES = (3, 2, 2)
BUCKETS = 64
TITLES = ["Kok", "Tømrer", "", "Sygeplejerske"]
TEXTS = ["Kok\nLav mad", "Tømrer\nByg huse af træ", "Pas børn", "Sygeplejerske"]
"""The third advert has no title, the fourth no text."""
GATES = [[0, 0], [0, 0], [1, 0], [0, 1]]


def vectors_of(count, sides=SIDES):
    """Random vectors as an encoder gives them: each side of its own length, all together of length 1."""
    generator = torch.Generator().manual_seed(0)
    return normalize(torch.randn(count, sum(sides), generator=generator), dim=1)


def adverts(sides=SIDES):
    """The four adverts; the one without a title has zeros on that side."""
    vectors = vectors_of(4, sides)
    if len(sides) > 1:
        vectors[2, sides[0] : sides[0] + sides[1]] = 0
    return Inputs(vectors, TITLES, TEXTS)


def make_occupations():
    """Five occupations, in two groups and alone."""
    groups = OccupationGroups(5, SIDES[1], (2, 5))
    groups.vectors.copy_(
        normalize(torch.randn(5, SIDES[1], generator=torch.Generator().manual_seed(1)), dim=1)
    )
    groups.members.copy_(torch.tensor([[0, 0, 1, 1, 1], [0, 1, 2, 3, 4]]))
    groups.temperatures.fill_(0.5)
    return groups


def make_network(sides=SIDES, classes=3, with_occupations=True):
    """A network whose numbers are random, as if it had learned from the four adverts."""
    torch.manual_seed(2)
    text = NgramBlock.fit(ngram_counts(TEXTS, BUCKETS), 1)
    title = NgramBlock.fit(ngram_counts(TITLES, BUCKETS), 1)
    occupations = make_occupations() if with_occupations else None
    network = WideDeep(
        Shape(
            sides=sides,
            classes=classes,
            buckets=BUCKETS,
            text_ngrams=len(text.buckets),
            title_ngrams=len(title.buckets),
            occupations=5 if with_occupations else 0,
            groups=(2, 5) if with_occupations else (),
            landmarks=4,
        )
    )
    network.text_block, network.title_block, network.occupations = text, title, occupations
    dice = np.random.default_rng(0)
    network.wide = SparseLinear.of(dice.normal(size=(len(text.buckets), classes)))
    network.title_ngrams = SparseLinear.of(dice.normal(size=(len(title.buckets), classes)))
    network.label_vectors.copy_(vectors_of(classes, sides))
    read = features_of(adverts(sides), sides, occupations).kernel
    network.kernel = KernelRidge.fit(read, torch.randn(4, classes), most=4, reach=1.5, ridge=0.3, seed=0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
    return network.eval().requires_grad_(False)


def empty_network(sides=SIDES, classes=3):
    """No expert has learned anything."""
    return WideDeep(Shape(sides, classes, BUCKETS, 0, 0)).eval().requires_grad_(False)


def features_of(inputs, sides=SIDES, occupations=None):
    return read_features(inputs, sides, BUCKETS, occupations)


# --- features --------------------------------------------------------------------------------------------


def test_gates_say_whether_the_title_or_the_text_is_missing():
    assert features_of(adverts()).gates.tolist() == GATES


@pytest.mark.parametrize(
    ("title", "text", "missing"),
    [
        ("Kok", "Kok\nLav mad", [0, 0]),
        ("", "Lav mad", [1, 0]),
        (" \n", "Lav mad", [1, 0]),
        ("Kok", "Kok", [0, 1]),
        (" Kok ", "Kok\n", [0, 1]),
        ("Kok", "", [0, 1]),
        ("Kok", " \n", [0, 1]),
        ("Kok", "Kokkeelev", [0, 0]),
        ("", "", [1, 1]),
        (" ", "\n", [1, 1]),
    ],
)
def test_a_text_that_only_repeats_the_title_is_none(title, text, missing):
    assert features_of(Inputs(vectors_of(1), [title], [text])).gates.tolist() == [missing]


def test_each_side_has_length_one_where_there_is_something_to_read():
    text, title, words = features_of(adverts()).sides
    assert text.norm(dim=1).tolist() == pytest.approx([1, 1, 1, 0])  # the last advert has no text
    assert title.norm(dim=1).tolist() == pytest.approx([1, 1, 0, 1])
    assert words.norm(dim=1).tolist() == pytest.approx([1, 1, 1, 0])
    torch.testing.assert_close(text[0], normalize(adverts().vectors[0, :3], dim=0))
    torch.testing.assert_close(words[0], normalize(adverts().vectors[0, 5:], dim=0))


def test_ngrams_of_the_title_stand_apart_from_those_of_title_and_text():
    features = features_of(adverts())
    for found, texts in (
        (features.text_ngrams, [*TEXTS[:3], ""]),  # the last advert has no text
        (features.title_ngrams, TITLES),
    ):
        assert (found != ngram_counts(texts, BUCKETS)).nnz == 0


def test_occupations_are_those_of_the_title():
    occupations = make_occupations()
    features = features_of(adverts(), occupations=occupations)
    assert torch.equal(features.occupations, occupations(features.sides[1]))
    assert features.occupations[2].tolist() == [0] * 7
    assert features_of(adverts()).occupations.shape == (4, 0)


def test_the_title_expert_reads_the_titles_side_and_the_occupations_to_scale():
    features = features_of(adverts(), occupations=make_occupations())
    torch.testing.assert_close(
        features.title_dense, torch.cat([1.5 * features.sides[1], 0.5 * features.occupations], dim=1)
    )
    torch.testing.assert_close(features.deep, torch.cat([*features.sides, 0.5 * features.occupations], dim=1))


def test_some_rows_are_those_adverts():
    inputs, chosen = adverts(), torch.tensor([2, 0])
    occupations = make_occupations()
    found = features_of(inputs, occupations=occupations).rows(chosen)
    expected = features_of(inputs.rows(chosen), occupations=occupations)
    assert (found.text_ngrams != expected.text_ngrams).nnz == 0
    assert (found.title_ngrams != expected.title_ngrams).nnz == 0
    for one, other in zip(found.sides, expected.sides, strict=True):
        assert torch.equal(one, other)
    torch.testing.assert_close(found.occupations, expected.occupations)
    assert torch.equal(found.gates, expected.gates)


def test_an_advert_without_its_title_keeps_its_text():
    whole = features_of(adverts(), occupations=make_occupations())
    less = whole.without("title")
    assert less.gates.tolist() == [[1, 0], [1, 0], [1, 0], [1, 1]]
    assert less.title_ngrams.nnz == less.sides[1].count_nonzero() == less.occupations.count_nonzero() == 0
    assert less.title_ngrams.shape == whole.title_ngrams.shape
    assert (less.text_ngrams != whole.text_ngrams).nnz == 0
    assert torch.equal(less.sides[0], whole.sides[0])
    assert torch.equal(less.sides[2], whole.sides[2])


def test_an_advert_without_its_text_is_read_as_one_that_is_nothing_but_a_title():
    occupations = make_occupations()
    less = features_of(adverts(), occupations=occupations).without("text")
    alone = features_of(Inputs(adverts().vectors, TITLES, TITLES), occupations=occupations)
    assert less.gates.tolist() == alone.gates.tolist() == [[0, 1], [0, 1], [1, 1], [0, 1]]
    assert less.text_ngrams.nnz == alone.text_ngrams.nnz == 0
    assert less.text_ngrams.shape == alone.text_ngrams.shape
    assert (less.title_ngrams != alone.title_ngrams).nnz == 0
    for one, other in zip(less.sides, alone.sides, strict=True):
        assert torch.equal(one, other)
    assert torch.equal(less.occupations, alone.occupations)


def test_taking_a_part_away_leaves_the_features_as_they_were():
    features = features_of(adverts(), occupations=make_occupations())
    for part in ("title", "text"):
        features.without(part)
    again = features_of(adverts(), occupations=make_occupations())
    assert torch.equal(features.gates, again.gates)
    assert features.text_ngrams.nnz == again.text_ngrams.nnz
    assert features.title_ngrams.nnz == again.title_ngrams.nnz


# --- label texts -----------------------------------------------------------------------------------------


def test_label_scores_are_mean_cosines_less_their_mean_over_labels():
    # Cosines with three labels: 1, 0, 0.6 on one side and 0, 0, 1 on the other; means 0.5, 0, 0.8.
    one, other = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    of_one = torch.tensor([[2.0, 0.0], [0.0, 5.0], [0.6, 0.8]])  # lengths do not count
    of_other = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 3.0]])
    found = label_scores([one, other], [of_one, of_other])
    middle = 1.3 / 3
    expected = [LABEL_SCALE * (mean - middle) for mean in (0.5, 0, 0.8)]
    assert found.tolist() == [pytest.approx(expected, abs=1e-6)]


def test_an_advert_that_nobody_can_read_is_as_near_to_all_labels():
    labels = vectors_of(3)
    sides = [torch.zeros(1, width) for width in SIDES]
    found = label_scores(sides, torch.split(labels, list(SIDES), dim=1))
    assert found.tolist() == [[0, 0, 0]]


def test_a_label_is_known_without_a_single_advert():
    network = empty_network()
    network.label_vectors.copy_(vectors_of(3))
    inputs = Inputs(vectors_of(3), ["Kok"] * 3, ["Kok\nLav mad"] * 3)
    assert network(inputs).argmax(dim=1).tolist() == [0, 1, 2]


# --- the fusion ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (0, [0.5 + 2 * 1 + 3, -1 + 2 * 5 * 2 + 4]),
        (1, [0.5 + 6 * 1 + 3, -1 + 6 * 5 * 2 + 4]),  # the gate trusts the first expert three times as much
    ],
)
def test_a_logit_is_the_sum_of_what_experts_say_times_how_much_they_are_trusted(gate, expected):
    # The first expert is trusted twice, and five times as much about the second label.
    fusion = Fusion(classes=2, experts=2, gates=1)
    with torch.no_grad():
        fusion.trust.copy_(torch.tensor([math.log(2), 0]))
        fusion.gate.copy_(torch.tensor([[math.log(3), 0]]))
        fusion.label_trust.copy_(torch.tensor([[0, math.log(5)], [0, 0]]))
        fusion.bias.copy_(torch.tensor([0.5, -1]))
    scores, gates = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), torch.tensor([[float(gate)]])
    assert fusion(flat(scores, gates)).tolist() == [pytest.approx(expected)]


def test_at_the_start_all_experts_are_equals():
    scores = torch.randn(5, len(EXPERTS), 3, generator=torch.Generator().manual_seed(0))
    gates = torch.tensor([[0.0, 0], [1, 0], [0, 1], [1, 1], [0, 0]])
    torch.testing.assert_close(Fusion(3)(flat(scores, gates)), scores.sum(dim=1))


# --- the network -----------------------------------------------------------------------------------------


def test_experts_speak_in_their_order():
    network = empty_network()
    with torch.no_grad():
        network.wide_bias.fill_(1)
        network.title_bias.fill_(2)
        network.deep.bias.fill_(3)
    scores = network.scores(features_of(adverts()))
    assert scores.shape == (4, len(EXPERTS), 3)
    assert EXPERTS == ("wide", "title", "deep", "kernel", "labels")
    assert scores[0].tolist() == [[1] * 3, [2] * 3, [3] * 3, [0] * 3, [0] * 3]


@pytest.mark.parametrize(
    ("expert", "changed"), [("wide", "text"), ("title", "title"), ("deep", "vectors"), ("labels", "vectors")]
)
def test_an_expert_reads_its_own_part_only(expert, changed):
    """Each part is changed alone; only the named one may change what the expert says."""
    network, place, inputs = make_network(with_occupations=False), EXPERTS.index(expert), adverts()
    sides = SIDES[0]
    moved = inputs.vectors.clone()
    moved[:, :sides] = vectors_of(8)[4:, :sides]  # the text's side; the title's is the title expert's too
    others = {
        "text": Inputs(inputs.vectors, TITLES, [f"{text} nye ord" for text in TEXTS[:3]] + TEXTS[3:]),
        "title": Inputs(inputs.vectors, ["Chef", "Murer", "", "Læge"], [*TEXTS[:3], "Læge"]),
        "vectors": Inputs(moved, TITLES, TEXTS),
    }
    before = network.scores(features_of(inputs))[:, place]
    for part, other in others.items():
        after = network.scores(features_of(other))[:, place]
        assert torch.allclose(before, after) == (part != changed)


@pytest.mark.parametrize("sides", [SIDES, (4,)])
def test_a_new_network_draws_no_random_numbers_and_says_nothing(sides):
    before = torch.get_rng_state()
    network = empty_network(sides)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(network(adverts(sides)), torch.zeros(4, 3))


def test_every_part_is_read():
    network, inputs = make_network(), adverts()
    assert network(inputs).shape == (4, 3)
    first = network(inputs)[0]
    for other in (
        Inputs(-inputs.vectors, TITLES, TEXTS),
        Inputs(inputs.vectors, ["Chef", *TITLES[1:]], TEXTS),
        Inputs(inputs.vectors, TITLES, ["Kok\nKør bus", *TEXTS[1:]]),
    ):
        assert not torch.allclose(network(other)[0], first)


def test_the_order_of_adverts_does_not_matter():
    network, inputs, order = make_network(), adverts(), torch.tensor([3, 1, 0, 2])
    torch.testing.assert_close(network(inputs.rows(order)), network(inputs)[order])


@pytest.mark.parametrize("row", range(4))
def test_one_advert_alone_gets_the_logits_it_gets_among_others(row):
    network, inputs = make_network(), adverts()
    torch.testing.assert_close(network(inputs.rows(torch.tensor([row])))[0], network(inputs)[row])


def test_of_an_advert_without_title_and_text_experts_know_nothing_but_their_bias():
    network = make_network()
    inputs = Inputs(adverts().vectors[2:3], [""], [""])  # the title's side is zeros
    (scores,) = network.scores(features_of(inputs, occupations=network.occupations))
    expected = [network.wide_bias, network.title_bias, network.deep.bias, torch.zeros(3), torch.zeros(3)]
    torch.testing.assert_close(scores, torch.stack(expected))


@pytest.mark.parametrize("sides", [(4,), (4, 2), (4, 2, 2)])
def test_an_encoder_may_have_one_side_or_more(sides):
    network = make_network(sides, with_occupations=False)
    logits = network(adverts(sides))
    assert logits.shape == (4, 3)
    assert bool(logits.isfinite().all())
    assert network.title_dense.in_features == (2 if len(sides) > 1 else 0)


def test_an_encoder_with_one_side_reads_titles_by_their_ngrams():
    network, inputs = make_network((4,), with_occupations=False), adverts((4,))
    title = EXPERTS.index("title")
    features = read_features(inputs, (4,), BUCKETS, None)
    scores = network.scores(features)[:, title]
    torch.testing.assert_close(scores[2], network.title_bias)
    assert not torch.allclose(scores[0], network.title_bias)
    assert features.without("title").sides[0].count_nonzero() > 0
    assert features.without("text").sides[0].count_nonzero() == 0


# --- logits ----------------------------------------------------------------------------------------------


def test_a_dense_network_reads_vectors_alone():
    network = build_network(7, 3, (), 0.0).eval()
    inputs = adverts()
    torch.testing.assert_close(logits_of(network, inputs), network(inputs.vectors).detach())


@pytest.mark.parametrize(
    "network", [make_network(), build_network(7, 3, (), 0.0).eval()], ids=["wide", "dense"]
)
def test_logits_are_plain_tensors_that_may_be_used_further(network):
    logits = logits_of(network, adverts())
    assert not logits.is_inference()
    assert not logits.requires_grad


# --- what a file may hold --------------------------------------------------------------------------------


def test_a_network_that_was_trained_has_no_fault():
    assert make_network().fault() is None
    assert make_network(with_occupations=False).fault() is None
    assert empty_network().fault() is None  # no n-gram at all


def out_of_order(network):
    network.text_block.buckets[1] = network.text_block.buckets[2]


def falling(network):
    network.text_block.buckets.copy_(network.text_block.buckets.flip(0))


def below_the_first(network):
    network.title_block.buckets[0] = -1


def beyond_the_last(network):
    network.title_block.buckets[-1] = 2 * BUCKETS


def below_the_first_group(network):
    network.occupations.members[0, 0] = -1


def beyond_the_groups_of_a_level(network):
    network.occupations.members[0, 4] = 2  # the first level has groups 0 and 1, the second five


def without_heat(network):
    network.occupations.temperatures[1] = 0


def below_zero(network):
    network.occupations.temperatures[0] = -1


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (out_of_order, "text_block.buckets should rise within [0, 128)"),
        (falling, "text_block.buckets should rise within [0, 128)"),
        (below_the_first, "title_block.buckets should rise within [0, 128)"),
        (beyond_the_last, "title_block.buckets should rise within [0, 128)"),
        (below_the_first_group, "occupations.members names a group that is not there"),
        (beyond_the_groups_of_a_level, "occupations.members names a group that is not there"),
        (without_heat, "occupations.temperatures should be above 0"),
        (below_zero, "occupations.temperatures should be above 0"),
    ],
)
def test_numbers_that_cannot_be_are_named(damage, words):
    network = make_network()
    damage(network)
    assert network.fault() == words


def test_the_last_bucket_and_the_last_group_are_allowed():
    network = make_network()
    network.text_block.buckets[-1] = 2 * BUCKETS - 1
    network.text_block.buckets[0] = 0
    network.occupations.members[1, 0] = 4
    assert network.fault() is None
