"""The page's script without a browser: what it says when the API or the page itself fails."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from joblens.serving.ui.session import API_VARIABLE, LANGUAGE_VARIABLE, SLOT

SCRIPT = Path(__file__).resolve().parents[2] / "src/joblens/serving/ui/app.py"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(API_VARIABLE, "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv(LANGUAGE_VARIABLE, "en")
    return AppTest.from_file(str(SCRIPT), default_timeout=20)


def test_an_api_that_is_not_there_is_told_in_words(page):
    page.run()
    page.text_area[0].set_value("a nurse for the ward")
    page.button[0].click().run()
    assert not page.exception
    said = [error.value.replace("\\", "") for error in page.error]  # Markdown's signs are escaped
    assert said == ["The service does not answer. Try again soon, or tell those who run it."]


def test_a_fault_of_the_page_is_one_line_in_the_log_without_its_text(page, caplog):
    page.session_state[SLOT] = "an advert by Mette Holm"
    with caplog.at_level(logging.ERROR):
        page.run()
    assert not page.exception
    assert [error.value for error in page.error] == [
        "The page could not be shown. Try again; the server's log says where it failed."
    ]
    assert "AssertionError at" in caplog.text
    assert "Mette" not in caplog.text
