"""Text functions: every offset points at what it says, and nothing is lost on the way."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblens.text import (
    check_template,
    chunks,
    entities_to_line,
    join_title,
    normalise,
    sentences,
    windows,
    word_count,
    words,
)

ANY_TEXT = st.text(alphabet=st.characters(), max_size=200)
AD_TEXT = st.text(alphabet="abc æøÅ.!?\n•-()\"' 0123\u00a0", max_size=200)


def cut(text, spans):
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),  # every line break is the same one
        ("a  \t b\u00a0c", "a b c"),  # every blank is one space
        ("a \n b", "a\nb"),  # no blanks around a break
        ("a\n\n\n\nb", "a\n\nb"),  # at most one empty line
        ("a\x00b\x07c\ufeffd\u200be\u00adf", "abcdef"),  # nothing invisible
        ("a\x1fb", "a b"),  # separators part words, so they become a space
        ("e\u0301", "\u00e9"),  # NFC
        ("x\ud800y", "x\ufffdy"),  # a lone surrogate cannot be written as UTF-8
        ("  a  ", "a"),
        ("", ""),
    ],
)
def test_normalised_text_has_one_spelling(text, expected):
    assert normalise(text) == expected


@given(ANY_TEXT)
def test_normalising_twice_changes_nothing_and_leaves_no_control_character(text):
    once = normalise(text)
    assert normalise(once) == once
    assert all(char == "\n" or unicodedata.category(char) not in {"Cc", "Cs"} for char in once)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Vi søger dig. Du er sød!  Ok? Ja", ["Vi søger dig.", "Du er sød!", "Ok?", "Ja"]),
        ("Start kl. 8.00 d. 1. August f.eks. Java.", ["Start kl. 8.00 d. 1. August f.eks. Java."]),
        ("Ring til H. C. Andersen. Vi glæder os.", ["Ring til H. C. Andersen.", "Vi glæder os."]),
        ("Løn: 35.000 kr. om måneden", ["Løn: 35.000 kr. om måneden"]),
        ("opgaver\n- pleje\n\n- omsorg", ["opgaver", "- pleje", "- omsorg"]),
        ("Du får • frokost • frihed", ["Du får", "• frokost", "• frihed"]),
        ("Du har erfaring.Du kan lide folk", ["Du har erfaring.", "Du kan lide folk"]),  # lost line break
        ("Vi bruger React.Js og ASP.NET her", ["Vi bruger React.", "Js og ASP.NET her"]),  # its price
        ('"Kom." Ja', ['"Kom."', "Ja"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_a_sentence_ends_at_a_stop_a_bullet_or_a_line_break(text, expected):
    assert cut(text, sentences(text)) == expected


@given(AD_TEXT)
def test_sentences_hold_every_character_that_is_not_white_space_once(text):
    held = "".join(cut(text, sentences(text)))
    assert "".join(held.split()) == "".join(text.split())


@given(AD_TEXT)
def test_sentences_hold_every_word(text):
    assert sum(word_count(part) for part in cut(text, sentences(text))) == word_count(text)


def test_words_are_runs_of_letters_digits_and_underscores():
    assert cut("C++-udvikler, 37 timer (æøå_1)", words("C++-udvikler, 37 timer (æøå_1)")) == [
        "C",
        "udvikler",
        "37",
        "timer",
        "æøå_1",
    ]
    assert word_count("...") == 0


@pytest.mark.timeout(20)
@pytest.mark.parametrize("sign", [".", "!?", "…", ". ", ".a", ".Aa"])
def test_a_long_row_of_signs_takes_little_time(sign):
    text = sign * 200_000
    found = sentences(text)
    assert (found[0][0], found[-1][1]) == (0, len(text.rstrip()))


def test_windows_pack_whole_sentences_while_they_fit():
    text = "En to. Tre fire. Fem."
    assert cut(text, windows(text, 4)) == ["En to. Tre fire.", "Fem."]


def test_a_sentence_longer_than_a_window_is_cut_with_overlap():
    text = "Kort. Et to tre fire fem. Slut"
    assert cut(text, windows(text, 3, overlap=1)) == ["Kort.", "Et to tre", "tre fire fem", "Slut"]


@given(AD_TEXT, st.integers(1, 5))
def test_windows_hold_every_word_and_never_too_many(text, limit):
    parts = cut(text, windows(text, limit))
    assert [word for part in parts for word in cut(part, words(part))] == cut(text, words(text))
    assert all(word_count(part) <= limit for part in parts)


@pytest.mark.parametrize(
    ("costs", "limit", "overlap", "expected"),
    [
        ([1, 1, 1, 1, 1], 2, 0, [(0, 2), (2, 4), (4, 5)]),
        ([1, 1, 1, 1, 1], 3, 1, [(0, 3), (2, 5)]),
        ([1, 9, 1], 3, 0, [(0, 1), (1, 2), (2, 3)]),  # too dear for any window: alone
        ([2, 2, 3], 4, 1, [(0, 2), (2, 3)]),  # 2 + 3 > 4: the shared item gives way
        ([], 4, 0, []),
    ],
)
def test_chunks_are_as_long_as_their_costs_allow(costs, limit, overlap, expected):
    assert chunks(costs, limit, overlap=overlap) == expected


@given(st.lists(st.integers(1, 6), max_size=40), st.integers(1, 8), st.data())
def test_chunks_cover_all_items_and_always_move_on(costs, limit, data):
    overlap = data.draw(st.integers(0, limit - 1))
    ranges = chunks(costs, limit, overlap=overlap)
    assert {item for first, end in ranges for item in range(first, end)} == set(range(len(costs)))
    assert all(sum(costs[first:end]) <= limit or end - first == 1 for first, end in ranges)
    ends = [end for _, end in ranges]
    assert ends == sorted(set(ends))


def test_chunks_hold_no_more_items_than_they_may():
    assert chunks([1, 1, 1, 1, 1], 9, most=2) == [(0, 2), (2, 4), (4, 5)]
    assert chunks([2, 2, 1, 1, 1], 4, most=2, overlap=1) == [(0, 2), (1, 3), (2, 4), (3, 5)]


@pytest.mark.parametrize(("limit", "overlap"), [(0, 0), (3, 3), (3, -1)])
def test_an_impossible_window_is_refused(limit, overlap):
    with pytest.raises(ValueError, match="expected 0 <= overlap < limit"):
        chunks([1], limit, overlap=overlap)


def test_a_line_of_entities_names_each_phrase_once_and_skips_what_is_empty():
    assert entities_to_line(["Kok", "kok "], [], ["lave  mad", "rengøring"]) == "Kok; lave mad, rengøring"
    assert entities_to_line([], [], []) == ""


@pytest.mark.parametrize(
    ("template", "occupation", "skills", "tasks", "expected"),
    [
        ("{occupation}; {skills}; {tasks}", ["Kok"], ["SQL"], ["lave mad"], "Kok; SQL; lave mad"),
        ("{occupation}; {skills}; {tasks}", ["Kok"], [], ["lave mad"], "Kok; lave mad"),
        ("{occupation}; {skills}; {tasks}", [], [], ["lave mad", "rengøre"], "lave mad, rengøre"),
        ("Job: {occupation}\nCan: {skills}", [], ["SQL", "sql"], [], "Can: SQL"),  # no line break in front
        ("Job: {occupation}\nCan: {skills}", ["Kok"], [], ["lave mad"], "Job: Kok"),
        ("[{tasks}] {{{occupation}}}", ["Kok"], [], ["lave mad"], "[lave mad] {Kok}"),
        ("({occupation})", [], [], [], ""),  # nothing of the template without an entity
    ],
)
def test_a_template_says_where_the_entities_stand(template, occupation, skills, tasks, expected):
    assert entities_to_line(occupation, skills, tasks, template) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{occupation", "is broken"),
        ("{name}", r"names \{name\} or formats it; it may hold only \{occupation\}, \{skills\}, \{tasks\}"),
        ("{skills!r}", "names {skills} or formats it"),
        ("{skills:>9}", "names {skills} or formats it"),
        ("{skills.__class__}", "or formats it"),
        ("{}", "or formats it"),
        ("nothing", "should hold at least one of"),
        ("{skills} {skills}", "each once"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(template, message):
    with pytest.raises(ValueError, match=message):
        check_template(template)


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("Kok", "Vi søger dig", "Kok\nVi søger dig"),
        ("Kok", "KOK søges", "KOK søges"),  # not doubled
        ("Kok", "Kokken er vores", "Kok\nKokken er vores"),  # another word
        ("C++ (senior)", "C++  (senior)\nVi søger", "C++  (senior)\nVi søger"),
        ("", "tekst", "tekst"),
        ("Kok", " ", "Kok"),
    ],
)
def test_title_and_text_are_joined_without_doubling_the_title(title, text, expected):
    assert join_title(title, text) == expected
