"""What the title encoder is trained on: tables of titles as one vocabulary, by concept."""

from __future__ import annotations

import gzip

import pytest
from pydantic import ValidationError

from joblens.config import TitlesFlow, TitleSource, compose_flow
from joblens.errors import DataError
from joblens.finetune.titles.concepts import Concept, read_vocabulary, spelling

COOK = "http://data.europa.eu/esco/occupation/cook"
NURSE = "http://data.europa.eu/esco/occupation/nurse"
GROUP = "http://data.europa.eu/esco/isco/C512"

LABELS_DA = TitleSource(name="Danish", kind="labels", path="da.csv", language="da")
OCCUPATIONS = TitleSource(name="English", kind="occupations", path="en.csv", language="en")
FRENCH = TitleSource(name="French", kind="benchmark", path="melo", language="fr", set="fra_q_fr_c_fr")
ADVERTS = TitleSource(
    name="adverts", kind="synonyms", path="ads.csv", language="en", title="title", weight=0.1
)
SENTENCES = TitleSource(
    name="tasks", kind="descriptions", path="tasks.txt.gz", language="en", title="Task", concept="Code",
    delimiter="\t", weight=0.1,
)  # fmt: skip


@pytest.fixture
def read(tmp_path, pytestconfig):
    """`read(source, ...)`: the vocabulary of these sources below `tmp_path`, where the benchmark is, too."""
    flow = compose_flow("titles", TitlesFlow, [], pytestconfig.rootpath / "configs")
    write_set(tmp_path / "melo/fra_q_fr_c_fr", queries=["Infirmière d'État"], labels={"cuisinier": COOK})

    def read_sources(*sources, seed=7):
        return read_vocabulary(
            flow.model_copy(update={"sources": sources, "exclude": "melo", "seed": seed}), tmp_path
        )

    return read_sources


def write_set(folder, queries, labels):
    """A set of the benchmark in which every title means the first label."""
    folder.mkdir(parents=True)
    ids = {label: f"c{number}" for number, label in enumerate(labels)}
    tables = {
        "queries": [f"q{number}\t{text}" for number, text in enumerate(queries)],
        "corpus_elements": [f"{ids[label]}\t{label}" for label in labels],
        "concept_mapping": [f"{ids[label]}\t{uri}" for label, uri in labels.items()],
        "annotations": [f"q{number}\t0\tc0\t1" for number in range(len(queries))],
    }
    for name, lines in tables.items():
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_labels(path, *rows):
    write(path, "label,uri,isco4\n" + "".join(f"{label},{uri},{code}\n" for label, uri, code in rows))


def write_adverts(path, *rows):
    write(path, "title,uri\n" + "".join(f"{title},{uri}\n" for title, uri in rows))


def write(path, text):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


@pytest.mark.parametrize("name", ["da.csv", "da.csv.gz"])
def test_a_row_of_a_table_of_labels_is_a_label_of_its_concept(read, tmp_path, name):
    write_labels(tmp_path / name, ("kok", COOK, "5120"), ("køkkenchef", COOK, "5120"))
    found = read(LABELS_DA.model_copy(update={"path": name}))
    assert found.concepts == {COOK: Concept(COOK, {"da": ["kok", "køkkenchef"]}, "5120")}


def test_an_occupation_brings_its_preferred_alternative_and_hidden_labels(read, tmp_path):
    (tmp_path / "en.csv").write_text(
        "conceptUri,iscoGroup,preferredLabel,altLabels,hiddenLabels,description\n"
        f'{COOK},5120,cook,"chef\nkitchen cook",hash slinger,Cooks prepare food.\n'
    )
    assert read(OCCUPATIONS).concepts[COOK] == Concept(
        COOK,
        {"en": ["cook", "chef", "kitchen cook", "hash slinger"]},
        code="5120",
        name="cook",
        description="Cooks prepare food.",
    )


def test_a_group_of_isco_has_its_code_in_a_column_of_that_name(read, tmp_path):
    (tmp_path / "en.csv").write_text(f"conceptUri,code,preferredLabel,altLabels\n{GROUP},512,Cooks,\n")
    group = read(OCCUPATIONS).concepts[GROUP]
    assert (group.code, group.labels) == ("512", {"en": ["Cooks"]})


def test_name_and_description_are_the_english_ones(read, tmp_path):
    header = "conceptUri,iscoGroup,preferredLabel,altLabels,description\n"
    (tmp_path / "es.csv").write_text(f"{header}{COOK},5120,cocinero,,Prepara comida.\n")
    (tmp_path / "en.csv").write_text(f"{header}{COOK},5120,cook,,Prepares food.\n")
    spanish = OCCUPATIONS.model_copy(update={"name": "Spanish", "path": "es.csv", "language": "es"})
    cook = read(spanish, OCCUPATIONS).concepts[COOK]
    assert (cook.name, cook.description) == ("cook", "Prepares food.")
    assert cook.labels == {"es": ["cocinero"], "en": ["cook"]}


