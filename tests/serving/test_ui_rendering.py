"""What the page writes as HTML: escaped, struck out, readable."""

from __future__ import annotations

import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest

from joblens.serving.ui.answers import (
    Accuracy,
    Candidate,
    Evidence,
    Explanation,
    NearAd,
    Readable,
    Result,
    Span,
)
from joblens.serving.ui.client import Advert
from joblens.serving.ui.model_rendering import (
    confusion_table,
    coverage_curve,
    details_table,
    label_bars,
    mix_up_table,
    mix_ups,
    mixed,
    right_of_the_rest,
)
from joblens.serving.ui.rendering import advert_card, chips, marked, result_card, tiles, why_card
from joblens.serving.ui.session import plain
from joblens.serving.ui.style import BARS, COLOURS, PAIRS, contrast, sheet
from joblens.serving.ui.words import WORDS, Words

FOLDER = Path(__file__).resolve().parents[2] / "src/joblens/serving/ui"
ENGLISH, DANISH = Words("en"), Words("da")
ATTACK = '" onclick=alert(1) <script>alert(1)</script><img src=x onerror=alert(1)>"\''


class Tags(HTMLParser):
    """The names of elements and attributes that a piece of HTML really has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.sources: set[str | None] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.sources.update(value for name, value in attrs if name == "src")

    def handle_data(self, data):
        self.text += data


def attacked() -> list[str]:
    span = Span(kind=ATTACK, field="text", start=0, end=len(ATTACK))
    result = Result(
        label=ATTACK, probability=0.5, top=[Candidate(label=ATTACK, probability=0.5)],
        prediction_set=[ATTACK], crossing=ATTACK,
    )  # fmt: skip
    explanation = Explanation(
        evidence=[Evidence(phrase=ATTACK, kind=ATTACK, effect=0.1)], nearest=[NearAd(id=ATTACK, cosine=0.5)]
    )
    advert = Advert(ATTACK, ATTACK)
    curve = [Accuracy(coverage=1.0, accuracy=0.8)]
    return [
        result_card(ENGLISH, result, 0.9),
        why_card(ENGLISH, explanation),
        advert_card(ENGLISH, advert, None),
        advert_card(ENGLISH, advert, Readable(title=ATTACK, text=ATTACK, entities=[span])),
        advert_card(ENGLISH, advert, Readable(title=ATTACK, text=ATTACK)),
        tiles(ENGLISH, [(ATTACK, ATTACK)]),
        chips([ATTACK]),
        mix_up_table(ENGLISH, [ATTACK, "b"], [[1, 1], [0, 1]]),
        confusion_table(ENGLISH, [ATTACK, "b"], [[1, 1], [0, 1]]),
        label_bars(ENGLISH, {ATTACK: 3}),
        details_table([(ATTACK, ATTACK)]),
        coverage_curve(ENGLISH, curve, 0.0),
    ]


def test_nothing_that_people_or_files_say_becomes_an_element():
    for html in attacked():
        tags = Tags(html)
        assert "script" not in tags.names
        assert "x" not in tags.sources
        assert not {name for name in tags.attributes if name.startswith("on")}


def test_what_was_escaped_still_reads_as_it_was_written():
    assert ATTACK in Tags(result_card(ENGLISH, Result(label=ATTACK, probability=0.5), 0.9)).text


def test_markdown_in_a_label_is_shown_and_not_obeyed():
    assert plain("**A** [b](c) :red[d] $e$") == r"\*\*A\*\* \[b\]\(c\) \:red\[d\] \$e\$"


def test_entities_are_marked_and_personal_data_struck_out():
    text = "Kok hos [person] søges"
    spans = [
        Span(kind="occupation", field="text", start=0, end=3),
        Span(kind="person", field="text", start=8, end=16),
    ]
    assert marked(ENGLISH, text, spans) == (
        '<mark class="jl-occupation" title="occupation">Kok</mark> hos '
        '<del class="jl-pii">name<span class="jl-hidden"> removed</span></del> søges'
    )


def test_personal_data_inside_an_entity_is_struck_out_and_the_rest_of_it_marked():
    spans = [
        Span(kind="task", field="text", start=0, end=9),
        Span(kind="email", field="text", start=3, end=6),
    ]
    html = marked(ENGLISH, "abcSECxyz", spans)
    assert "SEC" not in html
    assert re.findall(r"<mark[^>]*>(\w+)</mark>", html) == ["abc", "xyz"]


def test_of_overlapping_entities_the_first_counts_and_places_outside_the_text_do_not():
    spans = [
        Span(kind="skill", field="text", start=0, end=4),
        Span(kind="task", field="text", start=2, end=6),
        Span(kind="task", field="text", start=6, end=99),
    ]
    assert re.findall(r'class="jl-(\w+)"[^>]*>(\w+)<', marked(ENGLISH, "abcdefgh", spans)) == [
        ("skill", "abcd"), ("task", "ef"), ("task", "gh"),
    ]  # fmt: skip


def test_a_doubtful_result_says_why_a_person_should_look_in_either_language():
    doubtful = Result(label="Kok", probability=0.414, abstained=True)
    assert "Et menneske bør se på den: modellen er kun 41\u00a0% sikker." in result_card(
        DANISH, doubtful, 0.9
    )
    assert "A person should look at it: the model is only 41% sure." in result_card(ENGLISH, doubtful, 0.9)


def test_an_advert_without_text_says_so():
    html = result_card(
        ENGLISH, Result(label="", probability=0.0, abstained=True, prediction_set=["a", "b"]), 0.9
    )
    assert "there is no text to read" in html
    assert "jl-chip" not in html


def test_of_a_long_prediction_set_the_rest_is_counted():
    assert "+ 3" in chips([str(number) for number in range(11)])  # 8 are shown


def test_both_languages_have_every_text_with_the_same_places():
    for key, (danish, english) in WORDS.items():
        assert danish.strip(), key
        assert english.strip(), key
        places = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (danish, english)]
        assert places[0] == places[1], key


def test_every_text_is_used_and_every_used_text_is_there():
    code = "\n".join(path.read_text("utf-8").split("class Words")[-1] for path in FOLDER.glob("*.py"))
    literal = set(re.findall(r'"([a-z][a-z0-9_]*)"', code)) | set(re.findall(r"'([a-z][a-z0-9_]*)'", code))
    built = {match[:-1] for match in re.findall(r'f"([a-z]+_)\{', code)} | {"kind"}
    idle = {key for key in WORDS if key not in literal and key.split("_")[0] not in built}
    assert idle == set()
    asked = set(re.findall(r'words\(\s*"(\w+)"', code))
    assert asked - set(WORDS) == set()


@pytest.mark.parametrize(
    ("value", "english", "danish"),
    [
        (0.414, "41%", "41\u00a0%"),
        (1.0, "100%", "100\u00a0%"),
        (0.9999, "99%", "99\u00a0%"),
        (0.0001, "1%", "1\u00a0%"),
        (0.0, "0%", "0\u00a0%"),
    ],
)
def test_only_certainty_is_shown_as_a_hundred_per_cent(value, english, danish):
    assert (ENGLISH.share(value), DANISH.share(value)) == (english, danish)


def test_numbers_are_written_as_the_language_does():
    assert (ENGLISH.number(12345), DANISH.number(12345)) == ("12,345", "12.345")
    assert (ENGLISH.decimal(0.5), DANISH.decimal(0.5)) == ("0.50", "0,50")
    assert (ENGLISH.adverts(1), DANISH.adverts(2)) == ("1 advert", "2 annoncer")


def test_black_on_white_has_the_highest_contrast_there_is():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WCAG's well-known near miss


@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_keeps_the_contrast_of_wcag_aa(text, ground):
    assert contrast(COLOURS[text], COLOURS[ground]) >= 4.5


@pytest.mark.parametrize(("shape", "ground"), BARS)
def test_bars_keep_the_contrast_of_shapes(shape, ground):
    assert contrast(COLOURS[shape], COLOURS[ground]) >= 3


def test_the_style_sheet_names_only_colours_that_there_are():
    assert "$" not in sheet()


def test_a_colour_is_thinned_evenly():
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"
    assert mixed("#102030", "#ffffff", 1.0) == "#102030"


COUNTS = [[5, 2, 0], [1, 7, 0], [0, 3, 4]]


def test_the_commonest_mix_ups_come_first_and_right_guesses_are_none():
    assert mix_ups(COUNTS) == [(2, 1, 3), (0, 1, 2), (1, 0, 1)]


def test_the_confusion_table_says_each_count_in_words():
    html = confusion_table(ENGLISH, ["A", "B", "C"], COUNTS)
    assert 'title="C read as B: 3"' in html
    assert html.count("<td></td>") == 3  # nobody needs to read a zero


CURVE = [
    Accuracy(coverage=0.5, accuracy=0.99),
    Accuracy(coverage=0.85, accuracy=0.97),
    Accuracy(coverage=1, accuracy=0.9),
]


@pytest.mark.parametrize(
    ("checked", "right"), [(0.0, 0.9), (0.15, 0.97), (0.14, 0.97), (0.5, 0.99), (0.95, 0.99)]
)
def test_if_people_check_a_share_the_rest_is_as_right_as_was_measured(checked, right):
    assert right_of_the_rest(CURVE, checked) == right


def test_the_curve_stays_inside_its_picture():
    for curve in (CURVE, [Accuracy(coverage=1, accuracy=1.0)], [Accuracy(coverage=1, accuracy=0.0)]):
        (encoded,) = re.findall(r"base64,([^\"]+)", coverage_curve(ENGLISH, curve, 0.15))
        html = b64decode(encoded).decode()
        (points,) = re.findall(r'points="([^"]+)"', html)
        for x, y in (point.split(",") for point in points.split()):
            assert 0 <= float(x) <= 400
            assert 0 <= float(y) <= 220
