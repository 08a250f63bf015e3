"""Personal data that a lost line break has glued to the sentence before or behind it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.extractors.patterns import find_pii
from joblens.extractors.seams import at_numbers, beside_seams, seams_of, torn

GLUED = [
    ("Tømrerfirmaet Nederbæk ApS79.98.97.53", "phone", "79.98.97.53"),
    ("Pedro Rojas, RUT 24.510.246-1Tu reclutador llama", "person", "Pedro Rojas"),
    ("chef\t61 89 27 75Elisa Wever, værkfører\t+4545612531", "person", "Elisa Wever"),
    ("Deltplan SpAAv. Elías 4318, depto. 1171Las funciones son", "address", "Av. Elías 4318, depto. 1171"),
    ("de renta.Transportes ArceAvenida Montoya 3144", "address", "Avenida Montoya 3144"),
    ("RUT: 24.510.246-1Tu reclutador llama", "rut", "24.510.246-1"),
    ("IBAN: DK66 1656 4255 4334 13I hverdagen", "iban", "DK66 1656 4255 4334 13"),
]


@pytest.mark.parametrize(("text", "label", "expected"), GLUED)
def test_what_is_glued_to_a_sentence_is_found(text, label, expected):
    assert (label, expected) in [(found.label, found.text) for found in find_pii(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Erfaring med JavaScript, TypeScript og PowerPoint",
        "Profil på LinkedIn eller GitHub",
        "5G, 3D og B2B",
        "ISO9001 og ISO14001, EN50001:2015",
        "Windows10Vi søger en kok",
        "37 timer i 2024Vi tilbyder frokost",
        "Løn 32000Start 1. august",
        "MacBook Pro og iPhone 15",
        "SQL2019 med 12 34 56 rækker",
        "Ask for PowerPoint.",
        "Please ask for JavaScript.",
        "Med venlig hilsen JobIndex. Index er et firma",
        "my name is ChatBot.",
        "Georg JensenShop i Vejle",
        "Reporting to: Operations ManagerGoway Travel was founded in 1970",
        "sagsnummer23456789",
        "ref23456789",
        "150 kr.prTime",
    ],
)
def test_words_in_words_and_numbers_beside_words_are_no_personal_data(text):
    assert find_pii(text) == []


def test_a_seam_is_where_a_break_is_lost():
    text = "Holm ApSAv. 3I dag 75ElisaX"
    assert [text[:seam] for seam in seams_of(text)] == ["Holm ApS", "Holm ApSAv. 3", "Holm ApSAv. 3I dag 75"]


@pytest.mark.parametrize("text", ["", "Kok", "Mette Holm", "A B C", "5G", "USA", "12 34 56 78", "H2O"])
def test_where_nothing_is_glued_there_is_no_seam(text):
    assert seams_of(text) == []


@given(
    st.lists(
        st.sampled_from(["Mette", "75", "ApS", "I dag", " ", "hos os", "12 34 56 78", "\n"]), max_size=12
    )
)
def test_spans_of_the_torn_text_hold_the_same_words_in_the_whole_one(parts):
    text = "".join(parts)
    seams = seams_of(text)
    apart = torn(text, seams)
    assert apart.replace("\n", "") == text.replace("\n", "")
    spans = [match.span() for match in re.finditer(r"[^\n]+", apart)]
    moved = list(beside_seams(spans, seams, seams))
    beside = [line for line in re.finditer(r"[^\n]+", apart) if _is_beside(line, apart, text, seams)]
    assert [text[start:end] for start, end in moved] == [line.group() for line in beside]


def _is_beside(line, apart, text, seams):
    """Whether a line of the torn text has a break that is none of the whole text's at one of its ends."""
    breaks = {seam + number for number, seam in enumerate(seams)}
    return line.start() - 1 in breaks or line.end() in breaks


def test_a_span_with_no_seam_at_its_ends_is_left_out():
    seams = seams_of("12Kok og 34Mette")
    assert list(beside_seams([(4, 6), (0, 2), (3, 6), (0, 3)], seams, seams)) == [(0, 2), (2, 5), (0, 2)]
    assert list(beside_seams([(0, 2), (3, 6)], seams, ())) == []


def test_names_between_letters_alone_are_left():
    assert at_numbers("12Kok ArceAvenida ApS79", [2, 10, 21]) == {2, 21}
