"""What a tracker lets through, and what W&B leaves on disk."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from joblens.config import compose
from joblens.errors import ConfigError, DataError
from joblens.paths import Layout
from joblens.tracking import NullTracker, build_tracker

REPOSITORY = Path(__file__).parents[2]
CANARY = "canary-7c1f-secret"


def make_config(mode, *overrides):
    return compose(["experiment=toy", f"tracking={mode}", *overrides], REPOSITORY / "configs")


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path)
    for path in (
        layout.metrics,
        layout.training_log,
        layout.report,
        layout.model_card,
        layout.plots / "a.png",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    return layout


class FakeRun:
    """What WandbTracker uses of a run."""

    def __init__(self, folder):
        self.dir = str(folder)
        self.logged, self.saved = [], []

    def log(self, metrics, step):
        self.logged.append((step, metrics))

    def save(self, path, **options):
        self.saved.append(Path(path).name)

    def finish(self):
        pass


@pytest.fixture
def started(monkeypatch, tmp_path):
    """The arguments of every `wandb.init`, which does not run."""
    import wandb

    calls = []

    def init(**arguments):
        calls.append(arguments)
        folder = tmp_path / "run/files"
        folder.mkdir(parents=True, exist_ok=True)
        return FakeRun(folder)

    monkeypatch.setattr(wandb, "init", init)
    return calls


@pytest.fixture(params=["none", "offline"])
def tracker(request, layout, started):
    """Both kinds of tracker: one set of rules."""
    return build_tracker(make_config(request.param), layout, "train")


def test_finite_numbers_pass(tracker):
    tracker.log({"val/macro_f1": 0.5, "epochs": 3, "stopped": True}, step=1)


@pytest.mark.parametrize("value", [CANARY, None, float("nan"), float("inf"), [1.0], {"a": 1.0}, b"x"])
def test_anything_but_a_finite_number_is_refused(tracker, value):
    with pytest.raises(DataError, match="expected a finite number"):
        tracker.log({"figure": value})


@pytest.mark.parametrize("name", ["", "two words", "a\nb", "x" * 101, "a@b.example"])
def test_text_cannot_leave_as_the_name_of_a_number(tracker, name):
    with pytest.raises(DataError, match="metric name"):
        tracker.log({name: 1.0})


def test_the_files_that_may_leave_pass(tracker, layout):
    for path in (
        layout.metrics,
        layout.training_log,
        layout.model_card,
        layout.plots / "a.png",
    ):
        tracker.log_file(path)


@pytest.mark.parametrize(
    "name",
    [
        "params.yaml",
        "data/interim/ads.parquet",
        "reports/predictions.parquet",
        "reports/report.html",  # lists titles of adverts
        ".env",
    ],
)
def test_other_files_are_refused(tracker, layout, name):
    path = layout.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("1")
    with pytest.raises(DataError, match="may not be sent"):
        tracker.log_file(path)


def test_a_table_beside_the_plots_is_refused(tracker, layout):
    (layout.plots / "rows.csv").write_text("1")
    with pytest.raises(DataError, match="may not be sent"):
        tracker.log_file(layout.plots / "rows.csv")


def test_a_link_dressed_as_an_allowed_file_is_refused(tracker, layout):
    secret = layout.root / "secret.txt"
    secret.write_text(CANARY)
    (layout.plots / "b.png").symlink_to(secret)
    with pytest.raises(DataError, match="may not be sent"):
        tracker.log_file(layout.plots / "b.png")


def test_a_file_that_is_not_there_is_named(tracker, layout):
    layout.metrics.unlink()
    with pytest.raises(DataError, match=r"no file .*metrics\.json"):
        tracker.log_file(layout.metrics)


def test_mode_none_keeps_nothing(layout):
    tracker = build_tracker(make_config("none"), layout, "train")
    tracker.log({"a": 1.0})
    tracker.finish()
    assert isinstance(tracker, NullTracker)
    assert not (layout.root / "wandb").exists()


def test_importing_the_module_does_not_import_wandb():
    code = "import sys, joblens.tracking; assert 'wandb' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_wandb_is_one_line(layout, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigError, match="wandb is not installed"):
        build_tracker(make_config("offline"), layout, "train")


def test_wandb_without_a_key_is_offline_and_says_so(layout, started, monkeypatch, tmp_path, caplog):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "nothing"))
    with caplog.at_level(logging.INFO):
        build_tracker(make_config("wandb"), layout, "train").finish()
    assert [call["settings"].mode for call in started] == ["offline"]
    assert "no WANDB_API_KEY" in caplog.text
    assert "`wandb sync" in caplog.text


@pytest.mark.parametrize("source", ["environment", "netrc"])
def test_wandb_with_a_key_is_online(layout, started, monkeypatch, tmp_path, source):
    netrc = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_BASE_URL", raising=False)
    if source == "environment":
        monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    else:
        netrc.write_text(f"machine api.wandb.ai login user password {'0' * 40}\n")
        netrc.chmod(0o600)
    build_tracker(make_config("wandb"), layout, "train")
    assert [call["settings"].mode for call in started] == ["online"]


def test_an_unreachable_server_does_not_stop_the_work(layout, monkeypatch, tmp_path, caplog):
    import wandb

    modes = []

    def init(**arguments):
        modes.append(arguments["settings"].mode)
        if len(modes) == 1:
            raise wandb.errors.CommError("no route")
        return FakeRun(tmp_path)

    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setattr(wandb, "init", init)
    build_tracker(make_config("wandb"), layout, "train")
    assert modes == ["online", "offline"]
    assert "cannot be reached" in caplog.text


def test_automatic_capture_is_off(layout, started):
    build_tracker(make_config("offline"), layout, "train")
    settings = started[0]["settings"]
    assert (settings.console, settings.save_code) == ("off", False)
    for name in (
        "disable_code",
        "disable_git",
        "disable_job_creation",
        "x_disable_meta",
        "x_disable_stats",
        "x_disable_machine_info",
    ):
        assert getattr(settings, name) is True, name
    assert settings.x_save_requirements is False


def test_the_config_is_sent_flat_and_without_where_data_and_models_are(layout, started):
    hidden = f"data.query='SELECT secret AS {CANARY}'"
    models = [f"{section}.model=/home/{CANARY}/model" for section in ("cleaning", "embedding")]
    config = make_config(
        "offline", "data=sql", "data.text=text", hidden, "classifier.hidden=[64,32]", *models
    )
    build_tracker(config, layout, "train")
    sent = started[0]["config"]
    assert sent["classifier.hidden"] == "64, 32"
    assert sent["classifier.dropout"] == config.classifier.dropout
    assert sent["data.source"] == "sql"
    assert CANARY not in str(sent)
    assert all(isinstance(value, bool | int | float | str) for value in sent.values())


SCRIPT = """
import sys
from pathlib import Path
from joblens.config import compose
from joblens.paths import Layout
from joblens.tracking import build_tracker

