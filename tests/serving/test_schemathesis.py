"""Requests made from the OpenAPI document, right and wrong ones, against a server process with a real bundle.

`invoke bench schema_cases --options "--cases 10000"` asks more of them; it is the same program.
"""

import re
import sys

import pytest


@pytest.mark.slow
def test_no_generated_case_finds_a_fault_or_an_answer_that_the_document_does_not_know(
    run, repository, bundle_folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("FEEDBACK_URL", f"sqlite:///{tmp_path}/feedback.db")
    script = str(repository / "benchmarks/schema_cases.py")
    options = ("--bundle", str(bundle_folder), "--cases", "300", "--scenarios", "10", "--seed", "1")
    options = (*options, "--serve", "--feedback-url-env FEEDBACK_URL")
    printed = run(repository, sys.executable, script, *options)
    cases, faults = re.findall(r"(\d+) cases, (\d+) faults", printed)[0]
    assert int(cases) > 300, "the scenarios come on top"
    assert faults == "0"
    assert int(re.findall(r"(\d+) of the cases in 10 scenarios", printed)[0]) > 10
    assert int(re.findall(r"^\| POST /feedback \| \d+ \| (\d+) \|", printed, re.MULTILINE)[0]) > 0, "no link"
    routes = re.findall(r"^\| (?:GET|POST) (/\w+)", printed, flags=re.MULTILINE)
    assert {
        "/classify",
        "/extract",
        "/match",
        "/feedback",
        "/metrics",
        "/labels",
        "/model",
        "/livez",
        "/readyz",
    } <= set(routes)
