"""The command line: what people type, what they read, how it exits."""

import subprocess
import sys
from pathlib import Path

import pytest

from joblens.cli import app
from joblens.config import load
from joblens.errors import DataError

REPOSITORY = Path(__file__).parents[2]


def joblens(*arguments: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would."""
    command = [sys.executable, "-c", "from joblens.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the option files and one CSV."""
    (tmp_path / "configs").symlink_to(REPOSITORY / "configs")
    (tmp_path / "ads.csv").write_text("body,area\nwe seek a cook,Kitchen\nwe seek a nurse,Health\n")
    return tmp_path


def test_params_writes_the_file_and_says_what_changed(project):
    first = joblens(
        "params", "data=csv", "data.path=ads.csv", "data.text=body", "data.label=area", cwd=project
    )
    assert first.returncode == 0, first.stderr
    (project / "data/sample").mkdir(parents=True)
    second = joblens(
        "params", "data=csv", "data.path=ads.csv", "data.text=body", "data.label=place", cwd=project
    )
    assert second.stdout.splitlines() == ["wrote params.yaml, 1 changed:", "  data.label: area → place"]
    assert load(project / "params.yaml").data.label == "place"


def test_a_data_file_that_is_not_there_is_named_with_the_nearest_one(project):
    result = joblens("params", "data=csv", "data.path=adz.csv", "data.text=body", cwd=project)
    assert result.returncode == 2
    assert result.stderr == (
        "joblens: there is no file adz.csv; nearest is 'ads.csv'; check data.path and data.taxonomy\n"
    )
    assert not (project / "params.yaml").exists()


def test_an_error_is_one_line_without_a_traceback_and_code_2(tmp_path):
    result = joblens("train", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "joblens: there is no params.yaml; write it with `joblens params`\n"


def test_explain_without_a_bundle_ends_in_one_line_and_code_2(tmp_path):
    result = joblens("explain", "We seek a cook", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("joblens: there is no bundle folder models/classifier")
    assert result.stderr.count("\n") == 1


def test_export_cleaner_takes_the_cleaner_of_the_project_it_is_given(project, tmp_path_factory):
    joblens("params", "data=csv", "data.path=ads.csv", "data.text=body", "data.label=area", cwd=project)
    (project / "models/cleaner").mkdir(parents=True)
    (project / "models/cleaner/config.json").write_text('{"format": 2}')
    (project / "data/sample").mkdir(parents=True)
    row = '{"id": "a1", "title": "Kok", "text": "Lav mad.", "title_entities": [], "entities": []}'
    (project / "data/sample/ads.jsonl").write_text(row + "\n")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    result = joblens("export-cleaner", "--backend", "onnx", "--project", str(project), cwd=elsewhere)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{project}/models/cleaner/config.json has format 2, expected 3; train it again" in result.stderr
    assert not list(elsewhere.iterdir())


def test_measure_ner_on_a_device_that_is_none_ends_in_one_line_and_code_2(tmp_path):
    (tmp_path / "spans.json").write_text('[{"tokenized_text": ["cook"], "ner": [[0, 0, "task"]]}]')
    result = joblens(
        "finetune", "measure-ner", "spans.json", "--kind", "gliner", "--device", "tpu", cwd=tmp_path
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "joblens: compute.device is 'tpu'; expected 'auto', 'cpu' or 'gpu'\n"


def test_an_edited_params_file_is_refused_by_every_stage(project):
    joblens("params", "data=csv", "data.path=ads.csv", "data.text=body", "data.label=area", cwd=project)
    params = project / "params.yaml"
    params.write_text(
        params.read_text(encoding="utf-8").replace("encoder: sentence_transformer", "encoder: bert")
    )
    result = joblens("ingest", cwd=project)
    assert result.returncode == 2
    assert (
        "embedding.encoder: should be 'sentence_transformer', 'titles' or 'toy' (found 'bert')"
        in result.stderr
    )


def test_an_unknown_command_exits_with_code_2_and_help_with_0():
    assert joblens("trian").returncode == 2
    shown = joblens("--help")
    assert shown.returncode == 0
    for command in (
        "params",
        "ingest",
        "clean",
        "split",
        "embed",
        "baseline",
        "train",
        "evaluate",
        "classify",
    ):
        assert command in shown.stdout


CANARY = "postgresql://u:canary@h/db"


@pytest.mark.parametrize(
    "override",
    [
        f"data.url_env={CANARY}",
        f"++data.url_env={CANARY}",
        f"data.url_env=[{CANARY}]",
        "data.url_env=postgresql://u:canary{@h/db",  # Hydra itself cannot read this one
        "data.url_env=canary${oops}",
        f"data.url={CANARY}",
        f"url_env={CANARY}",
        f"data={CANARY}",
    ],
)
def test_a_url_given_for_the_name_of_its_variable_is_refused_and_never_repeated(project, override):
    result = joblens("params", "data=sql", "data.table=t", "data.text=x", override, cwd=project)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("joblens: ")
    assert len(result.stderr.splitlines()) == 1
    assert "canary" not in result.stderr
    assert not (project / "params.yaml").exists()


def test_a_url_in_an_edited_params_file_is_not_repeated(project):
    joblens("params", "data=sql", "data.table=t", "data.text=x", cwd=project)
    params = project / "params.yaml"
    good = params.read_text(encoding="utf-8")
    params.write_text(good.replace("url_env: JOBLENS_DB_URL", f"url_env: {CANARY}"), encoding="utf-8")
    refused = joblens("extract", cwd=project)
    assert refused.returncode == 2
    assert "data.url_env: should be the name of an environment variable" in refused.stderr
    mended = joblens("params", "data=sql", "data.table=t", "data.text=x", cwd=project)
    assert mended.stdout.splitlines() == ["wrote params.yaml, 1 changed:", "  data.url_env"]
    params.write_text(good.replace("url_env: JOBLENS_DB_URL", f'url_env: "{CANARY}'), encoding="utf-8")
    broken = joblens("extract", cwd=project)
    assert "params.yaml is not YAML" in broken.stderr
    assert "canary" not in refused.stdout + refused.stderr + mended.stdout + mended.stderr + broken.stderr


@pytest.mark.parametrize("place", ["sql:ads", "ads.csv"])
def test_predict_refuses_a_url_given_for_the_name_of_its_variable(project, place):
    result = joblens("predict", place, "--output", "out.csv", "--url-env", CANARY, cwd=project)
    assert result.returncode == 2
    assert result.stderr.startswith("joblens: --url-env should be the name of an environment variable")
    assert "canary" not in result.stdout + result.stderr


def test_a_sample_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("old")
    for place in ("file", "file/deep"):
        result = joblens("sample", "--ads", "1", "--output", place, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith(f"joblens: cannot write {place}/ads.jsonl: ")
        assert len(result.stderr.splitlines()) == 1


TITLE_ADVICE = "name the right ones with --text, --title or --id; --title '' when there is none"


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["--title", ""], "no column 'text' (it has body, area)"),
        ([], "no column 'title' and no column 'text' (it has body, area)"),
        (["--text", "body", "--title", "bodi"], "no column 'bodi'; nearest is 'body' (it has body, area)"),
        (["--text", "body", "--id", "no"], "no column 'no' and no column 'title' (it has body, area)"),
    ],
)
def test_predict_says_with_which_option_a_missing_column_is_named(project, arguments, missing):
    with pytest.raises(DataError) as caught:
        predict_in(project, arguments)
    assert str(caught.value) == f"{project / 'ads.csv'} has {missing}; {TITLE_ADVICE}"


def predict_in(project: Path, arguments: list[str]) -> None:
    places = [str(project / "ads.csv"), "--output", str(project / "out.csv")]
    app(["predict", *places, *arguments], standalone_mode=False)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ([], "joblens predict new.csv --output reports/guesses.csv"),
        (
            ["--text", "job text", "--title", "", "--id", "no"],
            "joblens predict new.csv --output reports/guesses.csv --text 'job text' --title '' --id no",
        ),
    ],
)
def test_the_task_passes_column_names_on(given, sent):
    command = [sys.executable, "-m", "invoke", "--dry", "predict", "new.csv", *given]
    shown = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert sent in shown.stdout
