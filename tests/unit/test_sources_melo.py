"""The MELO benchmark, from a folder and from the archive it comes in."""

import random
import tarfile
from pathlib import Path

import pytest

from joblens.errors import DataError
from joblens.sources.melo import MeloSet, read_melo

DANISH, GERMAN = "dnk_q_da_c_en", "deu_q_de_c_de"

TABLES = {
    "queries.tsv": "q1\tKok \nq2\tSnedker\n",
    "corpus_elements.tsv": "c1\tcook\nc2\tchef\nc3\tcarpenter\n",
    "concept_mapping.tsv": "c1\thttp://esco/1\nc2\thttp://esco/1\nc3\thttp://esco/2\n",
    "annotations.tsv": "q1\t0\tc1\t1\nq1\t0\tc2\t1\nq1\t0\tc3\t0\nq2\t0\tc3\t1\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two sets."""
    for name in (DANISH, GERMAN):
        (tmp_path / "melo" / name).mkdir(parents=True)
        for file, table in TABLES.items():
            (tmp_path / "melo" / name / file).write_text(table, encoding="utf-8")
    return tmp_path / "melo"


def packed(folder: Path, inside: str = "") -> Path:
    """The folder as an archive beside it, its sets under `inside`."""
    path = folder.with_name("melo.tar.xz")
    with tarfile.open(path, "w:xz") as archive:
        for one in sorted(folder.iterdir()):
            archive.add(one, f"{inside}{one.name}")
    return path


def refused(path: Path, *words: str, names: tuple[str, ...] = ()) -> None:
    """Reading ends in one line that names what it should."""
    with pytest.raises(DataError) as caught:
        read_melo(path, names)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_set_has_titles_labels_and_what_people_say_a_title_means(folder: Path) -> None:
    (found,) = read_melo(folder, [DANISH])
    assert found == MeloSet(
        name=DANISH,
        queries=(("q1", "Kok"), ("q2", "Snedker")),
        labels=(("c1", "cook"), ("c2", "chef"), ("c3", "carpenter")),
        concepts={"c1": "http://esco/1", "c2": "http://esco/1", "c3": "http://esco/2"},
        relevant={"q1": frozenset({"c1", "c2"}), "q2": frozenset({"c3"})},  # c3 is marked 0 for q1
    )


def test_all_sets_come_by_name(folder: Path) -> None:
    assert [found.name for found in read_melo(folder)] == [GERMAN, DANISH]


def test_only_the_sets_asked_for_come_in_the_order_asked_for(folder: Path) -> None:
    assert [found.name for found in read_melo(folder, [DANISH])] == [DANISH]
    assert [found.name for found in read_melo(folder, [DANISH, GERMAN])] == [DANISH, GERMAN]


@pytest.mark.parametrize("inside", ["", "./", "melo/", "data/melo/"])
def test_an_archive_has_the_same_sets_as_its_folder(folder: Path, inside: str) -> None:
    assert read_melo(packed(folder, inside)) == read_melo(folder)


def test_the_languages_are_in_the_name(folder: Path) -> None:
    german, danish = read_melo(folder)
    assert (danish.language, danish.label_language) == ("da", "en")
    assert (german.language, german.label_language) == ("de", "de")


def test_letters_beyond_ascii_and_windows_line_ends_are_read(folder: Path) -> None:
    (folder / DANISH / "queries.tsv").write_bytes("q1\tSælger i Ærø\r\nq2\tMøbelsnedker\r\n".encode())
    for path in (folder, packed(folder)):
        (found,) = read_melo(path, [DANISH])
        assert found.queries == (("q1", "Sælger i Ærø"), ("q2", "Møbelsnedker"))


def test_other_files_beside_the_tables_are_passed_over(folder: Path) -> None:
    (folder / "README.md").write_text("MELO")
    (folder / DANISH / "notes.txt").write_text("notes")
    assert [found.name for found in read_melo(folder)] == [GERMAN, DANISH]
    assert [found.name for found in read_melo(packed(folder))] == [GERMAN, DANISH]


def test_a_set_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    words = "has no set fra_q_fr_c_fr (it has deu_q_de_c_de, dnk_q_da_c_en)"
    refused(folder, words, names=(DANISH, "fra_q_fr_c_fr"))
    refused(packed(folder), words, names=("fra_q_fr_c_fr",))


def test_a_folder_without_sets_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "has no set of the benchmark (it has none)")


@pytest.mark.parametrize("file", TABLES)
def test_a_missing_table_is_named(folder: Path, file: str) -> None:
    (folder / GERMAN / file).unlink()
    refused(folder, f"the set {GERMAN} has no {file}")
    refused(packed(folder), f"the set {GERMAN} has no {file}")
    assert [found.name for found in read_melo(folder, [DANISH])] == [DANISH]  # the other is not looked at


@pytest.mark.parametrize(
    ("file", "table", "columns"),
    [
        ("queries.tsv", "q1 Kok\n", 2),  # a space instead of a tab
        ("queries.tsv", "q1\tKok\tChef\n", 2),
        ("corpus_elements.tsv", "c1\tcook\nc2\n", 2),
        ("concept_mapping.tsv", "\n", 2),  # no rows
        ("annotations.tsv", "", 4),
        ("annotations.tsv", "q1\tc1\n", 4),
    ],
)
def test_a_table_with_other_columns_is_named(folder: Path, file: str, table: str, columns: int) -> None:
    (folder / DANISH / file).write_text(table)
    refused(folder, f"{DANISH}/{file} is not a table of {columns} columns")


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "melo.tar.xz", "melo.tar.xz is no readable archive (FileNotFoundError)")


@pytest.mark.parametrize("content", [b"", b"hello", b"q1\tKok\n" * 1000], ids=["empty", "short", "table"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "melo.tar.xz").write_bytes(content)
    refused(tmp_path / "melo.tar.xz", "melo.tar.xz is no readable archive")


def long_archive(folder: Path) -> Path:
    """One that is still being read when its middle comes: numbers that cannot be packed much."""
    generator = random.Random(0)
    rows = (f"q{number}\t{generator.random()}\n" for number in range(20_000))
    (folder / DANISH / "queries.tsv").write_text("".join(rows))
    return packed(folder)


def test_an_archive_cut_off_is_refused(folder: Path) -> None:
    path = long_archive(folder)
    path.write_bytes(path.read_bytes()[:50_000])
    refused(path, "melo.tar.xz is no readable archive")


def test_an_archive_damaged_in_the_middle_is_refused(folder: Path) -> None:
    path = long_archive(folder)
    data = bytearray(path.read_bytes())
    data[100_000:100_004] = b"\xff\x00\xff\x00"
    path.write_bytes(data)
    refused(path, "melo.tar.xz is no readable archive")


def test_a_table_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / DANISH / "queries.tsv").write_bytes("q1\tSælger\n".encode("latin-1"))
    refused(packed(folder), "melo.tar.xz is no readable archive (UnicodeDecodeError)")
    refused(folder, "melo")
