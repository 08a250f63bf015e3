"""The flow `titles` from tables of titles to a folder that codes titles, and the commands that use it.

Twelve occupations, each a place and a job, in two languages: "ship cook" and "vessel chef" are one. So what
two titles of an occupation mean can be learned from the other occupations of its place and of its job.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from typer.testing import CliRunner

from joblens.cli import app
from joblens.config import TitlesFlow, compose_flow
from joblens.encoders.titles import Shape, TitleEncoder, quantised
from joblens.errors import DataError, StorageError
from joblens.finetune.titles import held_out_concepts, run, training
from joblens.finetune.titles.concepts import read_vocabulary
from joblens.finetune.titles.network import first_table
from joblens.finetune.titles.training import train
from joblens.inference.code import TitleCoder
from joblens.metrics import mean_reciprocal_rank
from joblens.paths import Layout
from joblens.storage import lock, read_json

REPOSITORY = Path(__file__).parents[2]

PLACES = {
    "ship": ("ship vessel", "skib fartøj"),
    "school": ("school academy", "skole læreanstalt"),
    "prison": ("prison jail", "fængsel arrest"),
    "hotel": ("hotel inn", "gæstgiveri kro"),
}
JOBS = {
    "5120": ("cook chef", "kok madlaver"),
    "2221": ("nurse carer", "plejer søster"),
    "7221": ("smith forger", "smed hamrer"),
}
"""ISCO-08 code, and two words for it in English and in Danish."""

GROUPS = {"5120": "Cooks", "2221": "Nursing professionals", "7221": "Blacksmiths"}

FILES = [
    "README.md", "card.json", "config.json", "model.safetensors", "modules.json", "occupations.json",
    "occupations.safetensors",
]  # fmt: skip


def occupations():
    """URI, code, English labels and Danish labels of each occupation: ship cook, vessel chef; skib kok, …"""
    for place, place_words in PLACES.items():
        for code, job_words in JOBS.items():
            labels = [
                [" ".join(words) for words in zip(places.split(), jobs.split(), strict=True)]
                for places, jobs in zip(place_words, job_words, strict=True)
            ]
            yield f"http://data.europa.eu/esco/occupation/{place}-{code}", code, *labels


OCCUPATIONS = list(occupations())
COOK = OCCUPATIONS[0]


def write_tables(folder):
    """The toy twins of ESCO, adverts, task statements and MELO."""
    folder.mkdir()
    write_rows(
        folder / "en.csv",
        ("conceptUri", "iscoGroup", "preferredLabel", "altLabels", "description"),
        [(uri, code, first, second, f"A {first} at work.") for uri, code, (first, second), _ in OCCUPATIONS],
    )
    write_rows(
        folder / "groups.csv",
        ("conceptUri", "code", "preferredLabel", "altLabels"),
        [(f"http://data.europa.eu/esco/isco/C{code}", code, name, "") for code, name in GROUPS.items()],
    )
    write_rows(
        folder / "da.csv.gz",
        ("label", "uri", "isco4"),
        [(label, uri, code) for uri, code, _, labels in OCCUPATIONS for label in labels],
    )
    write_rows(
        folder / "ads.csv",
        ("vacancyTitle", "conceptUri"),
        [
            (" ".join(words), uri)
            for uri, _, labels, _ in OCCUPATIONS
            for (place, job), (other_place, other_job) in [[label.split() for label in labels]]
            for words in ((place, other_job), (other_place, job), (place, job, "wanted"))
        ],
    )
    write_rows(
        folder / "tasks.csv",
        ("Task", "uri"),
        [(f"Works as a {second}.", uri) for uri, _, (_, second), _ in OCCUPATIONS],
    )
    labels = [(f"c{number}", row[2][0], row[0]) for number, row in enumerate(OCCUPATIONS)]
    write_set(folder / "melo/usa_q_en_c_en", ["Vessel Cook", "academy nurse"], ["c0", "c4"], labels)
    write_set(folder / "melo/dan_q_da_c_en", [row[3][1] for row in OCCUPATIONS[:2]], ["c0", "c1"], labels)


def write_rows(path, header, rows):
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_set(folder, queries, right, labels):
    folder.mkdir(parents=True)
    tables = {
        "queries": [f"q{number}\t{query}" for number, query in enumerate(queries)],
        "corpus_elements": [f"{key}\t{label}" for key, label, _ in labels],
        "concept_mapping": [f"{key}\t{uri}" for key, _, uri in labels],
        "annotations": [f"q{number}\t0\t{key}\t1" for number, key in enumerate(right)],
    }
    for name, lines in tables.items():
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")


SMALL = {
    "buckets": 2048, "dimensions": 24, "output": "models/small", "exclude": "melo", "steps": 120,
    "batch_size": 24, "learning_rate": 0.01, "temperature": 0.1, "validate_every": 20, "held_out": 0.15,
    "neighbours": 3, "sources": [
        {"name": "English", "kind": "occupations", "path": "en.csv", "language": "en"},
        {"name": "groups", "kind": "occupations", "path": "groups.csv", "language": "en"},
        {"name": "Danish", "kind": "labels", "path": "da.csv.gz", "language": "da"},
        {"name": "MELO", "kind": "benchmark", "path": "melo", "language": "en", "set": "usa_q_en_c_en"},
        {"name": "adverts", "kind": "synonyms", "path": "ads.csv", "language": "en", "title": "vacancyTitle",
         "concept": "conceptUri", "weight": 0.2, "held_out": 0.3},
        {"name": "tasks", "kind": "descriptions", "path": "tasks.csv", "language": "en", "title": "Task",
         "weight": 0.05},
    ],
}  # fmt: skip


def small_flow(**changes):
    """The committed flow, made small; metrics go nowhere."""
    options = ["compute=cpu", "tracking=none"]
    whole = compose_flow("titles", TitlesFlow, options, REPOSITORY / "configs")
    return TitlesFlow.model_validate(whole.model_dump() | SMALL | changes)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The folder with the tables."""
    folder = tmp_path_factory.mktemp("titles") / "data"
    write_tables(folder)
    return folder


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """The figures of a run, and the project it ran in."""
    project = tmp_path_factory.mktemp("project")
    return run(small_flow(), Layout(project), data), project


