"""Adverts before they are strings: pieces that know which entity they are, so that every offset is known.

Text is only joined at the very end. Whatever happens to a piece before that, a typing error or a swapped
telephone number, cannot move another piece's offsets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from re import split
from typing import NamedTuple

from joblens.records import Entity


class Piece(NamedTuple):
    """A stretch of text; `label` is None when it is no entity."""

    text: str
    label: str | None


class Line(NamedTuple):
    """One sentence, heading or bullet, and what stands between it and the line before."""

    kind: str
    joint: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """An advert in pieces."""

    title: tuple[Piece, ...]
    lines: tuple[Line, ...]


def fill(template: str, slot: Callable[[str], Piece]) -> tuple[Piece, ...]:
    """Replace every `{name}` by `slot(name)`; `{an}` becomes "a" or "an", whichever the next slot needs."""
    pieces: list[Piece] = []
    article_at: int | None = None
    for position, part in enumerate(_parts(template)):
        if position % 2 == 0:
            if part:
                pieces.append(Piece(part, None))
        elif part == "an":
            article_at = len(pieces)
            pieces.append(Piece("a", None))
        else:
            piece = slot(part)
            if article_at is not None:
                pieces[article_at] = Piece(article(piece.text), None)
                article_at = None
            pieces.append(piece)
    return tuple(pieces)


def join(pieces: Sequence[Piece]) -> tuple[str, tuple[Entity, ...]]:
    """The text and its entities in reading order; `text[start:end]` is the entity's text."""
    entities: list[Entity] = []
    offset = 0
    for text, label in pieces:
        end = offset + len(text)
        if label is not None:
            entities.append(Entity(offset, end, label, text))
        offset = end
    return "".join(text for text, _ in pieces), tuple(entities)


def body(draft: Draft) -> tuple[Piece, ...]:
    """All pieces of the text, joints between lines included."""
    pieces: list[Piece] = []
    for line in draft.lines:
        if line.joint and pieces:
            pieces.append(Piece(line.joint, None))
        pieces.extend(line.pieces)
    return tuple(pieces)


def article(noun: str) -> str:
    """The English indefinite article before `noun`, by sound: an IT consultant, a UX designer, a unicorn."""
    first = noun.split()[0]
    if first.isupper() and len(first) > 1:
        return "an" if first[0] in "AEFHILMNORSX" else "a"
    return "an" if first[0].lower() in "aeiou" and not first.lower().startswith(("uni", "eu")) else "a"


@cache
def _parts(template: str) -> tuple[str, ...]:
    """Literal text at even places, slot names at odd ones."""
    return tuple(split(r"\{(\w+)\}", template))
