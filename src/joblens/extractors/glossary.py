"""Words of a language as English ones, for an encoder that has read English only.

Mayhew, Tsai and Roth (2017), "Cheap Translation for Cross-Lingual Named Entity Recognition": a word is
replaced by its entry in a bilingual word list and keeps its place. So spans found in the English words are
spans of the text. Sentences of other languages are read as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

RULES = 1
"""Raised whenever this module reads a word of the same list otherwise; a network then wants training anew."""

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LONGEST = 40
"""Letters of the longest word that is taken apart."""
_INITIALS = 3
"""Most letters of what may be initials or an abbreviation when all are capitals; one is "I"."""
_STEM = 4
"""Fewest letters of a word without its ending, and of the last part of a compound."""
_FIRST = 3
"""Fewest letters of the first part of a compound."""
_ENDINGS = (
    ("s", ""), ("en", ""), ("et", ""), ("er", ""), ("erne", ""), ("ene", ""), ("ne", ""), ("n", ""),
    ("t", ""), ("e", ""), ("r", ""), ("er", "e"), ("ede", "e"), ("et", "e"), ("te", "e"), ("ende", "e"),
    ("es", "e"),
)  # fmt: skip
"""Of Danish inflection, and what the listed form has instead."""
_DOUBLED = re.compile(r"([bdfgklmnprst])\1\Z")
_LINKS = ("", "s", "e")
"""What joins the parts of a Danish compound: "arbejdsmiljø"."""


@dataclass(frozen=True, slots=True)
class WordList:
    """English words for those of one language; these are casefolded, the English ones in their usual case."""

    english: Mapping[str, str]
    """By word; behind a hyphen, by what is read so as the last part of a compound only: "-planlægger"."""
    shared: frozenset[str] = field(default_factory=frozenset)
    """Words that other languages have as well: they do not tell that a sentence is of this one."""
    names: frozenset[str] = field(default_factory=frozenset)
    """Words that are names when they begin with a capital: first names, towns, employers."""
    surnames: frozenset[str] = field(default_factory=frozenset)
    """The same, but for words where a sentence begins and no name follows: "Smed søges", "Hans Smed"."""
    function: frozenset[str] = field(default_factory=frozenset)
    """Words that are neither inflected nor parts of compounds."""

    def as_json(self) -> dict[str, Any]:
        """The list as `from_json` reads it, sorted."""
        return {
            "english": dict(sorted(self.english.items())),
            **{kind: sorted(getattr(self, kind)) for kind in KINDS},
        }

    @classmethod
    def from_json(cls, found: Any) -> WordList:
        """The list out of its JSON.

        Raises:
            KeyError: A part is missing.
            TypeError: One is of another type.
            ValueError: A word, or an English one, is no word.
        """
        if not isinstance(found["english"], dict):
            raise TypeError("english")
        english = found["english"]
        if not all(is_entry(word, english[word]) for word in english):
            raise ValueError("english")
        for kind in KINDS:
            if not isinstance(found[kind], list) or not english.keys() >= set(found[kind]):
                raise ValueError(kind)
        return cls(english, **{kind: frozenset(found[kind]) for kind in KINDS})


KINDS = tuple(part.name for part in fields(WordList) if part.name != "english")
"""What else is said of words, as `WordList` names it."""


def is_entry(word: str, english: object) -> bool:
    """Whether a casefolded word, perhaps behind a hyphen, and an English one may be in a list."""
    return (
        word == word.casefold()
        and _is_word(word.removeprefix("-"))
        and isinstance(english, str)
        and _is_word(english)
    )


class Glossary:
    """Reads the words of sentences of one language as English ones.

    A sentence is of the language when more than half of its words are, one of them by the list itself; those
    that other languages share, and first names, do not count. Words that are not listed are looked
    for without their inflection, then as compounds; words with capitals as they are only.

    Args:
        words: The list.
    """

    def __init__(self, words: WordList) -> None:
        self.words = words
        self._known = lru_cache(maxsize=100_000)(self._reading)

    def __call__(self, sentence: Sequence[str]) -> list[str]:
        """The words of a sentence in English, each in the case of the one in its place."""
        start = next((place for place, word in enumerate(sentence) if word[:1].isalpha()), 0)
        if not self._is_ours(sentence, start):
            return list(sentence)
        read = [self._english(word) for word in sentence]
        first, after = sentence[start], "".join(sentence[start + 1 : start + 2])
        if first.istitle() and first.casefold() in self.words.surnames and not after[:1].isupper():
            read[start] = self._english(first.casefold()).capitalize()  # "Kok søges", but "Hans Kok"
        return read

    def _is_ours(self, sentence: Sequence[str], start: int) -> bool:
        listed = derived = others = 0
        for place, word in enumerate(sentence):
            if len(word) > _LONGEST or not (word.islower() or place == start or _is_loud(word)):
                continue
            for part in [word] if word.casefold() in self.words.english else word.split("-"):
                known = part.casefold()
                if known in self.words.shared or not _is_word(part) or self._is_name(part):
                    continue
                if known in self.words.english:
                    listed += 1
                elif self._known(part) != part:
                    derived += 1
                else:
                    others += 1
        return listed > 0 and listed + derived > others

    def _english(self, word: str) -> str:
        return self._known(word) if len(word) <= _LONGEST else word

    def _reading(self, word: str) -> str:
        """The word in English, part by part where it has hyphens, or the word itself."""
        if "-" not in word or word.casefold() in self.words.english:
            return self._part(word)
        return "-".join(self._part(part) for part in word.split("-"))

    def _part(self, word: str) -> str:
        if not _is_word(word) or (word.isupper() and not _is_loud(word)):
            return word
        known = word.casefold()
        if self._is_name(word) or (not word.islower() and known in self.words.surnames):
            return word
        english = self.words.english.get(known)
        if english is None and word.islower():
            english = self._inflected(word) or self._compound(word)
        if english is None or word.islower():
            return english or word
        if word.isupper():
            return english.upper()
        return english[:1].upper() + english[1:] if word[1:].islower() else word

    def _is_name(self, word: str) -> bool:
        return not word.islower() and word.casefold() in self.words.names

    def _inflected(self, word: str) -> str | None:
        for ending, instead in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= _STEM:
                stem = word.removesuffix(ending)
                for form in (stem + instead, stem[:-1] if _DOUBLED.search(stem) else stem + instead):
                    if form not in self.words.function and form in self.words.english:
                        return self.words.english[form]
        return None

    def _compound(self, word: str) -> str | None:
        """The parts with a hyphen between them; of two ways to part it that with the longer last part."""
        for cut in range(_FIRST, len(word) - _STEM + 1):
            last = self._head(word[cut:])
            if last is None:
                continue
            for link in _LINKS:
                first = word[:cut].removesuffix(link)
                if len(first) >= _FIRST and first not in self.words.function and first in self.words.english:
                    return f"{self.words.english[first]}-{last}"
        return None

    def _head(self, word: str) -> str | None:
        """The last part of a compound."""
        if word in self.words.function:
            return None
        english = self.words.english
        return english.get(f"-{word}") or english.get(word) or self._inflected(word)


def _is_word(word: str) -> bool:
    return _WORD.fullmatch(word) is not None


def _is_loud(word: str) -> bool:
    """All in capitals, and no abbreviation."""
    return word.isupper() and len(word) > _INITIALS


class GlossingSplitter:
    """A splitter whose words are English and whose places are those of the text.

    Args:
        split: Yields each word of a text, its start and its end.
        glossary: Reads the words.
    """

    def __init__(self, split: Callable[[str], Any], glossary: Glossary) -> None:
        self.split = split
        self.glossary = glossary

    def __call__(self, text: str) -> Iterator[tuple[str, int, int]]:
        """Each word, its start and its end."""
        found = list(self.split(text))
        english = self.glossary([word for word, _, _ in found])
        for word, (_, start, end) in zip(english, found, strict=True):
            yield word, start, end


def reading_of(model: Any) -> Callable[[Sequence[str]], list[str]]:
    """What a GLiNER model takes the words of a sentence for."""
    splitter = model.data_processor.words_splitter
    return splitter.glossary if isinstance(splitter, GlossingSplitter) else list