def test_the_labels_of_a_set_of_the_benchmark_are_read_and_its_queries_are_not(read):
    assert read(FRENCH).concepts == {COOK: Concept(COOK, {"fr": ["cuisinier"]})}


def test_titles_of_a_table_of_synonyms_keep_the_key_of_their_concept(read, tmp_path):
    write_adverts(tmp_path / "ads.csv", ("Commis  Chef ", COOK), ("Staff Nurse", "29-1141.00"))
    found = read(ADVERTS)
    assert found.titles == {"adverts": [("Commis Chef", COOK), ("Staff Nurse", "29-1141.00")]}
    assert found.concepts == {}


def test_equal_titles_of_one_concept_are_one(read, tmp_path):
    write_adverts(tmp_path / "ads.csv", ("Chef", COOK), ("Chef", COOK), ("Chef", NURSE))
    assert read(ADVERTS).titles["adverts"] == [("Chef", COOK), ("Chef", NURSE)]


@pytest.mark.parametrize("row", [("", COOK), ("Chef", " "), ("  ", "")])
def test_a_row_without_a_title_or_a_key_is_left_out(read, tmp_path, row):
    write_adverts(tmp_path / "ads.csv", row, ("Nurse", NURSE))
    assert read(ADVERTS).titles["adverts"] == [("Nurse", NURSE)]


def test_sentences_are_kept_by_table_with_the_key_of_their_concept(read, tmp_path):
    write(tmp_path / "tasks.txt.gz", "Code\tTask\n35-1011.00\tCook soup.\n35-1011.00\tOrder food.\n")
    found = read(SENTENCES)
    assert found.descriptions == {"tasks": [("Cook soup.", "35-1011.00"), ("Order food.", "35-1011.00")]}
    assert (found.concepts, found.titles) == ({}, {})


def test_a_quotation_mark_in_a_table_with_tabs_is_a_letter_like_others(read, tmp_path):
    write(tmp_path / "tasks.txt.gz", 'Code\tTask\n1\t"Cook" soup.\n2\t"Order food.\n')
    assert read(SENTENCES).descriptions["tasks"] == [('"Cook" soup.', "1"), ('"Order food.', "2")]


def test_a_byte_order_mark_is_no_part_of_the_first_column(read, tmp_path):
    (tmp_path / "ads.csv").write_text(f"title,uri\nChef,{COOK}\n", encoding="utf-8-sig")
    assert read(ADVERTS).titles["adverts"] == [("Chef", COOK)]


def test_labels_of_one_uri_are_one_concept_in_several_languages(read, tmp_path):
    write_labels(tmp_path / "da.csv", ("kok", COOK, "5120"), ("sygeplejerske", NURSE, "2221"))
    (tmp_path / "en.csv").write_text(
        f"conceptUri,iscoGroup,preferredLabel,altLabels\n{COOK},5120,cook,chef\n"
    )
    found = read(OCCUPATIONS, LABELS_DA, FRENCH).concepts
    assert list(found) == [COOK, NURSE]  # in the order they were read
    assert found[COOK].labels == {"en": ["cook", "chef"], "da": ["kok"], "fr": ["cuisinier"]}


def test_a_label_that_two_tables_of_a_language_have_is_kept_once(read, tmp_path):
    write_labels(tmp_path / "da.csv", ("kok", COOK, "5120"), ("kok ", COOK, "5120"))
    write_labels(tmp_path / "da2.csv", ("kok", COOK, "5120"), ("køkkenchef", COOK, "5120"))
    second = LABELS_DA.model_copy(update={"name": "more", "path": "da2.csv"})
    assert read(LABELS_DA, second).concepts[COOK].labels == {"da": ["kok", "køkkenchef"]}


def test_labels_that_the_encoder_cannot_tell_apart_are_one(read, tmp_path):
    write_labels(
        tmp_path / "da.csv", ("Kok", COOK, "5120"), ("KOK (m/k)", COOK, "5120"), ("kok!", COOK, "5120")
    )
    assert read(LABELS_DA).concepts[COOK].labels == {"da": ["Kok", "KOK (m/k)"]}


def test_a_label_without_words_is_none(read, tmp_path):
    write_labels(tmp_path / "da.csv", ("-", COOK, "5120"), ("kok", COOK, "5120"))
    assert read(LABELS_DA).concepts[COOK].labels == {"da": ["kok"]}