layout = Layout(Path(sys.argv[1]))
config = compose(["experiment=toy", "tracking=offline"], Path(sys.argv[2]))
tracker = build_tracker(config, layout, "train")
tracker.log({"val/macro_f1": 0.4711}, step=1)
tracker.log_file(layout.training_log)
print("printed", sys.argv[3])
tracker.finish()
"""


def test_a_real_offline_run_holds_the_figures_and_no_secret(layout):
    """Canaries in the environment, the command line, the output, a Git remote and the script itself."""
    subprocess.run(["git", "init", "-q", str(layout.root)], check=True)
    subprocess.run(
        ["git", "-C", str(layout.root), "remote", "add", "origin", f"https://{CANARY}@git.example/x"],
        check=True,
    )
    script = layout.root / f"{CANARY}.py"
    script.write_text(SCRIPT)
    environment = os.environ | {
        "JOBLENS_DB_URL": f"postgresql://user:{CANARY}@db.example/jobs",
        f"NAME_{CANARY.replace('-', '_')}": "1",
        "WANDB_API_KEY": f"{CANARY}-key",
        "HOSTNAME": CANARY,
        "XDG_CACHE_HOME": str(layout.root / "cache"),
        "WANDB_CACHE_DIR": str(layout.root / "cache"),
    }
    command = [sys.executable, str(script), str(layout.root), str(REPOSITORY / "configs"), CANARY]
    done = subprocess.run(
        command, cwd=layout.root, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr

    files = [path for path in (layout.root / "wandb").rglob("*") if path.is_file()]
    contents = {path: path.read_bytes() for path in files}
    (record,) = [data for path, data in contents.items() if path.suffix == ".wandb"]
    assert b"val/macro_f1" in record
    assert b"0.4711" in record
    assert [path.name for path in files if path.parent.name == "files"] == ["training.csv"]
    for path, data in contents.items():
        for form in (CANARY.encode(), CANARY.replace("-", "_").encode(), CANARY.encode("utf-16-le")):
            assert form not in data, f"{path} holds the canary"
