"""Pieces become text with offsets; templates become pieces."""

import pytest

from joblens.records import Entity
from joblens.sources.sample.drafts import Draft, Line, Piece, article, body, fill, join


def test_offsets_count_the_characters_before():
    text, entities = join([Piece("Ring til ", None), Piece("Åse Kvistlind", "person"), Piece(".", None)])
    assert text == "Ring til Åse Kvistlind."
    assert entities == (Entity(9, 22, "person", "Åse Kvistlind"),)


def test_joints_move_the_offsets_of_later_lines():
    lines = (
        Line("a", "\n\n", (Piece("ab", "task"),)),
        Line("b", "<br>", (Piece("cd", "skill"),)),
    )
    text, entities = join(body(Draft((), lines)))
    assert text == "ab<br>cd"  # nothing before the first line
    assert [(e.start, e.end) for e in entities] == [(0, 2), (6, 8)]


def test_slots_are_filled_in_order():
    pieces = fill("You {task} and {task}.", iter_slots("weld", "grind"))
    assert [piece.text for piece in pieces] == ["You ", "weld", " and ", "grind", "."]
    assert [piece.label for piece in pieces] == [None, "task", None, "task", None]


def test_the_article_fits_the_word_that_follows():
    pieces = fill("We want {an} {task}", iter_slots("architect"))
    assert "".join(piece.text for piece in pieces) == "We want an architect"


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("auditor", "an"),
        ("baker", "a"),
        ("IT consultant", "an"),
        ("UX designer", "a"),
        ("SEO specialist", "an"),
        ("PhD fellow", "a"),
        ("university lecturer", "a"),
    ],
)
def test_articles_follow_the_sound(noun, expected):
    assert article(noun) == expected


def iter_slots(*texts: str):
    waiting = iter(texts)
    return lambda name: Piece(next(waiting), name)