def test_one_spelling_in_two_languages_is_a_label_of_each(read, tmp_path):
    write_labels(tmp_path / "da.csv", ("chef", COOK, "5120"))
    write_labels(tmp_path / "sv.csv", ("chef", COOK, "5120"))
    swedish = LABELS_DA.model_copy(update={"name": "Swedish", "path": "sv.csv", "language": "sv"})
    assert read(LABELS_DA, swedish).concepts[COOK].labels == {"da": ["chef"], "sv": ["chef"]}


@pytest.mark.parametrize(
    "title",
    [
        "Infirmière d'État",
        "INFIRMIÈRE D'ÉTAT",
        "infirmiere d'etat",
        "Infirmière (d État)",
        "État: d'infirmière d'État",
    ],
)
def test_a_synonym_that_is_a_query_of_the_benchmark_is_left_out_and_counted(read, tmp_path, title):
    write_adverts(tmp_path / "ads.csv", (title, NURSE), ("Infirmière", NURSE))
    found = read(ADVERTS)
    assert found.titles == {"adverts": [("Infirmière", NURSE)]}
    assert found.excluded == {"adverts": 1}


def test_a_query_is_not_kept_aside_either(read, tmp_path):
    write_adverts(tmp_path / "ads.csv", *[("Infirmière d'État", f"key{n}") for n in range(50)])
    found = read(ADVERTS.model_copy(update={"held_out": 0.5}))
    assert (found.titles["adverts"], found.held_out, found.excluded["adverts"]) == ([], [], 50)


def test_a_label_stays_even_if_it_is_a_query(read, tmp_path):
    # ESCO's labels are the list the benchmark's titles are looked up in; everybody has them.
    write_labels(tmp_path / "da.csv", ("Infirmière d'État", NURSE, "2221"))
    assert read(LABELS_DA).concepts[NURSE].labels == {"da": ["Infirmière d'État"]}


def test_queries_that_are_no_label_must_not_be_made_either(read, tmp_path):
    # One query of the benchmark is "Infirmière d'État".
    write_labels(tmp_path / "da.csv", ("kok", COOK, "5120"))
    assert read(LABELS_DA).kept_out == {"d etat infirmiere"}
    write_labels(tmp_path / "da.csv", ("infirmière (d'état)", NURSE, "2221"))
    assert read(LABELS_DA).kept_out == set()


def test_titles_kept_aside_must_not_be_made_either(read, tmp_path):
    write_adverts(tmp_path / "ads.csv", *[(f"title {number}", COOK) for number in range(100)])
    found = read(ADVERTS.model_copy(update={"held_out": 0.2}))
    assert found.kept_out == {spelling(title) for title, _ in found.held_out} | {"d etat infirmiere"}


def test_titles_kept_aside_are_in_no_list_to_train_on(read, tmp_path):
    rows = [(f"title {number}", COOK) for number in range(1000)]
    write_adverts(tmp_path / "ads.csv", *rows)
    found = read(ADVERTS.model_copy(update={"held_out": 0.2}))
    assert 150 < len(found.held_out) < 250
    assert not set(found.held_out) & set(found.titles["adverts"])
    assert sorted(found.held_out + found.titles["adverts"]) == sorted(rows)


def test_titles_of_one_spelling_are_kept_aside_together(read, tmp_path):
    rows = [(title, COOK) for number in range(500) for title in (f"Cook {number}", f"COOK {number}")]
    write_adverts(tmp_path / "ads.csv", *rows)
    found = read(ADVERTS.model_copy(update={"held_out": 0.5}))
    kept = {title.lower() for title, _ in found.titles["adverts"]}
    assert 100 < len(kept) < 400
    assert not kept & {title.lower() for title, _ in found.held_out}


def test_a_title_that_is_a_label_is_not_kept_aside(read, tmp_path):
    write_labels(tmp_path / "da.csv", *[(f"Kok {number}", COOK, "5120") for number in range(100)])
    write_adverts(tmp_path / "ads.csv", *[(f"kok {number}", COOK) for number in range(200)])
    found = read(LABELS_DA, ADVERTS.model_copy(update={"held_out": 0.9}))
    assert {int(title.split()[1]) >= 100 for title, _ in found.held_out} == {True}
    assert len(found.titles["adverts"]) + len(found.held_out) + found.known == 200  # none is lost uncounted
    assert found.known > 50


