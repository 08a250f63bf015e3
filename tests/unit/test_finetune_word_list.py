"""Lists of words with what they are in English, as files."""

from pathlib import Path

import pytest

from joblens.errors import DataError
from joblens.extractors.glossary import Glossary, WordList
from joblens.finetune.ner.word_list import OWN, read_word_list

HEADER = "word\tenglish\tkinds\n"


def test_a_file_below_the_project_is_read(tmp_path):
    (tmp_path / "sv.tsv").write_text(
        HEADER + "arbete\twork\t\noch\tand\tfunction shared\n-arbetare\tworker\t\n"
    )
    assert read_word_list("sv.tsv", tmp_path) == WordList(
        {"arbete": "work", "och": "and", "-arbetare": "worker"},
        shared=frozenset({"och"}),
        function=frozenset({"och"}),
    )


def test_a_list_as_spreadsheets_save_it_is_read(tmp_path):
    text = HEADER + "a\u030ar\tyear\tsurname name\n\n"
    (tmp_path / "da.tsv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read_word_list("da.tsv", tmp_path) == WordList(
        {"år": "year"}, names=frozenset({"år"}), surnames=frozenset({"år"})
    )


@pytest.mark.parametrize(
    "line",
    ["arbete\twork", "Arbete\twork\t", "arbete\ttwo words\t", "arbete\twork\tnoun", "\twork\t", "och\tand\t"],
)
def test_a_line_of_another_form_is_said(tmp_path, line):
    (tmp_path / "sv.tsv").write_text(f"{HEADER}och\tand\t\n{line}\n")
    with pytest.raises(DataError, match=r"line 3 of .*sv\.tsv is .*, expected a new word in lower case"):
        read_word_list("sv.tsv", tmp_path)


@pytest.mark.parametrize("text", ["", "arbete\twork\n"])
def test_a_file_without_the_columns_is_said(tmp_path, text):
    (tmp_path / "sv.tsv").write_text(text)
    with pytest.raises(DataError, match="expected the columns word, english, kinds"):
        read_word_list("sv.tsv", tmp_path)


def test_a_file_that_is_no_text_is_said(tmp_path):
    (tmp_path / "sv.tsv").write_bytes(b"word\xff")
    with pytest.raises(DataError, match=r"sv\.tsv cannot be read as UTF-8 text"):
        read_word_list("sv.tsv", tmp_path)


def test_a_file_that_is_missing_is_said(tmp_path):
    with pytest.raises(DataError, match=r"there is no .*xx; glossary should be a file or one of da"):
        read_word_list("xx", tmp_path)


@pytest.fixture(scope="module")
def danish():
    return Glossary(read_word_list("da", Path()))


def test_the_danish_list_is_sorted():
    words = [line.split("\t")[0] for line in OWN["da"].read_text(encoding="utf-8").splitlines()[1:]]
    assert words == sorted(words)
    assert len(words) > 9_000


@pytest.mark.parametrize(
    ("said", "english"),
    [
        ("Vi søger en erfaren bogholder", "We seek a experienced bookkeeper"),
        ("Du trives i et travlt arbejdsmiljø", "You thrive in a busy work-environment"),
        ("Kendskab til svejsning er en fordel", "Knowledge to welding are a advantage"),
    ],
)
def test_danish_is_read_as_english(danish, said, english):
    assert " ".join(danish(said.split())) == english


@pytest.mark.parametrize(
    "sentence",
    [
        "You must have a driving licence and be able to work at night",
        "Test Driller , Blaster and Handler",
        "In-Store Demonstrator",
        "- plastering , lettering",
        "transporter",
        "bag sorter",
        "Chef de partie",
        "Buscamos un cocinero de primera en el centro",
        "Poszukujemy osoby do pracy i kontaktu z klientem min 2 lata",
        "Wir suchen Sie mit Erfahrung , die den Kunden sind",
        "Требуется повар",
    ],
)
def test_other_languages_stay(danish, sentence):
    assert " ".join(danish(sentence.split())) == sentence


@pytest.mark.parametrize(
    "name",
    [
        "Bo", "Bo Ring", "Hans", "Hans Lange", "Svend Bager", "Tage Skytte", "Stig Bonde", "Maj Kold",
        "Rene Fisker", "Liv Strand", "Lykke Brand", "Dag Vest", "Sten Hund", "Mark Mølle", "Tryg", "Jysk",
    ],
)  # fmt: skip
def test_names_stay(danish, name):
    for sentence in ("Kontakt os : {} , hvis du vil vide mere", "{} er din leder og hjælper dig"):
        assert f"{name} " in " ".join(danish(sentence.format(name).split()))


@pytest.mark.parametrize(
    ("said", "english"),
    [
        ("Ring til os", "Call to us"),
        ("Kok søges", "Cook wanted"),
        ("Løsning af opgaver", "Solution of tasks"),
        ("e-handel og it-kyndig", "e-commerce and it-literate"),
        ("parkering og adgangskort", "parking and access-card"),
        ("- Kørekort B", "- Driving-licence B"),
        ("du kan betjene en kran", "you can serve a crane"),
    ],
)
def test_words_that_could_be_others(danish, said, english):
    assert " ".join(danish(said.split())) == english
