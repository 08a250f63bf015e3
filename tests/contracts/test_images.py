"""The images and what runs beside them: files, options and metrics that exist, and few rights."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name
from prometheus_client.parser import text_string_to_metric_families
from typer.main import get_command

from joblens.cli import app

REPOSITORY = Path(__file__).resolve().parents[2]
DOCKERFILES = sorted((REPOSITORY / "dockerfiles").glob("*.Dockerfile"))
COMPOSE = yaml.safe_load((REPOSITORY / "compose.yaml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
DASHBOARD = json.loads((REPOSITORY / "dockerfiles/grafana/dashboards/joblens.json").read_text("utf-8"))
RULES = yaml.safe_load((REPOSITORY / "dockerfiles/prometheus/rules.yaml").read_text("utf-8"))

name_of = {path.name.split(".")[0]: path.read_text("utf-8") for path in DOCKERFILES}


def code_of(text):
    """A Dockerfile without comments, each instruction on one line."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(lines).replace("\\\n", " ")


def removed_from(image):
    """The packages that an image takes out again, by normalised name."""
    (found,) = re.findall(r"uv pip uninstall\s+(.*?)(?:&&|$)", code_of(name_of[image]), flags=re.MULTILINE)
    return {canonicalize_name(name) for name in found.split()}


@pytest.mark.parametrize("image", ["api", "ui"])
def test_what_an_image_takes_out_was_in_the_lock(image):
    text = (REPOSITORY / "requirements.lock").read_text("utf-8")
    locked = {
        canonicalize_name(name) for name in re.findall(r"^([a-zA-Z0-9._-]+)==", text, flags=re.MULTILINE)
    }
    of_the_page = {"streamlit", "pydeck"}
    assert removed_from(image) - locked - of_the_page == set()


@pytest.mark.parametrize("image", sorted(name_of))
def test_an_image_runs_without_rights_and_knows_whether_it_is_well(image):
    last = code_of(name_of[image]).split("\nFROM ")[-1]
    assert "USER 1000" in last
    assert "HEALTHCHECK" in last


def test_each_of_our_services_is_built_from_a_file_that_is_there():
    for service in OURS.values():
        assert (REPOSITORY / service["build"]["dockerfile"]).is_file()


def test_the_workflow_and_the_task_build_every_image():
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/images.yaml").read_text("utf-8"))
    images = workflow["jobs"]["image"]["strategy"]["matrix"]["image"]
    assert sorted(images) == sorted(name_of)
    assert all(f'"{image}"' in (REPOSITORY / "tasks.py").read_text("utf-8") for image in images)


@pytest.mark.parametrize("service", sorted(OURS))
def test_our_services_may_write_nowhere_and_have_no_capabilities(service):
    assert OURS[service]["read_only"] is True
    assert OURS[service]["cap_drop"] == ["ALL"]
    assert OURS[service]["tmpfs"] == ["/tmp"]


def test_what_is_mounted_from_the_repository_is_there_and_read_only():
    mounted = [
        volume
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if volume.startswith(".")
    ]
    made_by_train = "./models/classifier:/models/classifier:ro"
    assert made_by_train in mounted
    for volume in mounted:
        source, _, mode = volume.split(":")
        assert mode == "ro"
        assert volume == made_by_train or (REPOSITORY / source).exists()


def test_no_port_is_open_to_other_machines():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_a_password_is_asked_for_and_never_written_down():
    text = (REPOSITORY / "compose.yaml").read_text("utf-8")
    for name, value in re.findall(r"(\w*PASSWORD\w*): (.*)", text):
        assert re.fullmatch(r"\$\{\w+:\?.*\}", value), f"{name} is {value}"