@pytest.fixture
def folder(trained):
    """The trained encoder."""
    _, project = trained
    return project / "models/small"


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_flow_ends_in_a_folder_with_encoder_occupations_and_card(trained, folder):
    figures, project = trained
    assert sorted(contents(folder)) == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["small"]  # nothing half-written beside it
    card = read_json(folder / "card.json")
    assert card == {key: value for key, value in figures.items() if key != "seconds"} | {
        "settings": card["settings"]
    }
    assert card["settings"]["sources"][0]["path"] == "en.csv"
    assert not {"compute", "tracking", "data_env", "output"} & set(card["settings"])
    assert "joblens finetune titles" in (folder / "README.md").read_text()
    assert not (project / "wandb").exists()


def test_what_is_read_is_counted_and_a_query_of_the_benchmark_is_not_trained_on(trained):
    figures, _ = trained
    assert (figures["concepts"], figures["occupations"]) == (15, 12)
    assert figures["excluded"] == {"adverts": 2}  # vessel cook and academy nurse
    sources = figures["sources"]
    # Two labels of each occupation and a name of each group; of the adverts some are kept aside.
    assert (sources["labels en"], sources["labels da"], sources["tasks"]) == (27, 24, 12)
    assert sources["adverts"] + figures["calibration"]["titles"] == 36 - 2


def test_occupations_held_out_find_their_synonyms_better_than_before(trained):
    figures, _ = trained
    assert (figures["held_out_concepts"], figures["curve"][0]["step"]) == (2, 0)
    assert figures["held_out_mrr"] == max(row["mrr"] for row in figures["curve"])
    assert figures["held_out_mrr"] > figures["curve"][0]["mrr"] + 0.2
    assert figures["step"] in [
        row["step"] for row in figures["curve"] if row["mrr"] == figures["held_out_mrr"]
    ]


def synonyms_first(encoder):
    """MRR of Danish labels that look for the English label of their occupation among all."""
    english, danish = ([row[place][0] for row in OCCUPATIONS] for place in (2, 3))
    scores = encoder.encode(danish) @ encoder.encode(english).T
    return mean_reciprocal_rank(1 + (scores > scores.diagonal().unsqueeze(1)).sum(dim=1))


def test_synonyms_in_another_language_are_nearer_than_strangers_after_training(folder, data):
    flow = small_flow()
    vocabulary = read_vocabulary(flow, data)
    held_out = held_out_concepts(flow, vocabulary)
    labels = [
        label
        for concept in vocabulary.concepts.values()
        if concept.key not in held_out
        for found in concept.labels.values()
        for label in found
    ]
    shape = Shape(flow.buckets, flow.dimensions, flow.shortest, flow.longest)
    untrained = TitleEncoder(shape, *quantised(first_table(labels, shape, flow.seed).numpy()))
    assert synonyms_first(untrained) < 0.6  # by chance (1 + 1/2 + … + 1/12) / 12 = 0.26
    assert synonyms_first(TitleEncoder.load(folder)) > 0.9