def test_the_seed_says_which_titles_are_kept_aside(read, tmp_path):
    write_adverts(tmp_path / "ads.csv", *[(f"title {number}", COOK) for number in range(100)])
    half = ADVERTS.model_copy(update={"held_out": 0.5})
    assert read(half, seed=1).held_out == read(half, seed=1).held_out
    assert read(half, seed=1).held_out != read(half, seed=2).held_out


def test_nothing_is_kept_aside_unless_the_source_says_so(read, tmp_path):
    write_adverts(tmp_path / "ads.csv", *[(f"title {number}", COOK) for number in range(100)])
    found = read(ADVERTS)
    assert (len(found.titles["adverts"]), found.held_out) == (100, [])


@pytest.mark.parametrize(
    ("title", "seen"),
    [
        ("Kok (m/k), Ærø", "aero k kok m"),
        ("Restaurant Manager", "manager restaurant"),
        ("manager (restaurant)", "manager restaurant"),
        ("C++ developer", "c++ developer"),
        ("  TØMRER  ", "tomrer"),
        ("!", ""),
    ],
)
def test_a_spelling_is_what_the_encoder_sees(title, seen):
    assert spelling(title) == seen


def test_a_file_that_is_missing_is_named(read, tmp_path):
    with pytest.raises(DataError) as caught:
        read(LABELS_DA)
    assert str(caught.value) == (
        f"there is no {tmp_path / 'da.csv'}; name the folder with the tables of configs/finetune/titles.yaml"
    )


@pytest.mark.parametrize(
    ("source", "header", "message"),
    [
        (LABELS_DA, "labels,uri,isco4", "da.csv has no column 'label'; nearest is 'labels' (it has labels, "),
        (
            OCCUPATIONS,
            "conceptUri,preferredLabel,altLabel",
            "en.csv has no column 'altLabels'; nearest is 'alt",
        ),
        (ADVERTS, "name,uri", "ads.csv has no column 'title' (it has name, uri); name the right one in "),
        (SENTENCES, "Task\tKode", "tasks.txt.gz has no column 'Code'; nearest is 'Kode' (it has Task, Kode)"),
    ],
)
def test_a_column_that_is_missing_is_named_in_one_line_with_the_nearest(
    read, tmp_path, source, header, message
):
    write(tmp_path / source.path, header + "\n")
    with pytest.raises(DataError) as caught:
        read(source)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_is_not_compressed_as_its_ending_says_is_refused(read, tmp_path):
    (tmp_path / "tasks.txt.gz").write_text("Code\tTask\n1\tCook soup.\n")
    with pytest.raises(
        DataError, match=r"tasks\.txt\.gz cannot be read \(Not a gzipped file .* get it again"
    ):
        read(SENTENCES)


def test_a_file_in_another_encoding_is_refused(read, tmp_path):
    (tmp_path / "ads.csv").write_bytes(f"title,uri\nKøkkenchef,{COOK}\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"ads\.csv cannot be read .*can't decode"):
        read(ADVERTS)


def test_a_set_that_the_benchmark_does_not_have_is_named(read):
    with pytest.raises(DataError, match=r"has no set nld_q_nl_c_nl \(it has fra_q_fr_c_fr\)"):
        read(FRENCH.model_copy(update={"set": "nld_q_nl_c_nl"}))


def test_without_the_benchmark_nothing_is_read(tmp_path, pytestconfig):
    # Its queries could not be left out.
    flow = compose_flow("titles", TitlesFlow, [], pytestconfig.rootpath / "configs")
    with pytest.raises(DataError, match=r"melo\.tar\.xz is no readable archive"):
        read_vocabulary(flow, tmp_path)


def source(kind, **settings):
    more = {"weight": 0.1} if kind in {"synonyms", "descriptions"} else {}
    return {"name": kind, "kind": kind, "path": "p", "language": "en"} | more | settings


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        (
            [source("labels"), {"name": "ads", "kind": "synonyms", "path": "p", "language": "en"}],
            "ads: give `weight`, its share of the training pairs",
        ),
        ([source("labels"), source("labels")], "sources has 'labels' twice; give each source a name"),
        ([source("labels"), source("synonyms", weight=1.0)], "weight"),
        ([source("labels", weight=0.1)], "labels: only synonyms and descriptions have a `weight`"),
        ([source("synonyms")], "sources has no labels to train on"),
        ([source("benchmark")], "give `set` for kind 'benchmark'"),
    ],
)
def test_sources_of_titles_that_do_not_fit_together_are_refused(pytestconfig, sources, words):
    committed = compose_flow("titles", TitlesFlow, [], pytestconfig.rootpath / "configs").model_dump()
    with pytest.raises(ValidationError, match=words):
        TitlesFlow.model_validate(committed | {"sources": sources})