@pytest.mark.parametrize(("service", "command"), [("api", "serve"), ("page", "ui")])
def test_options_of_a_container_are_options_of_its_command(service, command):
    if command not in COMMANDS:
        pytest.skip(f"there is no joblens {command}")
    known = {option for parameter in COMMANDS[command].params for option in parameter.opts}
    given = {word.split("=")[0] for word in SERVICES[service]["command"]}
    image = Path(SERVICES[service]["build"]["dockerfile"]).name.split(".")[0]
    (default,) = re.findall(r"^CMD (\[.*\])$", code_of(name_of[image]), flags=re.MULTILINE)
    given |= {word for word in json.loads(default) if word.startswith("--")}
    assert given - known == set()
    assert f'ENTRYPOINT ["joblens", "{command}"]' in name_of[image]


@pytest.mark.slow
def test_the_api_runs_without_the_packages_that_its_image_takes_out(tmp_path):
    """In a process in which importing any of them fails."""
    removed = removed_from("api")
    modules = sorted(
        module
        for module, owners in packages_distributions().items()
        if {canonicalize_name(owner) for owner in owners} <= removed
    )
    assert {"dvc", "wandb", "matplotlib"} <= set(modules)
    code = (
        "import json, sys\n"
        "sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))\n"
        "import joblens.serving.api, joblens.serving.server, joblens.serving.work\n"
        "import gliner, sentence_transformers, transformers.models.bert.modeling_bert\n"
        "import torch\n"
        "from joblens.shift import domain_classifier_auc, psi_by_chance\n"
        "dice = torch.Generator().manual_seed(0)\n"
        "one, other = torch.randn(2, 20, 4, generator=dice)\n"
        "assert 0 <= domain_classifier_auc(one, other) <= 1\n"
        "assert psi_by_chance([3, 4], [4, 3]) > 0\n"
    )
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-c", code, json.dumps(modules)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_page_needs_no_model():
    assert {"gliner", "sentence-transformers", "transformers"} <= removed_from("ui")
    assert "^torch==" not in name_of["ui"]


@pytest.fixture(scope="module")
def series():
    """The label names of every series that `/metrics` may tell, by its name."""
    from prometheus_client import generate_latest

    from joblens.serving.monitoring import Monitor

    monitor = Monitor()
    for family in (monitor.seconds, monitor.bytes, monitor.refusals, monitor.adverts, monitor.abstained):
        family.labels(*["x"] * len(family._labelnames))
    monitor.model.info({"name": "x", "version": "x", "encoder": "x", "labels": "1"})
    found = text_string_to_metric_families(generate_latest(monitor.registry).decode())
    return {sample.name: set(sample.labels) for family in found for sample in family.samples}


def questions():
    """Every expression of the dashboard and of the alerts, by what asks it."""
    asked = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", [])
    }
    alerts = {rule["alert"]: rule["expr"] for group in RULES["groups"] for rule in group["rules"]}
    return sorted((asked | alerts).items())


@pytest.mark.parametrize(("title", "expression"), questions())
def test_what_the_dashboard_and_the_alerts_ask_for_is_told(title, expression, series):
    if title == "JoblensDown":
        assert expression == 'up{job="joblens"} == 0'  # Prometheus' own
        return
    names = set(re.findall(r"\b(?:joblens|http|process)_\w+", expression))
    assert names
    assert names - set(series) == set()
    known = set().union(*(series[name] for name in names))
    used = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
    used |= set(re.findall(r"(\w+)=\"", expression))
    assert used - known == set()
    assert expression.count("(") == expression.count(")")


def test_the_panels_ask_the_data_source_that_is_provided():
    (source,) = yaml.safe_load(
        (REPOSITORY / "dockerfiles/grafana/provisioning/datasources/prometheus.yaml").read_text("utf-8")
    )["datasources"]
    asked = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "datasource" in panel}
    assert asked == {source["uid"]}
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))


def test_refusals_are_asked_for_by_reasons_that_exist():
    from joblens.serving.monitoring import REASONS

    asked = set(re.findall(r'reason="(\w+)"', json.dumps(RULES).replace('\\"', '"')))
    assert asked
    assert asked <= set(REASONS.values())
