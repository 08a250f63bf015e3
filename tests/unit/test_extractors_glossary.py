"""Words of a language read as English ones, each in its place."""

import json
import re

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
        "skov": "forest",
        "skovløber": "ranger",
        "e-handel": "e-commerce",
        "handel": "trade",
        "løbe": "run",
        "gris": "pig",
        "og": "and",
        "god": "good",
        "team": "team",
        "i": "in",
    },
    shared=frozenset({"god", "team", "i"}),
    names=frozenset({"hans"}),
    surnames=frozenset({"bager"}),
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
        ("salgKok", "salgKok"),
        ("SAlg", "SAlg"),
        ("Hans", "Hans"),
        ("e-handel", "e-commerce"),
        ("E-handel", "E-commerce"),
        ("arbejdende", "work"),
        ("løbet", "run"),
        ("skovene", "forest"),
        ("grissen", "pig"),
        ("grisemiljø", "pig-environment"),
        ("ommiljø", "ommiljø"),
        ("miljøhans", "miljøhans"),
        ("salgsskovløber", "sales-ranger"),
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
        "Hans stays",
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
        ("- Bager søger arbejde", "- Baker seeks work"),
        ("1 . Bager og arbejde", "1 . Baker and work"),
        ("BAGER søger arbejde", "BAGER seeks work"),
        ("Bager Holm søger arbejde", "Bager Holm seeks work"),
        ("Arbejde : Bager søger", "Work : Bager seeks"),
    ],
)
def test_a_surname_is_a_word_where_a_sentence_begins_and_no_name_follows(danish, said, english):
    assert danish(said.split()) == english.split()


@pytest.mark.parametrize("said", ["Hans søger arbejde", "Hans , salg", "Ring til Hans", "- Hans og arbejde"])
def test_a_first_name_stays_wherever_it_is(danish, said):
    assert "Hans" in danish(said.split())


@pytest.mark.parametrize(
    ("said", "english"),
    [("Salg", "Sales"), ("• Salg", "• Sales"), ("- arbejdsmiljø og salg", "- work-environment and sales")],
)
def test_a_bullet_is_no_beginning(danish, said, english):
    assert danish(said.split()) == english.split()


def test_derived_words_alone_are_not_danish(danish):
    assert danish(["teamsalgs"]) == ["teamsalgs"]
    assert danish(["teamsalgs", "salg"]) == ["team-sales", "sales"]


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


def test_a_word_that_is_too_long_is_not_taken_apart(danish):
    assert danish(["søger", "arbejde", "er" * 50_000])[2] == "er" * 50_000
    assert danish(["søger", "salgs" * 7 + "miljø"])[1] == "salgs" * 7 + "miljø"


def test_a_list_is_its_json():
    assert WordList.from_json(json.loads(json.dumps(WORDS.as_json()))) == WORDS


@pytest.mark.parametrize(
    "wrong",
    [
        {"english": []},
        {"english": {"kok": 1}},
        {"english": {"kok": "two words"}},
        {"english": {"Kok": "cook"}},
        {"english": {"kok": ""}},
        {"shared": "i"},
        {"shared": {"i": 1}},
        {"names": ["unknown"]},
        {"function": [[]]},
        {"surnames": None},
    ],
)
def test_json_of_another_form_is_refused(wrong):
    with pytest.raises((TypeError, ValueError)):
        WordList.from_json({**WORDS.as_json(), **wrong})
