"""The toy extractor: what its words and cues find, and that overlapping finds are settled."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.config import Cleaning, Compute
from joblens.extractors import build_extractor
from joblens.extractors.spans import longest_by_label
from joblens.extractors.toy import ToyExtractor
from joblens.records import Entity

ALL = ToyExtractor(("occupation", "skill", "task"), ("person", "organisation", "address"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Vi søger en sygeplejerske", [("occupation", "sygeplejerske")]),
        ("Bliv butiksassistent hos os", [("occupation", "butiksassistent")]),
        ("Arbejd som anlægsstruktør nu", [("occupation", "anlægsstruktør")]),
        ("Hiring a senior Nurse today", [("occupation", "senior"), ("occupation", "Nurse")]),
        ("Du har erfaring med store maskiner, og", [("skill", "store maskiner")]),
        ("Python og C# er godt", [("skill", "Python"), ("skill", "C#")]),
        ("- pleje af ældre borgere", [("task", "pleje af ældre borgere")]),
        ("Du skal vedligeholde grønne områder.", [("task", "vedligeholde grønne områder")]),
        ("You will prepare the food", [("task", "prepare the food")]),
        ("Kontakt afdelingen Anna Bro Vang i dag", [("person", "Anna Bro Vang")]),
        ("Nord Vask A/S har kontor", [("organisation", "Nord Vask A/S")]),
        ("Mød os på Nørregade 12, 8000 Aarhus", [("address", "Nørregade 12, 8000 Aarhus")]),
        ("Vi har en god tone", []),
        ("", []),
    ],
)
def test_words_and_cues_name_entities(text, expected):
    assert [(entity.label, entity.text) for entity in ALL.extract([text])[0]] == expected


def test_only_the_labels_that_were_asked_for_are_found():
    text = "Vi søger en sygeplejerske med Python"
    [entities] = ToyExtractor(("skill",), ()).extract([text])
    assert [entity.label for entity in entities] == ["skill"]


def test_offsets_hold_in_a_text_of_several_sentences():
    text = "Kom til os.\n- pleje af børn\nDu kan Excel."
    [entities] = ALL.extract([text])
    assert [(entity.label, entity.start) for entity in entities] == [("task", 14), ("skill", 35)]
    assert all(text[entity.start : entity.end] == entity.text for entity in entities)


def test_the_fingerprint_follows_the_labels():
    assert ToyExtractor(("skill",), ()).fingerprint != ALL.fingerprint
    assert ToyExtractor(("skill",), ("task",)).fingerprint == ToyExtractor(("task",), ("skill",)).fingerprint


@pytest.mark.parametrize("name", ["none", "patterns", "toy"])
def test_the_config_word_names_the_extractor_that_is_built(name):
    compute = Compute(device="cpu", workers=1, encode_batch_size=8)
    built = build_extractor(Cleaning(extractor=name), compute)
    assert built.name == name
    assert [len(found) for found in built.extract(["skriv til a@b.dk", ""])] == [int(name == "patterns"), 0]


def span(start, end, label="skill", score=1.0):
    return Entity(start, end, label, "x" * (end - start), score)


@pytest.mark.parametrize(
    ("entities", "kept"),
    [
        ([span(0, 5), span(3, 10)], [span(3, 10)]),  # the longer
        ([span(0, 5, score=0.6), span(3, 8, score=0.9)], [span(3, 8, score=0.9)]),  # the surer
        ([span(0, 5), span(3, 8)], [span(0, 5)]),  # the earlier
        ([span(3, 8, "task"), span(0, 5)], [span(0, 5), span(3, 8, "task")]),  # other labels may overlap
        ([span(0, 5), span(0, 5)], [span(0, 5)]),
        ([span(5, 8), span(0, 5)], [span(0, 5), span(5, 8)]),  # side by side is no overlap
        ([span(0, 2), span(4, 6), span(1, 5)], [span(1, 5)]),
    ],
)
def test_of_overlapping_entities_with_one_label_the_longest_stays(entities, kept):
    assert longest_by_label(entities) == kept


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 6), st.sampled_from(["skill", "task"])), max_size=12
    )
)
def test_kept_entities_never_overlap_within_a_label(places):
    kept = longest_by_label(span(start, start + length, label) for start, length, label in places)
    for label in ("skill", "task"):
        same = [entity for entity in kept if entity.label == label]
        assert all(earlier.end <= later.start for earlier, later in pairwise(same))
        assert bool(same) == any(label == wanted for *_, wanted in places)
