"""The title encoder's table while it is trained: loss, what counts as alike, validation and the stop.

Most tables here have no n-grams, so each word has one row of the table, and its direction is set by hand.
"""

from __future__ import annotations

from math import cos, exp, log, radians, sin

import numpy as np
import pytest
import torch

from joblens.config import TitlesFlow, compose_flow
from joblens.encoders.title_features import feature_ids, title_words
from joblens.encoders.titles import Shape, TitleEncoder, quantised
from joblens.errors import DataError
from joblens.finetune.titles import held_out_concepts, unseen_labels, without_unseen
from joblens.finetune.titles.concepts import Concept, Vocabulary
from joblens.finetune.titles.network import TitleNetwork, first_table
from joblens.finetune.titles.pairs import Batch, Pairs
from joblens.finetune.titles.training import (
    Validation,
    alike,
    contrastive_loss,
    embed,
    neighbours,
    train,
)

ONE_ROW_A_WORD = Shape(buckets=8192, dimensions=2, shortest=1, longest=0)
LETTERS = Shape(buckets=512, dimensions=16, shortest=3, longest=5)
NONE_ALIKE = torch.eye(2, dtype=torch.bool)


def row_of(word):
    [row], _ = feature_ids([word], buckets=ONE_ROW_A_WORD.buckets, shortest=1, longest=0)
    return int(row)


def network_of(**degrees):
    """A network in which each word points to so many degrees."""
    table = torch.zeros(ONE_ROW_A_WORD.buckets, 2)
    for word, angle in degrees.items():
        table[row_of(word)] = torch.tensor([cos(radians(angle)), sin(radians(angle))])
    assert len({row_of(word) for word in degrees}) == len(degrees)  # no two words share a row
    return TitleNetwork(ONE_ROW_A_WORD, table)


def unit(rows):
    return torch.nn.functional.normalize(torch.tensor(rows, dtype=torch.float32), dim=1)


@pytest.mark.parametrize(
    ("temperature", "expected"),
    [
        (1.0, log(1 + exp(-1))),  # the partner's score is 1 and the stranger's 0
        (0.5, log(1 + exp(-2))),  # the same, doubled
    ],
)
def test_the_loss_is_the_cross_entropy_of_the_partner_among_all(temperature, expected):
    titles = torch.eye(2)
    found = contrastive_loss(titles, titles, NONE_ALIKE, temperature)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_the_loss_is_the_mean_of_both_directions():
    first, second = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.eye(2)
    # Scores: [[1, 0], [1, 0]]. To the second titles: log(1 + 1/e) and log(1 + e); back: log 2 twice.
    expected = ((log(1 + exp(-1)) + log(1 + exp(1))) / 2 + log(2)) / 2
    assert float(contrastive_loss(first, second, NONE_ALIKE, 1.0)) == pytest.approx(expected, rel=1e-6)


def test_pairs_that_are_alike_are_no_negatives():
    titles = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    both = torch.ones(2, 2, dtype=torch.bool)
    assert float(contrastive_loss(titles, titles, NONE_ALIKE, 1.0)) == pytest.approx(log(2), rel=1e-6)
    assert float(contrastive_loss(titles, titles, both, 1.0)) == 0.0  # only the partner is left


