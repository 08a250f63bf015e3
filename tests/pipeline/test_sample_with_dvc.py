"""What a user types: `joblens sample`, `joblens params`, `dvc repro`, in a Git repository of its own."""

import json
import shutil
from pathlib import Path

import pytest

from joblens.paths import Layout

pytestmark = pytest.mark.slow

ADS = 120  # the fewest with five originals in each of the 22 areas
OVERRIDES = (
    "experiment=demo",
    "tracking=none",
    "compute=cpu",
    "evaluation.split.folds=2",  # cross-validation is on, in less time than with five
    "evaluation.bootstrap=100",  # the fewest allowed
)
MODELS = ("zero_shot", "centroid", "lexical", "classifier")
STAGES = 8


@pytest.fixture(scope="module")
def git(run):
    """`git(project, *arguments)`: Git without the settings of this machine's user."""
    author = ("-c", "user.name=Test", "-c", "user.email=test@joblens.example", "-c", "commit.gpgsign=false")
    return lambda project, *arguments: run(project, "git", *author, *arguments)


@pytest.fixture(scope="module")
def git_status(git):
    """Every file that differs from the last commit, those of new folders one by one."""
    return lambda project: sorted(git(project, "status", "--porcelain", "--untracked-files=all").splitlines())


@pytest.fixture(scope="module")
def project(repository: Path, tmp_path_factory: pytest.TempPathFactory, run, git, git_status) -> Path:
    """A committed project with a small sample of its own, before any stage has run."""
    folder = tmp_path_factory.mktemp("user") / "project"
    for name in ("configs", "src", "models/cleaner", "models/titles"):
        shutil.copytree(repository / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".gitignore", ".dvcignore"):
        shutil.copy(repository / name, folder / name)
    git(folder, "init", "--quiet")
    run(folder, "dvc", "init", "--quiet")
    run(folder, "joblens", "sample", "--ads", str(ADS), "--seed", "7", "--output", "data/sample")
    shutil.copy(repository / "data/sample/taxonomy.csv", folder / "data/sample/taxonomy.csv")
    run(folder, "joblens", "params", *OVERRIDES)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "Start")
    assert git_status(folder) == []
    return folder


@pytest.fixture(scope="module")
def reproduced(project: Path, run) -> tuple[Path, str]:
    """The same project after `dvc repro`, and what that printed."""
    return project, run(project, "dvc", "repro")


def test_one_command_compares_all_models_on_the_sample(reproduced):
    project, shown = reproduced
    assert shown.count("Running stage") == STAGES
    layout = Layout(project)
    metrics = json.loads(layout.metrics.read_text(encoding="utf-8"))
    assert metrics["data"]["rows"] == ADS
    for model in MODELS:
        low, high = metrics[model]["ci_accuracy"]
        assert 0 <= low <= metrics[model]["accuracy"] <= high <= 1
    assert set(metrics["cross_validation"]) == set(MODELS)
    assert layout.report.is_file()


def test_git_sees_only_the_lock_file_and_the_figures(reproduced, git_status):
    project, _ = reproduced
    figures = [f"?? reports/{name}" for name in ("cleaning.json", "metrics.json", "training.csv")]
    assert git_status(project) == ["?? dvc.lock", *figures]


def test_a_second_run_has_nothing_to_do(reproduced, run):
    project, _ = reproduced
    shown = run(project, "dvc", "repro")
    assert shown.count("didn't change, skipping") == STAGES
    assert "Running stage" not in shown


def test_another_seed_of_the_folds_leaves_the_adverts_alone(reproduced, run):
    project, _ = reproduced
    params = Layout(project).params
    before = params.read_bytes()
    try:
        run(project, "joblens", "params", *OVERRIDES, "evaluation.split.seed=8")
        shown = run(project, "dvc", "status")
    finally:
        params.write_bytes(before)
    assert "split:" in shown
    assert "ingest:" not in shown
    assert "clean:" not in shown


def test_dvc_draws_the_plots_into_a_page(reproduced, run):
    project, _ = reproduced
    run(project, "dvc", "plots", "show", "--out", "page")
    page = (project / "page/index.html").read_text(encoding="utf-8")
    shutil.rmtree(project / "page")
    for plot in ("confusion", "reliability"):
        assert f"reports/plots/{plot}.csv" in page
    assert "vegaEmbed" in page


def test_dvc_shows_the_figures_of_the_metrics_file(reproduced, run):
    project, _ = reproduced
    shown = json.loads(run(project, "dvc", "metrics", "show", "--json"))
    written = json.loads(Layout(project).metrics.read_text(encoding="utf-8"))
    figures = shown[""]["data"]["reports/metrics.json"]["data"]
    for model in MODELS:
        for name in ("accuracy", "macro_f1", "top_3_accuracy", "ece"):  # DVC leaves lists out: no intervals
            assert figures[model][name] == written[model][name]


def test_an_added_file_is_named_to_git_but_not_handed_over(reproduced, run, git, git_status):
    project, _ = reproduced
    raw = project / "data/raw"
    raw.mkdir(parents=True, exist_ok=True)
    (raw / "ads.csv").write_text("text,label\nWe need a nurse,Health\n", encoding="utf-8")
    before = git_status(project)
    run(project, "dvc", "add", "--quiet", "data/raw/ads.csv")
    # Git ignores data/raw already, so DVC need not write a .gitignore there.
    assert [line for line in git_status(project) if line not in before] == ["?? data/raw/ads.csv.dvc"]
    assert git(project, "check-ignore", "data/raw/ads.csv").strip() == "data/raw/ads.csv"