def test_the_folder_codes_titles(folder):
    coder = TitleCoder.load(folder)
    found = coder.code(["Vessel Chef (m/k)", "fængsel smed"], confidence=0.0)
    assert [coding.code for coding in found] == ["5120", "7221"]
    assert [coding.name for coding in found] == ["Cooks", "Blacksmiths"]
    nearest = found[0].occupations[0]
    assert (nearest.uri, nearest.name, nearest.code) == (COOK[0], "ship cook", "5120")
    assert [code for code, _ in found[0].levels] == ["5", "51", "512", "5120"]


def test_the_temperatures_of_the_card_are_those_that_titles_are_coded_with(trained, folder):
    figures, _ = trained
    levels = figures["calibration"]["levels"]
    assert [level["digits"] for level in levels] == [1, 2, 3, 4]
    assert [level["temperature"] for level in levels] == read_json(folder / "occupations.json")[
        "temperatures"
    ]


def test_the_command_in_another_process_and_project_writes_the_same_bytes(folder, data, tmp_path):
    configs = tmp_path / "configs"
    for name in ("compute", "tracking"):
        shutil.copytree(REPOSITORY / "configs" / name, configs / name)
    (configs / "finetune").mkdir()
    settings = small_flow(output="elsewhere/titles").model_dump(mode="json", exclude={"compute", "tracking"})
    defaults = [{"/compute": "cpu"}, {"/tracking": "offline"}, "_self_"]
    (configs / "finetune/titles.yaml").write_text(
        "# @package _global_\n" + yaml.safe_dump({"defaults": defaults} | settings, sort_keys=False)
    )
    # Another order of sets and dictionaries of text, and another number of threads.
    more = {"JOBLENS_REAL_DATA": str(data), "PYTHONHASHSEED": "4711", "OMP_NUM_THREADS": "2"}
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "from joblens.cli import main; main()",
            "finetune",
            "titles",
            "--project",
            str(tmp_path),
        ],
        env=os.environ | more,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("wrote elsewhere/titles in 0 minutes; MRR of the concepts held out ")
    found, expected = contents(tmp_path / "elsewhere/titles"), contents(folder)
    assert [name for name in expected if found.get(name) != expected[name]] == []
    assert sorted(found) == sorted(expected)
    assert len(list((tmp_path / "wandb").glob("offline-run-*"))) == 1


def test_it_trains_on_one_thread(data, tmp_path, monkeypatch):
    found = []

    def spy(network, pairs, *more):
        found.append(torch.get_num_threads())
        return train(network, pairs, *more)

    monkeypatch.setattr(training, "train", spy)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        run(small_flow(steps=1), Layout(tmp_path), data)
    finally:
        torch.set_num_threads(before)
    assert found == [1]


def test_another_seed_writes_another_table(folder, data, tmp_path):
    run(small_flow(seed=8, steps=20), Layout(tmp_path), data)
    name = "model.safetensors"
    assert (tmp_path / "models/small" / name).read_bytes() != (folder / name).read_bytes()


@pytest.fixture
def old(folder, tmp_path):
    """A project with the trained folder in it, and what that holds."""
    shutil.copytree(folder, tmp_path / "models/small")
    return Layout(tmp_path), contents(folder)


def test_a_source_that_is_missing_leaves_the_old_folder_whole(old, data, tmp_path):
    layout, before = old
    copy = tmp_path / "data"
    shutil.copytree(data, copy)
    (copy / "tasks.csv").unlink()
    with pytest.raises(DataError, match=r"there is no .*tasks\.csv"):
        run(small_flow(), layout, copy)
    assert contents(layout.root / "models/small") == before


def test_an_occupation_whose_code_is_no_number_is_not_coded_with(data, tmp_path):
    copy = tmp_path / "data"
    shutil.copytree(data, copy)
    table = (copy / "en.csv").read_text()
    (copy / "en.csv").write_text(table.replace(f"{COOK[0]},{COOK[1]}", f"{COOK[0]},C512"))
    figures = run(small_flow(steps=1), Layout(tmp_path), copy)
    assert figures["occupations"] == len(OCCUPATIONS) - 1


def test_a_run_that_ends_while_it_writes_leaves_the_old_folder_whole(old, data):
    layout, before = old
    danish = [source for source in SMALL["sources"] if source["name"] == "Danish"]
    with pytest.raises(DataError, match="no source has occupations with ISCO codes"):
        run(small_flow(sources=danish, steps=1), layout, data)  # no English names
    assert contents(layout.root / "models/small") == before
    assert [path.name for path in (layout.root / "models").iterdir()] == ["small"]


