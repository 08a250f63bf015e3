"""What people do on the page, in a real browser: paste, upload, download, review, read about the model."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CANARY = "kanariefugl"
NURSE = (
    f"Vi søger en sygeplejerske til pleje af patienter. Skriv til {CANARY}@example.dk eller ring 23 45 67 89."
)
ADVERTS = (
    "id;titel;tekst\n"
    "a1;=HYPERLINK(1);tømrer murer tag hus\n"
    "a2;Kok;kok tjener mad restaurant\n"
    f"a3;Blandet;kok murer {CANARY}@example.dk\n"
    "a4;Andet;læge hus\n"
)
ATTACK = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">'
AXE = os.environ.get("JOBLENS_AXE", "")


def paste(page: Page, title: str, text: str) -> None:
    page.get_by_label("Titel", exact=True).fill(title)
    page.get_by_label("Annoncens tekst").fill(text)
    page.get_by_role("button", name="Sortér annoncen").click()
    page.locator(".jl-label").wait_for()


def settle(page: Page) -> None:
    """Wait until the page's script has ended; a click before that may meet a button that goes away."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def upload(page: Page) -> None:
    settle(page)
    page.get_by_role("tab", name="En fil").click()
    data = {"name": "annoncer.csv", "mimeType": "text/csv", "buffer": ADVERTS.encode("cp1252")}
    page.locator("input[type=file]").set_input_files([data])
    page.get_by_role("button", name="Sortér 4 annoncer").wait_for()
    settle(page)
    page.get_by_role("button", name="Sortér 4 annoncer").click()
    page.get_by_role("button", name="Hent CSV").wait_for()
    settle(page)


def open_review(page: Page) -> None:
    upload(page)
    page.get_by_role("button", name="Gennemgå de usikre").click()
    page.get_by_role("button", name="Spring over").wait_for()
    page.locator(".jl-advert").wait_for()
    settle(page)


def open_model(page: Page) -> None:
    page.get_by_role("link", name="Modellen").click()
    page.get_by_role("heading", name="Hvad forveksles?").wait_for()


def downloaded(page: Page, button: str) -> bytes:
    with page.expect_download() as caught:
        page.get_by_role("button", name=button).click()
    return Path(caught.value.path()).read_bytes()


