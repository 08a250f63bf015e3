"""HTML in adverts to text, and text that only looks like HTML left alone."""

import time

import pytest

from joblens.sources.html import html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Vi søger</p><p>en kok</p>", "Vi søger\nen kok"),
        ("<ul><li>Lav mad</li><li>Vask op</li></ul>", "Lav mad\nVask op"),
        ("En<br>to<br/>tre<BR />fire", "En\nto\ntre\nfire"),
        ("<b>Kok</b>ken <span style='x'>og</span> <a href=\"/a?b>c\">mere</a>", "Kokken og mere"),
        ("<p>ét\n   afsnit</p>", "ét afsnit"),  # in HTML a line break is a space
        ("<td>Løn</td><td>300</td>", "Løn 300"),
        ("<style>p {color: red}</style><p>Kok</p><script>if (a < b) {}</script>", "Kok"),
        ("<!-- skjult --><p>Kok</p>", "Kok"),
        ("<!DOCTYPE html><html><head><title>x</title></head><body><h1>Kok</h1></body></html>", "Kok"),
        ("<p>Word<o:p></o:p></p><custom-box class='x'>tekst", "Word \ntekst"),
        (
            "line one\nline <b>two</b>",
            "line one\nline two",
        ),  # no block tag: its own line breaks are the structure
        ("<address>Gade 1</address><p>x</p>", "Gade 1 \nx"),
    ],
)
def test_tags_become_line_breaks_or_nothing(html: str, text: str) -> None:
    expected = "\n".join(line.strip() for line in text.split("\n"))
    assert html_to_text(html) == expected


@pytest.mark.parametrize(
    "text",
    [
        "C++ < 3 years, Java > 5",
        "Contact <NAME> or <ADDRESS> at <ORGANIZATION>",
        "vector<int> and Map<String, List<T>>",
        "a <b and c> d",
        "R&D, AT&T, Q&A; salary&copy",
        "I <3 kode\n  og  mellemrum",
        "if (a<b) return; <- arrow -> <>",
        "<!-- never closed",
        "mail <kok@example.org>",
    ],
)
def test_plain_text_with_angle_brackets_and_ampersands_is_unharmed(text: str) -> None:
    assert html_to_text(text) == text


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("l&oslash;n&nbsp;og&#32;bonus", "løn\N{NO-BREAK SPACE}og bonus"),
        ("big &amp; small", "big & small"),
        ("twice &amp;amp; escaped&amp;nbsp;", "twice & escaped\N{NO-BREAK SPACE}"),
        ("C++ &lt; 3 &techniques;", "C++ < 3 &techniques;"),
        ("&lt;p&gt;Hele annoncen&lt;/p&gt;&lt;p&gt;to gange&lt;/p&gt;", "Hele annoncen\nto gange"),
        ("<p>brug &lt;b&gt; i HTML</p>", "brug <b> i HTML"),  # what was escaped inside HTML is text
    ],
)
def test_entities_are_decoded_once_tags_are_gone(escaped: str, text: str) -> None:
    assert html_to_text(escaped) == text


def test_a_script_that_is_never_closed_hides_nothing() -> None:
    assert html_to_text("<p>Kok<script>søges<p>nu") == "Kok søges\nnu".replace(" ", "")


@pytest.mark.parametrize(
    "piece", ["<script>", "<!--", "<a '", '<a "', "<", "&amp;", "<p <p", "<!doctype", "<a x=\"' "]
)
def test_a_megabyte_of_anything_takes_seconds(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    html_to_text(text)
    assert time.perf_counter() - started < 10
