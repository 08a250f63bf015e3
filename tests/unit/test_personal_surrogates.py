"""Surrogates for placeholders: every offset stays right, and what is put in is marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.records import Entity, LabelledText
from joblens.sources.personal.names import names
from joblens.sources.personal.surrogates import fill_placeholders

PLACEHOLDERS = ("<NAME>", "<CONTACT>", "<ADDRESS>", "<ORGANIZATION>", "<LOCATION>")


def labelled(text: str, *entities: tuple[str, str], language: str = "en") -> LabelledText:
    """A text in which each entity is found by its first occurrence."""
    spans = [
        Entity(text.index(words), text.index(words) + len(words), label, words) for label, words in entities
    ]
    return LabelledText("1", text, tuple(spans), language, "1")


def fill(text: LabelledText, seed: int = 7, use: str = "train") -> LabelledText:
    [filled] = fill_placeholders([text], seed, use)
    return filled


def found(text: LabelledText) -> list[tuple[str, str]]:
    assert all(text.text[e.start : e.end] == e.text for e in text.entities)
    return [(e.label, e.text) for e in text.entities]


def test_a_text_without_placeholders_comes_back_as_it_is():
    text = labelled("We need a nurse who can plan.", ("skill", "plan"))
    assert fill_placeholders([text], 7, "train") == [text]


def test_two_names_in_a_row_are_one_person_of_two_words():
    filled = fill(labelled("Contact <NAME> <NAME> today."))
    [(label, person)] = found(filled)
    assert label == "person"
    assert filled.text == f"Contact {person} today."
    assert len(person.split()) >= 2


def test_entities_behind_a_placeholder_move_with_the_text():
    filled = fill(
        labelled("<NAME> <NAME> wants Python , <CONTACT> wants SQL", ("skill", "Python"), ("skill", "SQL"))
    )
    assert [pair for pair in found(filled) if pair[0] == "skill"] == [("skill", "Python"), ("skill", "SQL")]


def test_an_entity_around_a_placeholder_keeps_the_words_around_it():
    filled = fill(
        labelled("You support <ORGANIZATION> clients daily", ("task", "support <ORGANIZATION> clients"))
    )
    organisation = next(words for label, words in found(filled) if label == "organisation")
    assert ("task", f"support {organisation} clients") in found(filled)


def test_an_entity_that_ends_inside_a_run_covers_the_whole_surrogate():
    filled = fill(labelled("join <NAME> <NAME> now", ("task", "join <NAME>")))
    person = next(words for label, words in found(filled) if label == "person")
    assert ("task", f"join {person}") in found(filled)


def test_a_town_is_no_entity():
    filled = fill(labelled("Work in <LOCATION> now"))
    assert found(filled) == []
    assert "<" not in filled.text


def test_a_town_directly_behind_an_address_belongs_to_it():
    filled = fill(labelled("<ADDRESS> <ADDRESS> <LOCATION> - <LOCATION>"))
    [(label, address)] = found(filled)
    assert label == "address"
    assert filled.text.startswith(f"{address} - ")
    assert len(address.split()) >= 3  # a number, a street, a town


def test_an_unknown_placeholder_stays():
    assert "<PROFESSION>" in fill(labelled("<NAME> is a <PROFESSION>")).text


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Ring til os på telefon <CONTACT>", "phone"),
        ("Skriv til <CONTACT>", "email"),
        ("Se www <CONTACT>", "url"),
    ],
)
def test_the_words_before_a_contact_say_what_kind_it_mostly_is(text, label):
    kinds = [found(fill(labelled(text, language="da"), seed=seed))[0][0] for seed in range(60)]
    assert kinds.count(label) > 30


def test_the_same_seed_gives_the_same_text_whatever_stands_beside_it():
    text, other = labelled("Ask <NAME> <NAME>"), labelled("Ask <CONTACT>")
    assert fill_placeholders([text, other], 7, "train")[0] == fill_placeholders([text], 7, "train")[0]
    assert fill(text, seed=8) != fill(text, seed=7)


def test_a_danish_text_gets_danish_names_most_of_the_time():
    people = [
        found(fill(labelled("Ring til <NAME> <NAME>", language="da"), seed=seed))[0][1] for seed in range(200)
    ]
    danish = set(names("da", "train").family)
    assert sum(person.split()[-1] in danish for person in people) > 120


@given(
    st.lists(st.sampled_from([*PLACEHOLDERS, "nurse", "plan", "wash"]), min_size=1, max_size=25),
    st.data(),
)
def test_offsets_are_right_whatever_is_filled(tokens, data):
    text = " ".join(tokens)
    starts = [sum(len(token) + 1 for token in tokens[:place]) for place in range(len(tokens))]
    first = data.draw(st.integers(0, len(tokens) - 1))
    last = data.draw(st.integers(first, len(tokens) - 1))
    end = starts[last] + len(tokens[last])
    entity = Entity(starts[first], end, "task", text[starts[first] : end])
    filled = fill(LabelledText("1", text, (entity,), "da", "1"))
    assert all(filled.text[e.start : e.end] == e.text and e.text for e in filled.entities)
    [task] = [e for e in filled.entities if e.label == "task"]
    plain = [token for token in tokens[first : last + 1] if not token.startswith("<")]
    assert [word for word in task.text.split() if word in {"nurse", "plan", "wash"}] == plain
    assert not any(placeholder in filled.text for placeholder in PLACEHOLDERS)