def stored(database: Path) -> list[tuple[str, str, str, str]]:
    """(id, title, text, label) of every correction, in order."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(database)) as connection:
        if not connection.execute(
            "select 1 from sqlite_master where name = 'joblens_corrections'"
        ).fetchall():
            return []
        wanted = "select id, title, text, label from joblens_corrections order by rowid"
        return connection.execute(wanted).fetchall()


def wait_until_stored(database: Path, count: int) -> list[tuple[str, str, str, str]]:
    for _ in range(200):
        if len(found := stored(database)) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{len(stored(database))} corrections are stored, expected {count}")


def test_a_pasted_advert_gets_a_label_and_its_personal_data_is_struck_out(page):
    paste(page, "Sygeplejerske", NURSE)
    expect(page.locator(".jl-label")).to_have_text("Sundhed")
    expect(page.locator(".jl-sure")).to_contain_text("sikker")
    advert = page.locator(".jl-advert")
    expect(advert).to_contain_text("sygeplejerske til pleje")
    expect(advert).not_to_contain_text(CANARY)
    assert advert.locator("del").count() == 2  # the e-mail and the telephone
    expect(page.get_by_role("heading", name="Derfor")).to_be_visible()


def test_the_page_changes_its_language_and_says_so_to_screen_readers(page):
    expect(page.locator("html")).to_have_attribute("lang", "da")
    page.get_by_role("radiogroup").get_by_text("English").click()
    expect(page.get_by_role("button", name="Sort the advert")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_text("Sortér")).to_have_count(0)


def test_html_in_an_advert_is_shown_and_not_run(page):
    paste(page, ATTACK, f"{ATTACK} sygeplejerske")
    page.wait_for_timeout(500)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0


def test_nothing_to_read_is_said_and_not_sent(page):
    page.get_by_role("button", name="Sortér annoncen").click()
    expect(page.get_by_text("Skriv en titel eller en tekst først.")).to_be_visible()


def test_an_uploaded_file_becomes_a_table_and_two_downloads(page):
    upload(page)
    expect(page.get_by_role("heading", name="Resultater: annoncer.csv")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    text = downloaded(page, "Hent CSV").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["id"] for row in rows] == ["a1", "a2", "a3", "a4"]
    assert [row["label"] for row in rows[:2]] == ["Byggeri", "Køkken"]
    assert rows[0]["title"] == "'=HYPERLINK(1)"
    found = json.loads(downloaded(page, "Hent JSON"))
    assert [row["probability"] for row in found] == [float(row["probability"]) for row in rows]
    assert found[0]["title"] == "=HYPERLINK(1)"  # JSON is no spreadsheet


def test_a_file_that_is_none_is_refused_in_words(page):
    page.get_by_role("tab", name="En fil").click()
    data = {"name": "annoncer.parquet", "mimeType": "application/octet-stream", "buffer": b"not parquet"}
    page.locator("input[type=file]").set_input_files([data])
    expect(page.get_by_text("Filen kan ikke læses")).to_be_visible()


def test_decisions_by_keyboard_reach_the_database_and_one_taken_back_does_not(page, site):
    before = len(stored(site.database))
    open_review(page)
    first = page.locator(".jl-advert").inner_text()
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="Fortryd")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="Fortryd")).to_have_count(0)
    expect(page.locator(".jl-advert")).to_contain_text(first.split()[-1])
    expect(page.get_by_text("Annonce 1 af 2 · 0 afgjort")).to_be_visible()
    assert len(stored(site.database)) == before

    page.keyboard.press("1")
    expect(page.get_by_text("· 1 afgjort")).to_be_visible()
    page.keyboard.press("3")
    page.get_by_text("Det var den sidste. Tak.").wait_for()
    found = wait_until_stored(site.database, before + 2)[before:]
    assert {id for id, *_ in found} == {"a3", "a4"}
    assert all(label in {"Byggeri", "Køkken", "Sundhed"} for *_, label in found)
    assert CANARY not in json.dumps(found)
    expect(page.get_by_text("2 afgørelser er gemt.")).to_be_visible()


def test_an_advert_can_be_skipped_and_decisions_taken_home(page):
    open_review(page)
    page.keyboard.press("1")
    page.get_by_text("· 1 afgjort").wait_for()
    rows = list(
        csv.DictReader(io.StringIO(downloaded(page, "Hent afgørelserne").decode("utf-8-sig"), newline=""))
    )
    assert len(rows) == 1
    assert rows[0]["label"] == rows[0]["guess"]
    page.keyboard.press("s")
    page.get_by_text("Det var den sidste. Tak.").wait_for()


def test_keys_typed_into_a_field_decide_nothing(page):
    open_review(page)
    page.get_by_label("Dine initialer").click()
    page.keyboard.type("1su2")
    page.wait_for_timeout(700)
    expect(page.get_by_text("Annonce 1 af 2 · 0 afgjort")).to_be_visible()


def test_the_model_page_says_what_is_missing_of_a_bare_card(page):
    open_model(page)
    expect(page.get_by_text("3 kategorier")).to_be_visible()
    expect(page.get_by_text("Modellens kort har ingen forvekslingstabel")).to_be_visible()


OPENED = {
    "sort": lambda page: paste(page, "Sygeplejerske", NURSE),
    "file": upload,
    "review": open_review,
    "model": open_model,
}


@pytest.mark.parametrize("page", [375], indirect=True, ids=["phone"])
@pytest.mark.parametrize("name", OPENED)
def test_nothing_is_wider_than_a_telephone(page, name):
    OPENED[name](page)
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert page.evaluate("document.querySelector('.stMainBlockContainer').scrollWidth") <= 375


@pytest.mark.skipif(not Path(AXE).is_file(), reason="JOBLENS_AXE names no axe.min.js")
@pytest.mark.parametrize("page", [1280, 375], indirect=True, ids=["desktop", "phone"])
@pytest.mark.parametrize("name", OPENED)
def test_axe_finds_nothing_against_wcag_aa(page, name):
    OPENED[name](page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(800)
    page.evaluate(Path(AXE).read_text("utf-8"))
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
    assert len(found["passes"]) > 10


def test_no_advert_reaches_a_log(page, site):
    paste(page, f"{CANARY} søges", NURSE)
    upload(page)
    assert CANARY not in site.log()
    assert "sygeplejerske" not in site.log()