def test_a_second_run_at_the_same_time_is_refused(old, data):
    layout, before = old
    with (
        lock(layout.locks / "finetune-titles.lock"),
        pytest.raises(StorageError, match=r"another joblens process is writing here \(finetune-titles"),
    ):
        run(small_flow(), layout, data)
    assert contents(layout.root / "models/small") == before


def joblens(*arguments):
    """What a command prints; it has to end well."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_code_names_the_code_and_the_nearest_occupations(folder):
    lines = joblens(
        "code", "vessel chef", "-", "--model", folder, "--confidence", "0", "--nearest", "2"
    ).splitlines()
    assert len(lines) == 5  # four for the first title and one for the one without words
    assert lines[0].startswith("vessel chef: 5120 Cooks (")
    assert lines[1].startswith("  by digits: 5 ")
    assert lines[2].split()[1:] == ["ship", "cook", "(5120)", COOK[0]]
    assert float(lines[2].split()[0]) >= float(lines[3].split()[0])
    assert lines[4] == "-: not sure enough"


def test_a_code_that_is_not_sure_enough_is_not_given(folder):
    assert joblens("code", "zzzzzzz", "--model", folder, "--confidence", "1").startswith(
        "zzzzzzz: not sure enough\n  by digits: "
    )


def test_the_benchmark_of_titles_writes_what_it_prints(folder, data, tmp_path):
    output = tmp_path / "titles.json"
    shown = joblens("bench", "titles", data / "melo", "--no-peers", "--model", folder, "--output", output)
    figures = read_json(output)
    assert set(figures["sets"]) == {"joblens titles", "character TF-IDF, here"}
    danish, english = figures["sets"]["joblens titles"]
    assert (danish["name"], danish["queries"]) == ("dan_q_da_c_en", 2)
    assert (english["name"], english["queries"], english["mrr"]) == ("usa_q_en_c_en", 2, 1.0)
    assert [row["queries"] for row in figures["without_labels"]] == [2]
    assert set(figures["noise"]) == {"upper case", "no diacritics", "one typo", "gender, place and contract"}
    assert figures["noise"]["upper case"] == [english]  # case means nothing to the encoder
    assert figures["speed"]["titles"] == 14  # two titles and twelve labels of the set of one language
    assert figures["speed"]["folder_bytes"] == sum(map(len, contents(folder).values()))
    assert "MRR, same language" in shown
    assert "14 distinct titles" in shown


def test_the_benchmark_can_be_of_one_set(folder, data, tmp_path):
    output = tmp_path / "titles.json"
    joblens(
        "bench", "titles", data / "melo", "--no-peers", "--model", folder, "--output", output,
        "--set", "dan_q_da_c_en",
    )  # fmt: skip
    figures = read_json(output)
    assert [row["name"] for row in figures["sets"]["joblens titles"]] == ["dan_q_da_c_en"]
    assert figures["without_labels"] == []


def test_the_benchmark_of_codes_writes_what_it_prints(folder, tmp_path):
    rows = [(labels[1], code) for _, code, labels, _ in OCCUPATIONS]
    write_rows(tmp_path / "ads.csv", ("headline", "isco"), rows)
    output = tmp_path / "codes.json"
    shown = joblens(
        "bench", "codes", tmp_path / "ads.csv", "--title", "headline", "--code", "isco", "--model", folder,
        "--output", output,
    )  # fmt: skip
    figures = json.loads(output.read_text())
    assert figures["titles"] == 12
    assert [(level["digits"], level["groups"]) for level in figures["levels"]] == [
        (1, 3),
        (2, 3),
        (3, 3),
        (4, 3),
    ]
    assert figures["levels"][3]["accuracy"] > 0.8  # by chance a third
    assert "12 titles" in shown


@pytest.mark.parametrize(
    "command",
    [
        ("code", "cook"),
        ("bench", "codes", "ads.csv"),
        ("bench", "titles", "melo", "--no-peers"),
    ],
)
def test_a_missing_folder_is_one_line_and_code_2(command, data, tmp_path):
    write_rows(tmp_path / "ads.csv", ("title", "code"), [("cook", "5120")])
    shutil.copytree(data / "melo", tmp_path / "melo")
    arguments = [*command, "--model", "nothing"]
    result = subprocess.run(
        [sys.executable, "-c", "from joblens.cli import main; main()", *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "joblens: nothing holds no title encoder (config.json is missing); name a folder that has one, "
        "such as models/titles, or train it with `joblens finetune titles`\n"
    )
