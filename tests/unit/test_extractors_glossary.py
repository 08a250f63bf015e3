"""Words of a language read as English ones, each in its place."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.extractors.glossary import Glossary, GlossingSplitter, WordList

WORDS = WordList(
    {
        "arbejde": "work",
        "arbejds": "work",
        "miljø": "environment",
        "søge": "seek",
        "søger": "seeks",
        "planlægger": "plan",
        "-planlægger": "planner",
        "salg": "sales",
        "kok": "cook",
        "bager": "baker",
        "hans": "his",
        "og": "and",
        "god": "good",
        "team": "team",
        "i": "in",
    },
    shared=frozenset({"god", "team", "i"}),
    names=frozenset({"bager", "hans"}),
    function=frozenset({"hans", "og", "i"}),
)


@pytest.fixture(scope="module")
def danish():
    return Glossary(WORDS)


@pytest.mark.parametrize(
    ("word", "english"),
    [
        ("arbejde", "work"),
        ("Arbejde", "Work"),
        ("ARBEJDE", "WORK"),
        ("miljøet", "environment"),
        ("arbejdsmiljø", "work-environment"),
        ("arbejdsmiljøet", "work-environment"),
        ("planlægger", "plan"),
        ("salgsplanlægger", "sales-planner"),
        ("teamplanlægger", "team-planner"),
        ("B2B-salg", "B2B-sales"),
        ("IT-miljø", "IT-environment"),
        ("god", "good"),
        ("bager", "baker"),
        ("Bager", "Bager"),
        ("BAGER", "BAGER"),
        ("hansen", "hansen"),
        ("koks", "koks"),
        ("Miljøet", "Miljøet"),
        ("miljøMiljø", "miljøMiljø"),
        ("i", "in"),
        ("I", "I"),
        ("KOK", "KOK"),
        ("ogmiljø", "ogmiljø"),
        ("unknown", "unknown"),
        ("42", "42"),
        (",", ","),
    ],
)
def test_a_word_among_danish_ones(danish, word, english):
    assert danish(["søger", "arbejde", word])[2] == english


@pytest.mark.parametrize(
    "sentence",
    [
        "god team",
        "I god standing",
        "salg of shares and more",
        "Hans Bager",
        "Jens Hans søger Kok",
        "",
        "42 , !",
    ],
)
def test_a_sentence_that_is_not_mostly_danish_stays(danish, sentence):
    assert danish(sentence.split()) == sentence.split()


@pytest.mark.parametrize(
    ("said", "english"),
    [
        ("Bager søger arbejde", "Baker seeks work"),
        ("Bager", "Baker"),
        ("Hans arbejde", "His work"),
        ("Bager Holm søger arbejde", "Bager Holm seeks work"),
        ("Arbejde : Bager søger", "Work : Bager seeks"),
    ],
)
def test_a_name_is_a_word_where_a_sentence_begins_and_no_name_follows(danish, said, english):
    assert danish(said.split()) == english.split()


def test_capitals_inside_a_sentence_do_not_tell_its_language(danish):
    assert danish("Kok søger Anna Bager Holm".split()) == "Cook seeks Anna Bager Holm".split()


@given(st.lists(st.sampled_from([*WORDS.english, "Anna", "the", "arbejdsmiljø", "-", "SQL", "salg-"])))
def test_every_word_keeps_its_place(sentence):
    read = Glossary(WORDS)(sentence)
    assert len(read) == len(sentence)
    assert all(word and not word.isspace() for word in read)


@given(st.text(max_size=60))
def test_places_are_those_of_the_text(text):
    splitter = GlossingSplitter(_split, Glossary(WORDS))
    assert [place for _, *place in splitter(text)] == [place for _, *place in _split(text)]


def _split(text):
    for match in re.finditer(r"\w+(?:[-_]\w+)*|\S", text):
        yield match.group(), match.start(), match.end()


def test_a_word_of_any_length_is_read_at_once(danish):
    started = time.monotonic()
    assert danish(["søger", "er" * 50_000])[1] == "er" * 50_000
    assert time.monotonic() - started < 1