def test_only_the_pairs_that_are_alike_are_left_out():
    titles = unit([[1, 0], [1, 0], [1, 0]])
    same = torch.eye(3, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    # Rows 0 and 1 have the choice between two, row 2 between three; scores are all equal.
    assert float(contrastive_loss(titles, titles, same, 0.05)) == pytest.approx(
        (log(2) + log(2) + log(3)) / 3, rel=1e-6
    )


def naive_loss(first, second, same, temperature):
    total = 0.0
    for rows, others in ((first, second), (second, first)):
        for row, vector in enumerate(rows):
            scores = [
                float(vector @ other) / temperature
                for place, other in enumerate(others)
                if place == row or not same[row, place]
            ]
            own = float(vector @ others[row]) / temperature
            total += log(sum(exp(score) for score in scores)) - own
    return total / (2 * len(first))


def test_the_loss_is_that_of_a_loop_over_all_pairs():
    generator = torch.Generator().manual_seed(1)
    first, second = (
        torch.nn.functional.normalize(torch.randn(9, 4, generator=generator), dim=1) for _ in "12"
    )
    keys = torch.tensor([0, 1, 2, 0, 3, 1, 4, 5, 0])
    same = keys.unsqueeze(1) == keys.unsqueeze(0)
    expected = naive_loss(first, second, same, 0.2)
    assert float(contrastive_loss(first, second, same, 0.2)) == pytest.approx(expected, rel=1e-5)


def batch_of(*pairs):
    """A batch of (key, code, is a group)."""
    keys, codes, groups = zip(*pairs, strict=True)
    meanings = [[] for _ in pairs]
    return Batch(["a"] * len(pairs), ["b"] * len(pairs), list(keys), meanings, list(codes), list(groups))


def pairs_alike(*pairs):
    """The places of two different pairs that are alike; both orders are checked."""
    found = alike(batch_of(*pairs))
    assert torch.equal(found, found.T)
    assert bool(found.diagonal().all())
    return {(int(row), int(column)) for row, column in found.nonzero() if row < column}


def test_pairs_of_one_key_are_alike():
    assert pairs_alike((0, "", False), (1, "", False), (0, "", False)) == {(0, 2)}


def test_pairs_whose_title_the_others_concept_has_too_are_alike():
    batch = Batch(["a"] * 4, ["b"] * 4, [0, 1, 2, 1], [[1], [], [], []], [""] * 4, [False] * 4)
    expected = torch.tensor([[1, 1, 0, 1], [1, 1, 0, 1], [0, 0, 1, 0], [1, 1, 0, 1]], dtype=torch.bool)
    assert torch.equal(alike(batch), expected)


def test_occupations_of_one_code_are_not_alike():
    assert pairs_alike((0, "5120", False), (1, "5120", False)) == set()


@pytest.mark.parametrize("code", ["512", "5120"])
def test_a_minor_or_unit_group_is_alike_to_its_occupations(code):
    found = pairs_alike((0, code, True), (1, "5120", False), (2, "5131", False), (3, "5120", False))
    assert found == {(0, 1), (0, 3)}


@pytest.mark.parametrize("code", ["5", "51"])
def test_a_wide_group_is_not_alike_to_its_occupations(code):
    assert pairs_alike((0, code, True), (1, "5120", False)) == set()


def test_a_minor_group_is_alike_to_its_unit_groups():
    assert pairs_alike((0, "512", True), (1, "5120", True), (2, "513", True)) == {(0, 1)}


@pytest.fixture
def network():
    generator = torch.Generator().manual_seed(1)
    return TitleNetwork(LETTERS, torch.randn(LETTERS.buckets, LETTERS.dimensions, generator=generator))


TITLES = ["ship's cook", "Tømrer (m/k), Ærø", "nurse nurse nurse", "a", "!", "", "C++ developer"]


def test_the_network_gives_the_vectors_of_the_encoder_that_is_made_of_it(network):
    codes, scales = quantised(network.table.detach().numpy())
    rounded = torch.from_numpy(codes.astype(np.float32) * scales.astype(np.float32)[:, None])
    expected = TitleEncoder(LETTERS, codes, scales).vectors(TITLES)
    found = TitleNetwork(LETTERS, rounded)(TITLES)
    assert found.shape == (7, 16)
    assert found.detach().numpy() == pytest.approx(expected, abs=1e-5)


def test_a_byte_a_number_hardly_changes_a_vector(network):
    encoder = TitleEncoder(LETTERS, *quantised(network.table.detach().numpy()))
    cosines = (network(TITLES).detach() * torch.from_numpy(encoder.vectors(TITLES))).sum(dim=1)
    assert float(cosines.min()) > 0.999


def test_a_title_is_the_sum_of_its_words_with_length_one():
    network = network_of(ship=0, cook=90)
    [both] = network(["ship cook"]).tolist()
    assert both == pytest.approx([0.5**0.5, 0.5**0.5])
    [twice] = network(["ship cook cook"]).tolist()
    assert twice == pytest.approx([0.5**0.5, 0.5**0.5])  # a word counts once


def test_only_the_rows_of_a_title_learn_from_it(network):
    vectors = network(["ship cook", "nurse"])
    (vectors @ vectors.T).sum().backward()
    ids, _ = feature_ids(
        ["ship", "cook", "nurse"], buckets=LETTERS.buckets, shortest=LETTERS.shortest, longest=LETTERS.longest
    )
    assert set(network.table.grad.abs().sum(dim=1).nonzero().flatten().tolist()) == set(ids.tolist())


def test_embedding_in_parts_is_embedding_at_once(network):
    titles = [f"title {number}" for number in range(4100)]  # more than are embedded at once
    found = embed(network, titles)
    assert not found.requires_grad
    assert torch.allclose(found[4090:], network(titles[4090:]).detach(), atol=1e-6)


DOCUMENTS = [
    "cook", "ship cook", "kitchen assistant", "ward nurse", "head nurse", "ward assistant", "smith",
    "ship smith", "blacksmith", "hospital porter", "kitchen porter", "nursing assistant",
]  # fmt: skip


def test_the_first_table_gives_the_cosines_of_tf_idf():
    from sklearn.feature_extraction.text import TfidfVectorizer

    shape = Shape(buckets=4096, dimensions=4096, shortest=3, longest=5)

    def features(title):
        ids, _ = feature_ids(title_words(title), buckets=4096, shortest=3, longest=5)
        return [str(row) for row in ids]

    weights = TfidfVectorizer(analyzer=features).fit_transform(DOCUMENTS)
    expected = (weights @ weights.T).toarray()
    vectors = embed(TitleNetwork(shape, first_table(DOCUMENTS, shape, seed=1)), DOCUMENTS)
    found = (vectors @ vectors.T).numpy()
    assert np.abs(found - expected).max() < 0.1
    # Some are alike and some are not, or the line above would say little.
    assert expected[~np.eye(12, dtype=bool)].max() > 0.5
    assert np.median(expected) < 0.05


def test_the_first_table_is_longest_for_rare_features():
    def cook_by_ship(*documents):
        lengths = first_table(documents, ONE_ROW_A_WORD, seed=1).norm(dim=1)
        return float(lengths[row_of("cook")] / lengths[row_of("ship")])

    # A row's direction depends on the seed alone, so what is left is 1 + log((1 + documents) / (1 + those
    # with the word)): of three documents, three have "cook" and one has "ship".
    expected = (1 + log(4 / 4)) / (1 + log(4 / 2))
    found = cook_by_ship("cook", "ship cook", "nurse cook") / cook_by_ship("cook", "ship")
    assert found == pytest.approx(expected, rel=1e-4)


def test_the_seed_fixes_the_first_table():
    tables = [first_table(DOCUMENTS, LETTERS, seed) for seed in (1, 1, 2)]
    assert torch.equal(tables[0], tables[1])
    assert not torch.equal(tables[0], tables[2])
    assert (tables[0].shape, tables[0].dtype) == ((512, 16), torch.float32)


CONCEPTS = [
    Concept("cook", {"en": ["cook", "chef"], "da": ["kok"]}),
    Concept("nurse", {"en": ["nurse", "carer"], "da": ["plejer"]}),
    Concept("smith", {"en": ["smith"], "da": ["smed"]}),
]
"""When `cook` is held out, "chef" is looked up among cook, nurse, carer and smith."""


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        ({"chef": 0, "cook": 10, "nurse": 90, "carer": 90, "smith": 180}, 1.0),  # perfect
        ({"chef": 0, "cook": 40, "nurse": 90, "carer": 30, "smith": 90}, 1 / 2),  # behind carer
        (
            {"chef": 0, "cook": 180, "nurse": 10, "carer": 20, "smith": 90},
            1 / 4,
        ),  # hopeless: the last of four
    ],
)
def test_the_score_is_one_over_the_place_of_the_synonym(degrees, expected):
    validation = Validation(CONCEPTS, {"cook"})
    assert validation.queries == 1
    assert validation.score(network_of(**degrees)) == pytest.approx(expected)


