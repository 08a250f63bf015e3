"""The taxonomy: a CSV that a user can replace."""

from pathlib import Path

import pytest

from joblens.errors import DataError
from joblens.sources.taxonomy import Topic, read_taxonomy


def taxonomy(folder: Path, text: str) -> Path:
    path = folder / "taxonomy.csv"
    path.write_text(text)
    return path


def test_labels_come_in_the_order_of_the_file_with_one_text_each(tmp_path: Path) -> None:
    path = taxonomy(tmp_path, "label;name;description\nB;Kokke;Laver mad\nA;Tømrere;\n C ;;\n")
    topics = read_taxonomy(path)
    assert topics == [Topic("B", "Kokke", "Laver mad"), Topic("A", "Tømrere"), Topic("C", "C")]
    assert [topic.text for topic in topics] == ["Kokke: Laver mad", "Tømrere", "C"]


def test_english_comes_before_other_languages_and_no_language_before_english(tmp_path: Path) -> None:
    two = taxonomy(tmp_path, "label,name_da,name_en,description_da\nA,Kokke,Cooks,Laver mad\nB,Tømrere,,\n")
    assert read_taxonomy(two) == [Topic("A", "Cooks", "Laver mad"), Topic("B", "Tømrere")]
    three = taxonomy(tmp_path, "label,name_pl,name_en,name\nA,Kucharze,Cooks,Kitchen\n")
    assert read_taxonomy(three) == [Topic("A", "Kitchen")]


def test_a_label_may_cut_across_the_others(tmp_path: Path) -> None:
    path = taxonomy(
        tmp_path, "label,crosscutting,description\nA,Yes,x\nB,no,y\nC,,\nD, 1 ,\nE,TRUE,\nF,false,\n"
    )
    topics = read_taxonomy(path)
    assert [topic.is_crosscutting for topic in topics] == [True, False, False, True, True, False]
    assert [topic.description for topic in topics][:2] == ["x", "y"]


def test_labels_alone_are_enough(tmp_path: Path) -> None:
    assert read_taxonomy(taxonomy(tmp_path, "label\nA\nB\n")) == [Topic("A", "A"), Topic("B", "B")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("labels,name\nA,B\n", "no column 'label'; nearest is 'labels'.*name the column with the labels so"),
        ("label,name\nA,x\nA,y\n", "label 'A' more than once"),
        ("label,name\nA,x\n,y\n", "row 2 without a label"),
        ("label,crosscutting\nA,no\nB,maybe\n", "crosscutting 'maybe' for label 'B', expected yes or no"),
        ("label,name\n", "no labels under its header"),
        ("", "is empty"),
    ],
)
def test_a_faulty_taxonomy_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=f"taxonomy.csv.*{message}"):
        read_taxonomy(taxonomy(tmp_path, text))


def test_a_missing_taxonomy_names_its_neighbour(tmp_path: Path) -> None:
    taxonomy(tmp_path, "label\nA\n")
    with pytest.raises(DataError, match=r"nearest is .taxonomy\.csv."):
        read_taxonomy(tmp_path / "taxonomi.csv")
