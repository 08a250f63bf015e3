"""Sentences as words and subwords: measured once per distinct word, cut into windows that fit the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from joblens.text import Span, chunks

MOST_WORDS_KNOWN = 1_000_000
"""Distinct words whose subwords are kept in memory; beyond, all are forgotten and the count starts again."""


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a sentence that fits the model."""

    sentence: int
    """Which sentence it is of."""
    words: Sequence[Span]
    """Where its words are in the sentence."""
    pieces: Sequence[tuple[int, ...]]
    """The subword ids of each word; none for a word the tokenizer does not see."""

    @property
    def cost(self) -> int:
        """Its length in subwords."""
        return sum(map(len, self.pieces))


class WordPieces:
    """The subword ids of words.

    Tokenizers of the fast kind read a text that is given as words one word at a time, so a word has the same
    subwords wherever it stands and each is asked for once.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known: dict[str, tuple[int, ...]] = {}

    def __call__(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """The ids of each word, without special tokens."""
        self.learn(words)
        return [self._known[word] for word in words]

    def learn(self, words: Iterable[str]) -> None:
        """Ask the tokenizer for all words that are new, at once."""
        if len(self._known) > MOST_WORDS_KNOWN:
            self._known.clear()
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        if not new:
            return
        encoded = self._tokenizer(new, is_split_into_words=True, add_special_tokens=False, verbose=False)
        ids: list[list[int]] = [[] for _ in new]
        for piece, row in zip(encoded["input_ids"], encoded.word_ids(), strict=True):
            ids[row].append(piece)
        self._known.update(zip(new, map(tuple, ids), strict=True))


class WindowCutter:
    """Cuts sentences into windows; most sentences are one.

    Args:
        split: The model's splitter: yields word, start and end.
        pieces: Subwords of words.
        room: Most subwords of a window.
        max_words: Most words of a window.
        overlap: Words that two windows of one sentence share, so that no entity is seen only in halves.
    """

    def __init__(
        self, *, split: Callable[[str], Any], pieces: WordPieces, room: int, max_words: int, overlap: int
    ) -> None:
        self._split = split
        self._pieces = pieces
        self._room = room
        self._max_words = max_words
        self._overlap = max(0, min(overlap, (min(max_words, room) - 1) // 2))

    def windows(self, sentences: Sequence[str]) -> list[Window]:
        """The windows of all sentences, in order; a sentence without words has none."""
        split = [list(self._split(sentence)) for sentence in sentences]
        self._pieces.learn(word for words in split for word, _, _ in words)
        return [
            window
            for row, (sentence, words) in enumerate(zip(sentences, split, strict=True))
            for window in self._cut(row, sentence, words)
        ]

    def _cut(self, row: int, sentence: str, split: list[tuple[str, int, int]]) -> list[Window]:
        words, pieces = self._fit(sentence, split)
        costs = [len(ids) for ids in pieces]
        return [
            Window(row, words[first:end], pieces[first:end])
            for first, end in chunks(costs, self._room, overlap=self._overlap, most=self._max_words)
        ]

    def _fit(
        self, sentence: str, split: list[tuple[str, int, int]]
    ) -> tuple[list[Span], list[tuple[int, ...]]]:
        """Words and subwords; a word that alone is longer than a window is cut in halves."""
        pieces = self._pieces([word for word, _, _ in split])
        while any(
            len(ids) > self._room and end - start > 1
            for (_, start, end), ids in zip(split, pieces, strict=True)
        ):
            halves: list[tuple[str, int, int]] = []
            for (word, start, end), ids in zip(split, pieces, strict=True):
                middle = (start + end) // 2
                if len(ids) > self._room and end - start > 1:
                    halves += [(sentence[start:middle], start, middle), (sentence[middle:end], middle, end)]
                else:
                    halves.append((word, start, end))
            split, pieces = halves, self._pieces([word for word, _, _ in halves])
        return [(start, end) for _, start, end in split], pieces