def test_the_score_is_the_mean_over_the_queries_of_all_languages():
    concepts = [
        Concept("cook", {"en": ["cook", "chef"], "da": ["kok", "koch"]}),
        Concept("nurse", {"en": ["nurse", "carer"]}),
    ]
    validation = Validation(concepts, {"cook", "nurse"})
    assert validation.queries == 3
    # chef finds cook; carer finds nurse second; koch has no rival in Danish, although "nurse" is nearer.
    network = network_of(chef=0, cook=0, carer=30, nurse=120, kok=180, koch=120)
    assert validation.score(network) == pytest.approx((1 + 1 / 2 + 1) / 3)


def test_a_label_that_is_trained_on_elsewhere_is_no_query():
    concepts = [
        Concept("cook", {"en": ["cook", "Chef!"], "da": ["kok", "koch"]}),
        Concept("head cook", {"sv": ["chef"]}),
    ]
    assert Validation(concepts, {"cook"}).queries == 2
    assert Validation(concepts, {"cook"}, trained={"chef"}).queries == 1


def test_without_a_query_there_is_nothing_to_stop_early_by():
    with pytest.raises(DataError, match="none of 1 concepts held out has two labels of one language"):
        Validation(CONCEPTS, {"smith"})


def test_any_other_label_of_the_concept_is_right():
    concepts = [Concept("cook", {"en": ["cook", "kitchener", "chef"]}), Concept("nurse", {"en": ["nurse"]})]
    network = network_of(chef=0, cook=180, kitchener=20, nurse=40)
    assert Validation(concepts, {"cook"}).score(network) == 1.0


