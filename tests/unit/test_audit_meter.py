"""The leak meter: what counts as still there, and figures that can be worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joblens.errors import DataError
from joblens.pipeline.audit.meter import Count, as_figures, leaked_entities, measure, wilson
from joblens.records import Entity, LabelledText


def labelled(text: str, *entities: tuple[str, str], id: str = "1", language: str = "da") -> LabelledText:
    """A text in which each entity is the first occurrence of its words that is not taken."""
    spans: list[Entity] = []
    for words, label in entities:
        after = max((span.end for span in spans if span.text == words), default=0)
        start = text.index(words, after)
        spans.append(Entity(start, start + len(words), label, words))
    return LabelledText(id, text, tuple(spans), language, id)


def leaks(text: str, entity: tuple[str, str], output: str) -> bool | None:
    """Whether the one entity leaks; None when it cannot be measured."""
    [row] = [row for row in measure([output], [labelled(text, entity)]).removals if row.language == "all"]
    return None if row.not_measured else bool(row.leaked)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("Ring til [person] i dag", False),
        ("Ring til Søren Kjær i dag", True),
        ("Ring til [person] Kjær i dag", True),  # half a name is a name
        ("RING TIL SØREN", True),
        ("Kjærs hus, Sørensen", False),  # other words
        ("S. K.", False),
    ],
)
def test_a_name_is_still_there_when_any_of_its_words_is(output, expected):
    assert leaks("Ring til Søren Kjær i dag", ("Søren Kjær", "person"), output) is expected


def test_a_name_that_is_also_another_word_of_the_advert_cannot_be_measured():
    assert leaks("Mark arbejder i mark og skov", ("Mark", "person"), "i mark og skov") is None


def test_the_rest_of_such_a_name_is_measured():
    text = "Mark Friis arbejder i mark og skov"
    assert leaks(text, ("Mark Friis", "person"), "i mark og skov") is False
    assert leaks(text, ("Mark Friis", "person"), "Friis i mark") is True


def test_a_name_that_stands_twice_excuses_nothing():
    text = labelled("Ring til Anna. Anna svarer.", ("Anna", "person"), ("Anna", "person"))
    assert measure(["[person]. Anna svarer."], [text]).removal("person").leaked == 2


def test_initials_are_looked_for_as_a_whole():
    assert leaks("mvh JK", ("JK", "person"), "mvh JK") is True
    assert leaks("mvh JK", ("JK", "person"), "mvh [person]") is False


def test_a_name_glued_by_a_lost_line_break_is_found_in_the_glued_word():
    text = "KontaktSøren KjærTelefon"
    assert leaks(text, ("Søren Kjær", "person"), "Kontakt[person] KjærTelefon") is True
    assert leaks(text, ("Søren Kjær", "person"), "KontaktSøren") is True
    assert leaks(text, ("Søren Kjær", "person"), "Kontakt[person]Telefon") is False


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("tlf. [phone]", False),
        ("tlf. 12345678", True),
        ("tlf. 12-34-56 78", True),
        ("tlf. [phone] 34 56 78", True),  # six digits in a row are left
        ("tlf. [phone] 56 78", False),  # four are nobody's
        ("sag 4512-345", True),
    ],
)
def test_a_number_is_still_there_when_six_digits_in_a_row_are(output, expected):
    assert leaks("tlf. +45 12 34 56 78", ("+45 12 34 56 78", "phone"), output) is expected


def test_digits_that_another_number_of_the_advert_has_as_well_do_not_count():
    text = "sag 123456, cpr 123456-7890"
    assert leaks(text, ("123456-7890", "cpr"), "sag 123456, cpr [cpr]") is False
    assert leaks(text, ("123456-7890", "cpr"), "sag 123456, cpr 34567890") is True


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("skriv til [email]", False),
        ("skriv til soeren.k@firma.dk", True),
        ("skriv til soeren.k @ firma.dk", True),
        ("skriv til soeren.k[url]", True),  # the mailbox is left
        ("skriv til [person].k@firma.dk", False),
        ("se firma.dk", False),  # the employer's domain is nobody's
    ],
)
def test_an_email_is_still_there_when_the_whole_or_the_mailbox_is(output, expected):
    assert leaks("skriv til soeren.k@firma.dk", ("soeren.k@firma.dk", "email"), output) is expected


def test_an_obfuscated_mailbox_is_recognised():
    text, email = "skriv til soerenk [at] firma dot dk", "soerenk [at] firma dot dk"
    assert leaks(text, (email, "email"), "skriv til soerenk") is True
    assert leaks(text, (email, "email"), "skriv til [email]") is False


def test_a_mailbox_called_like_a_person_gives_away_the_person_not_the_address():
    text = labelled("Anna: anna@firma.dk", ("Anna", "person"), ("anna@firma.dk", "email"))
    figures = measure(["Anna: [email]"], [text])
    assert (figures.removal("person").leaked, figures.removal("email").leaked) == (1, 0)


@pytest.mark.parametrize(
    ("output", "expected"),
    [("[url]", False), ("linkedin.com/in/anna-b", True), ("[url]/in/anna-b", True), ("linkedin.com", False)],
)
def test_a_web_address_is_still_there_when_its_path_is(output, expected):
    url = "https://www.linkedin.com/in/anna-b/"
    assert leaks(f"se {url}", (url, "url"), f"se {output}") is expected


def test_a_name_that_reads_like_a_path_without_blanks_gives_away_the_person_only():
    text = labelled("Anna Ploug: github.com/annaplo", ("Anna Ploug", "person"), ("github.com/annaplo", "url"))
    figures = measure(["Anna Ploug: [url]"], [text])
    assert (figures.removal("person").leaked, figures.removal("url").leaked) == (1, 0)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("på [address]", False),
        ("på Skolegade 3A", True),
        ("på Skolegade [address]", False),  # a street without a number is nobody's
        ("på [address], 2. sal", False),
        ("på [address], 4000 Roskilde", True),
    ],
)
def test_an_address_is_still_there_when_a_word_beside_a_number_is(output, expected):
    address = "Skolegade 3A, 2. sal, 4000 Roskilde"
    assert leaks(f"på {address}", (address, "address"), output) is expected


def test_an_address_without_a_number_is_looked_for_whole():
    assert leaks("bor i Skolegade", ("Skolegade", "address"), "bor i Skolegade") is True


def test_an_organisation_is_reported_but_makes_no_leaking_advert():
    figures = measure(["hos Solflow A/S"], [labelled("hos Solflow A/S", ("Solflow A/S", "organisation"))])
    assert figures.removal("organisation").leaked == 1
    assert figures.leaking_ads["all"] == Count(0, 1)


def test_masks_are_no_words():
    text = labelled("answer email, Ms Email", ("answer email", "task"))
    assert measure(["answer [email]"], [text]).recalls[0].recall == 0.5


FOUR = [
    labelled("Anna Bruun 12345678", ("Anna Bruun", "person"), ("12345678", "phone"), id="1"),
    labelled("Carl Dam", ("Carl Dam", "person"), id="2"),
    labelled("Eva Friis", ("Eva Friis", "person"), id="3", language="en"),
    labelled("ingen", id="4"),
]
OUTPUTS = ["Anna [phone]", "[person]", "[person]", "ingen"]


def test_figures_by_type_and_language_add_up():
    figures = measure(OUTPUTS, FOUR)
    assert [(r.label, r.language, r.entities, r.leaked) for r in figures.removals] == [
        ("person", "all", 3, 1),
        ("phone", "all", 1, 0),
        ("person", "da", 2, 1),
        ("phone", "da", 1, 0),
        ("person", "en", 1, 0),
    ]
    assert figures.removal("person", "da").removed.share == 0.5
    assert figures.leaking_ads == {"all": Count(1, 4), "da": Count(1, 3), "en": Count(0, 1)}
    assert figures.pattern_types.entities == 1


def test_only_what_leaked_is_named():
    assert [(id, entity.text) for id, entity in leaked_entities(OUTPUTS, FOUR)] == [("1", "Anna Bruun")]


def test_recall_is_the_mean_share_of_words_and_the_loss_is_in_points():
    text = labelled("lave mad, passe bar", ("lave mad", "task"), ("passe bar", "task"))
    [row, _] = measure(["lave mad, [person] bar"], [text], ["lave mad, passe bar"]).recalls
    assert (row.spans, row.recall, row.without_scrubbing) == (2, 0.75, 1.0)  # (2/2 + 1/2) / 2
    assert row.lost == pytest.approx(25)


def test_what_the_extractor_never_found_is_no_loss_of_scrubbing():
    text = labelled("lave mad, passe bar", ("lave mad", "task"), ("passe bar", "task"))
    [row, _] = measure(["lave mad"], [text], ["lave mad"]).recalls
    assert (row.recall, row.lost) == (0.5, 0)


def test_labels_of_another_kind_are_counted_and_left_out():
    assert measure(["Odense"], [labelled("Odense", ("Odense", "location"))]).other_labels == {"location": 1}


@pytest.mark.parametrize(
    ("hits", "total", "interval"),
    [
        # (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) with z² = 3.8415
        (5, 10, (0.2366, 0.7634)),  # centre 0.5; half = 1.96·sqrt(0.025 + 0.009604)/1.38415 = 0.2634
        (0, 10, (0.0, 0.2775)),  # 3.8415 / 13.8415
        (10, 10, (0.7225, 1.0)),
    ],
)
def test_the_interval_is_wilsons(hits, total, interval):
    assert wilson(Count(hits, total)) == pytest.approx(interval, abs=5e-5)


def test_nothing_to_count_has_no_share_and_no_interval():
    assert (Count(0, 0).share, wilson(Count(0, 0))) == (None, None)


def test_figures_are_plain_values():
    figures = as_figures(measure(OUTPUTS, FOUR))
    assert figures["removed"]["da"]["person"] == {
        "entities": 2, "leaked": 1, "not_measured": 0, "share": 0.5, "interval": [0.094531, 0.905469],
    }  # fmt: skip
    assert figures["leaking_ads"]["all"]["share"] == 0.25
    assert figures["useful"] == {}


@pytest.mark.parametrize("outputs", [[], ["a", "b"]])
def test_an_output_for_every_text_is_asked_for(outputs):
    with pytest.raises(DataError, match="one of each for every text"):
        measure(outputs, [labelled("a")])


LETTERS = st.text(alphabet="abcdæøß XY19.,@\n-(", max_size=25)


@settings(max_examples=200)
@given(LETTERS, st.text(alphabet="abcæR 12@./-", min_size=1, max_size=15), LETTERS)
def test_an_unchanged_text_leaks_whatever_can_be_measured_and_an_empty_one_nothing(before, words, after):
    for label in ("person", "email", "url", "address", "phone", "organisation"):
        entity = Entity(len(before), len(before) + len(words), label, words)
        text = LabelledText("1", before + words + after, (entity,), "da", "1")
        if any(char.isalnum() for char in words):
            row = measure([text.text], [text]).removal(label)
            assert row.leaked == row.entities
            assert measure([""], [text]).removal(label).leaked == 0
