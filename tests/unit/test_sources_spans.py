"""Span files of every kind give texts whose offsets point at the marked words."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from joblens.errors import DataError
from joblens.sources.spans import KINDS, read_spans


def marked(texts):
    return [(text.text, [(entity.label, entity.text) for entity in text.entities]) for text in texts]


def test_skill_tags_are_tasks_and_knowledge_tags_are_skills(tmp_path):
    file = tmp_path / "spans.json"
    row = {
        "idx": 3,
        "tokens": ["You", "write", "tests", "in", "Python"],
        "tags_skill": ["O", "B", "I", "O", "O"],
        "tags_knowledge": ["O", "O", "O", "O", "B"],
        "source": "tech",
    }
    file.write_text(json.dumps(row) + "\n")
    [text] = read_spans(file, kind="skillspan", language="en")
    assert marked([text]) == [("You write tests in Python", [("task", "write tests"), ("skill", "Python")])]
    assert text.group == "spans-tech-3"
    assert text.language == "en"


def test_a_file_with_one_merged_label_calls_it_competence(tmp_path):
    file = tmp_path / "green.json"
    file.write_text(json.dumps({"tokens": ["can", "weld"], "tags_skill": ["O", "B"]}) + "\n")
    assert marked(read_spans(file, kind="skillspan", language="en")) == [
        ("can weld", [("competence", "weld")])
    ]


def test_an_inside_tag_without_a_begin_starts_a_span(tmp_path):
    file = tmp_path / "spans.json"
    file.write_text(json.dumps({"tokens": ["a", "b", "c"], "tags_skill": ["I", "I", "B"]}))
    assert marked(read_spans(file, kind="skillspan", language="en")) == [
        ("a b c", [("competence", "a b"), ("competence", "c")])
    ]


def test_an_empty_line_ends_a_sentence_of_a_conll_file(tmp_path):
    file = tmp_path / "da.conll"
    file.write_text("Du\tO\tO\nlæser\tB-Skill\tO\ntegninger\tI-Skill\tO\n\t\t\nExcel\tO\tB-Knowledge\n")
    assert marked(read_spans(file, kind="conll", language="da")) == [
        ("Du læser tegninger", [("task", "læser tegninger")]),
        ("Excel", [("skill", "Excel")]),
    ]


def test_ten_sentences_of_a_conll_file_share_a_group(tmp_path):
    file = tmp_path / "da.conll"
    file.write_text("ord\tO\tO\n\n" * 11)
    groups = [text.group for text in read_spans(file, kind="conll", language="da")]
    assert groups == ["da-0"] * 10 + ["da-1"]


def test_people_and_organisations_come_from_universal_ner(tmp_path):
    file = tmp_path / "news.iob2.gz"
    with gzip.open(file, "wt", encoding="utf-8") as stream:
        stream.write("# text = Kjeld mødte SID\n1\tKjeld\tB-PER\tx\n2\tmødte\tO\tx\n3\tSID\tB-ORG\tx\n\n")
    assert marked(read_spans(file, kind="uner", language="da")) == [
        ("Kjeld mødte SID", [("person", "Kjeld"), ("organisation", "SID")])
    ]


def cut_gzip(path):
    path.write_bytes(gzip.compress(b"1\tKjeld\tB-PER\tx\n" * 500)[:-12])


def cut_archive(path):
    with tarfile.open(path, "w:xz") as archive:
        info = tarfile.TarInfo("made.json")
        info.size = 40_000
        archive.addfile(info, io.BytesIO(bytes(range(250)) * 160))
    path.write_bytes(path.read_bytes()[:-200])


def no_gzip(path):
    path.write_text("1\tKjeld\tB-PER\tx\n")


@pytest.mark.parametrize(
    ("name", "kind", "write"),
    [
        ("cut.iob2.gz", "uner", cut_gzip),
        ("cut.tar.xz", "presidio", cut_archive),
        ("no.iob2.gz", "uner", no_gzip),
    ],
)
def test_a_compressed_file_that_is_cut_or_none_is_refused(tmp_path, name, kind, write):
    write(tmp_path / name)
    with pytest.raises(DataError, match=f"{name} is not a file of the format '{kind}'"):
        read_spans(tmp_path / name, kind=kind, language="da")


@pytest.mark.parametrize("layout", ["[{row}]", "{row}\n"])
def test_gliner_files_count_words_with_the_last_included(tmp_path, layout):
    file = tmp_path / "gliner.json"
    row = json.dumps({"tokenized_text": ["ring", "til", "Ada", "Holm"], "ner": [[2, 3, "person"]]})
    file.write_text(layout.replace("{row}", row))
    assert marked(read_spans(file, kind="gliner", language="da")) == [
        ("ring til Ada Holm", [("person", "Ada Holm")])
    ]


def test_presidio_files_are_read_from_an_archive(tmp_path):
    row = {
        "full_text": "I am Ada.",
        "spans": [{"entity_type": "PERSON", "start_position": 5, "end_position": 8}],
        "template_id": 4,
    }
    content = json.dumps([row]).encode()
    with tarfile.open(tmp_path / "all.tar.xz", "w:xz") as archive:
        info = tarfile.TarInfo("data/made.json")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    [text] = read_spans(tmp_path / "all.tar.xz", kind="presidio", language="en")
    assert marked([text]) == [("I am Ada.", [("person", "Ada")])]
    assert text.group == "made-template-4"


def test_the_title_of_a_sample_advert_comes_before_its_text(tmp_path):
    row = {
        "id": "a1",
        "title": "Kok søges",
        "text": "Ring til Ada.",
        "language": "da",
        "title_entities": [{"start": 0, "end": 3, "label": "occupation"}],
        "entities": [{"start": 9, "end": 12, "label": "person"}],
        "repost_of": "a0",
    }
    file = tmp_path / "ads.jsonl"
    file.write_text(json.dumps(row) + "\n")
    [text] = read_spans(file, kind="sample", language="en")
    assert marked([text]) == [("Kok søges\n\nRing til Ada.", [("occupation", "Kok"), ("person", "Ada")])]
    assert (text.language, text.group) == ("da", "a0")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("skillspan", '{"tokens": ["a"]}'),
        ("skillspan", '{"tokens": ["a"], "tags_skill": []}'),
        ("conll", "one column\n"),
        ("gliner", '[{"tokenized_text": ["a"], "ner": [[0, 1, "skill"]]}]'),
        ("presidio", '[{"full_text": "a", "spans": [{"entity_type": "X"}]}]'),
        ("sample", "not json"),
    ],
)
def test_a_file_of_another_format_is_refused_without_showing_it(tmp_path, kind, content):
    file = tmp_path / "file.json"
    file.write_text(content)
    with pytest.raises(DataError, match=rf"file\.json is not a file of the format '{kind}'"):
        read_spans(file, kind=kind, language="en")


def test_an_unknown_kind_names_the_nearest(tmp_path):
    with pytest.raises(DataError, match="there is no kind 'skilspan'; nearest is 'skillspan'"):
        read_spans(tmp_path / "x", kind="skilspan", language="en")


def test_a_missing_file_is_named():
    with pytest.raises(DataError, match=r"there is no file nowhere\.json"):
        read_spans(Path("nowhere.json"), kind="skillspan", language="en")


def test_every_kind_is_in_the_manual():
    import joblens.sources.spans as module

    assert all(f"| `{kind}` |" in (module.__doc__ or "") for kind in KINDS)