def test_a_concept_with_one_label_is_no_query_but_a_rival():
    validation = Validation(CONCEPTS, {"cook", "smith"})
    assert validation.queries == 1
    network = network_of(chef=0, cook=40, nurse=90, carer=90, smith=10)
    assert validation.score(network) == pytest.approx(1 / 2)


def test_a_table_that_finds_everything_alike_is_not_perfect():
    # Both other labels are as near as the right one, so it comes third.
    network = network_of(chef=0, cook=0, nurse=0, carer=0, smith=0)
    others = sum(len(concept.labels["en"]) for concept in CONCEPTS) - 2
    assert Validation(CONCEPTS, {"cook"}).score(network) == pytest.approx(1 / (1 + others))


def test_an_unseen_label_is_looked_up_among_all_others():
    concepts = [
        Concept("cook", {"en": ["cook", "chef", "kitchener"], "da": ["kok", "madlaver"]}),
        Concept("nurse", {"en": ["nurse", "carer"]}),
    ]
    validation = Validation(concepts, set(), {("cook", "en")})
    assert validation.queries == 1
    # kitchener finds carer and then chef, a label of its concept.
    assert validation.score(network_of(kitchener=0, carer=10, chef=20, cook=90, nurse=90)) == 1 / 2


def vocabulary_of(*concepts, titles=()):
    return Vocabulary({concept.key: concept for concept in concepts}, {"ads": list(titles)}, {}, [], {})


def many_concepts():
    return vocabulary_of(
        *[
            Concept(f"key{number}", {"en": [f"a{number}", f"b{number}", f"c{number}"], "da": ["d", "e"]})
            for number in range(1000)
        ]
    )


@pytest.fixture
def flow(pytestconfig):
    """The committed flow with a tenth held out."""
    committed = compose_flow("titles", TitlesFlow, [], pytestconfig.rootpath / "configs")
    return committed.model_copy(update={"held_out": 0.1, "seed": 7})


def test_a_share_of_the_concepts_is_held_out_and_the_seed_says_which(flow):
    found = held_out_concepts(flow, many_concepts())
    assert len(found) == 100
    assert found == held_out_concepts(flow, many_concepts())
    assert found != held_out_concepts(flow.model_copy(update={"seed": 8}), many_concepts())


def test_one_concept_at_least_is_held_out(flow):
    assert len(held_out_concepts(flow, vocabulary_of(*CONCEPTS))) == 1


def test_of_a_share_of_the_other_concepts_one_label_of_three_or_more_is_not_trained_on(flow):
    vocabulary = many_concepts()
    held_out = held_out_concepts(flow, vocabulary)
    unseen = unseen_labels(flow, vocabulary, held_out)
    assert len(unseen) == pytest.approx(90, abs=30)  # a tenth of the 900 that are left
    assert {language for _, language in unseen} == {"en"}  # Danish has only two
    assert not {key for key, _ in unseen} & held_out
    assert unseen == unseen_labels(flow, vocabulary, held_out)


def test_what_is_unseen_is_the_last_label_and_the_concept_itself_is_not_changed():
    cook = Concept("cook", {"en": ["cook", "chef", "kitchener"], "da": ["kok"]}, code="5120", name="cook")
    vocabulary = vocabulary_of(cook, titles=[("sous chef", "cook")])
    seen = without_unseen(vocabulary, {("cook", "en")})
    assert seen.concepts == {
        "cook": Concept("cook", {"en": ["cook", "chef"], "da": ["kok"]}, code="5120", name="cook")
    }
    assert seen.titles == vocabulary.titles
    assert cook.labels["en"] == ["cook", "chef", "kitchener"]


def test_neighbours_are_listed_nearest_first():
    concepts = [Concept(word, {"en": [word]}) for word in ("cook", "chef", "smith", "nurse")]
    network = network_of(cook=0, chef=10, smith=40, nurse=100)
    assert neighbours(network, concepts) == [
        [1, 2, 3],  # 10, 40 and 100 degrees away
        [0, 2, 3],  # 10, 30, 90
        [1, 0, 3],  # 30, 40, 60
        [2, 1, 0],  # 60, 90, 100
    ]


def test_a_concept_lies_between_its_labels_of_all_languages():
    concepts = [
        Concept("cook", {"en": ["cook"], "da": ["kok"]}),
        Concept("smith", {"en": ["smith"]}),
        Concept("nurse", {"en": ["nurse"]}),
    ]
    # Cook is at 50 degrees: nearer to nurse at 70 than to smith at 0, where its English label is.
    network = network_of(cook=0, kok=100, smith=0, nurse=70)
    assert neighbours(network, concepts)[0] == [2, 1]


