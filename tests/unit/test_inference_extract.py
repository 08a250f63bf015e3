"""Redaction with places: hand-counted offsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.extractors.cleaning import Part
from joblens.extractors.patterns import PatternExtractor
from joblens.inference.extract import redact
from joblens.records import Entity


class Nothing:
    """Patterns that find nothing more."""

    name, fingerprint = "none", "none"

    def extract(self, texts):
        return [[] for _ in texts]


def entity(text: str, found: str, label: str) -> Entity:
    start = text.index(found)
    return Entity(start, start + len(found), label, found)


def redacted(text: str, personal: dict[str, str], kept: dict[str, str], patterns=None):
    part = Part(
        text,
        [entity(text, found, label) for found, label in personal.items()],
        [entity(text, found, label) for found, label in kept.items()],
        words=0,
    )
    return redact(part, ["occupation", "skill", "task", "tool"], patterns or Nothing())


def test_what_stands_behind_a_mask_moves():
    found = redacted("Spørg Bo om kok", {"Bo": "person"}, {"kok": "occupation"})
    assert found.text == "Spørg [person] om kok"
    assert found.entities == (
        Entity(6, 14, "person", "[person]"),
        Entity(18, 21, "occupation", "kok"),
    )
    assert found.removed == 1


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ("Bo", None),  # covered by the mask
        ("kok Bo", "kok [person]"),  # the mask at its end
        ("Bo Bi fisk", "[person] fisk"),  # the mask at its beginning
        ("Bi fisk", "[person] fisk"),  # it begins inside the mask
        ("en kok Bo", "en kok [person]"),  # it ends inside the mask
        ("kok Bo Bi fisk", "kok [person] fisk"),  # around the mask
        ("en kok", "en kok"),  # before
    ],
)
def test_an_entity_that_a_mask_cuts_takes_the_whole_mask_in(kept, expected):
    found = redacted("en kok Bo Bi fisk", {"Bo Bi": "person"}, {kept: "skill"})
    skills = [entity.text for entity in found.entities if entity.label == "skill"]
    assert skills == ([] if expected is None else [expected])


def test_a_label_without_a_column_of_its_own_counts_as_a_skill_and_an_unknown_one_is_left_out():
    found = redacted("en gryde og en avis", {}, {"gryde": "tool", "avis": "paper"})
    assert [(entity.label, entity.text) for entity in found.entities] == [("skill", "gryde")]


def test_what_shows_only_beside_a_mask_is_masked_in_the_next_pass():
    class Second:
        name, fingerprint = "second", "second"

        def extract(self, texts):
            return [[entity(text, "7", "phone")] if "7" in text else [] for text in texts]

    found = redacted("Bo 7 kok", {"Bo": "person"}, {"kok": "occupation"}, Second())
    assert found.text == "[person] [phone] kok"
    assert [entity.text for entity in found.entities] == ["[person]", "[phone]", "kok"]
    assert found.removed == 2


WORDS = st.sampled_from(["kok", "Bo", "ring", "20 30 40 50", "bo@firma.dk", "\n", "å", "2105850001", "[x]"])


@given(st.lists(st.tuples(WORDS, st.booleans(), st.booleans()), max_size=30))
def test_every_place_holds_what_it_says(pieces):
    text, personal, kept = "", [], []
    for word, is_personal, is_kept in pieces:
        span = (len(text), len(text) + len(word))
        personal += [Entity(*span, "person", word)] if is_personal else []
        kept += [Entity(*span, "skill", word)] if is_kept else []
        text += word + " "
    found = redact(Part(text, personal, kept, 0), ["skill"], PatternExtractor())
    assert all(found.text[entity.start : entity.end] == entity.text for entity in found.entities)
    masks = [entity for entity in found.entities if entity.label != "skill"]
    assert len(masks) == found.removed
    assert all(mask.text == f"[{mask.label}]" for mask in masks)