def test_only_the_first_two_labels_of_a_language_stand_for_a_concept():
    concepts = [
        Concept("cook", {"en": ["cook", "chef", "kitchener"]}),
        Concept("smith", {"en": ["smith"]}),
        Concept("nurse", {"en": ["nurse"]}),
    ]
    # With its third label, cook would be at 29 degrees, and nearer to nurse.
    network = network_of(cook=0, chef=0, kitchener=130, smith=-20, nurse=30)
    assert neighbours(network, concepts)[0] == [1, 2]


def test_at_most_thirty_neighbours_are_listed():
    words = [f"job{number}" for number in range(32)]
    concepts = [Concept(word, {"en": [word]}) for word in words]
    network = network_of(**{word: 2.0 * number for number, word in enumerate(words)})
    found = neighbours(network, concepts)
    assert found[0] == list(range(1, 31))
    assert [len(each) for each in found] == [30] * 32


@pytest.fixture
def learn(pytestconfig):
    """`learn(network, **settings)`: train on two concepts, and what was measured on the way."""
    committed = compose_flow("titles", TitlesFlow, [], pytestconfig.rootpath / "configs").model_dump()
    known = [
        Concept("cook", {"en": ["cook", "chef"]}),
        Concept("nurse", {"en": ["nurse", "carer"]}),
        Concept("smith", {"en": ["smith", "forger"]}),
    ]
    plain = {
        "sources": [{"name": "labels", "kind": "labels", "path": "l", "language": "en"}],
        "descriptions": 0, "cross_language": 0, "plurals": 0, "gender_forms": 0, "augmentation": 0, "hard": 0,
        "batch_size": 8, "patience": 9, "learning_rate": 0.05, "temperature": 0.1,
    }  # fmt: skip

    def learned(network, **settings):
        flow = TitlesFlow.model_validate(committed | plain | settings)
        vocabulary = Vocabulary({each.key: each for each in known}, {}, {}, [], {})
        validation = Validation(known, {each.key for each in known})
        seen = []
        pairs = Pairs(flow, vocabulary, set())
        table, step, score = train(network, pairs, validation, flow, lambda *each: seen.append(each))
        return table, step, score, seen

    return learned


APART = {"cook": 0, "chef": 90, "nurse": 95, "carer": 180, "smith": 185, "forger": 270}
"""Each last title has its own concept's first title 90 degrees away and another one nearer."""


def test_training_brings_the_titles_of_a_concept_together(learn):
    network = network_of(**APART)
    table, step, score, seen = learn(network, steps=100, validate_every=50)
    assert seen[0][2] < 1
    assert score == 1.0
    assert step in (50, 100)
    vectors = TitleNetwork(ONE_ROW_A_WORD, table)(["cook", "chef", "nurse"]).detach()
    assert float(vectors[0] @ vectors[1]) > float(vectors[0] @ vectors[2])


def test_it_is_measured_before_every_few_steps_and_at_the_end(learn):
    *_, seen = learn(network_of(**APART), steps=5, validate_every=2)
    assert [step for step, _, _ in seen] == [0, 2, 4, 5]
    assert seen[0][1] == 0.0
    assert all(loss > 0 for _, loss, _ in seen[1:])


def test_training_stops_after_so_many_measurements_without_a_better_one(learn):
    perfect = {"cook": 0, "chef": 0, "nurse": 120, "carer": 120, "smith": 240, "forger": 240}
    network = network_of(**perfect)
    before = network.table.detach().clone()
    table, step, score, seen = learn(network, steps=50, validate_every=1, patience=3)
    assert [step for step, _, _ in seen] == [0, 1, 2, 3]
    assert (step, score) == (0, 1.0)
    assert torch.equal(table, before)  # the best one, and not the last
    assert not torch.equal(network.table.detach(), before)


def test_neighbours_are_looked_up_at_each_measurement_if_the_flow_wants_hard_ones(learn):
    easy, hard = (
        learn(network_of(**APART), steps=4, validate_every=2, hard=share, neighbours=2)[3] for share in (0, 1)
    )
    assert easy[1] == hard[1]  # the same up to the first measurement
    assert easy[2] != hard[2]


def test_the_same_seed_trains_the_same_table(learn):
    tables = [learn(network_of(**APART), steps=60, validate_every=10, hard=0.5)[0] for _ in range(2)]
    assert torch.equal(*tables)
