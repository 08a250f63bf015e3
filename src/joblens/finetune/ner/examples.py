"""From labelled texts to what GLiNER trains on: sentences of words, with spans counted in words."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from joblens.extractors.spans import longest_by_label
from joblens.records import LabelledText
from joblens.text import sentences

logger = logging.getLogger(__name__)

_WORD = re.compile(r"\w+(?:[-_]\w+)*|\S")
"""gliner's own splitter (`WhitespaceTokenSplitter`): training must cut as reading does."""

WordSpan = tuple[int, int, str]
"""First and last word, both included, and the label."""


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence, and which labels somebody looked for in it."""

    words: tuple[str, ...]
    spans: tuple[WordSpan, ...]
    labels: tuple[str, ...]
    """What is annotated in this corpus: only these are trained as absent where they are not marked."""
    language: str
    corpus: str
    group: str


def to_examples(
    texts: Iterable[LabelledText], *, corpus: str, labels: Sequence[str], most_words: int
) -> list[Example]:
    """The distinct sentences of the texts, cut as the extractor cuts them.

    An entity that crosses the end of a sentence is left out, and so is a sentence of more than `most_words`;
    both are counted in the log. Of entities of one label that overlap the longest stays. Entities of other
    labels than `labels` are no entities here.
    """
    wanted = set(labels)
    examples: dict[tuple[tuple[str, ...], tuple[WordSpan, ...]], Example] = {}
    counts: Counter[str] = Counter()
    for text in texts:
        for start, end in sentences(text.text):
            counts["sentences"] += 1
            cuts = [(start + m.start(), start + m.end()) for m in _WORD.finditer(text.text[start:end])]
            if not 1 < len(cuts) <= most_words:
                counts["too short or too long"] += 1
                continue
            spans: list[WordSpan] = []
            for entity in longest_by_label(text.entities):
                if entity.label not in wanted or entity.end <= start or entity.start >= end:
                    continue
                if entity.start < start or entity.end > end:
                    counts["entities over a sentence's end"] += 1
                    continue
                inside = [at for at, (a, b) in enumerate(cuts) if a < entity.end and b > entity.start]
                spans.append((inside[0], inside[-1], entity.label))
            words = tuple(text.text[a:b] for a, b in cuts)
            key = (words, tuple(spans))
            examples.setdefault(key, Example(words, key[1], tuple(labels), text.language, corpus, text.group))
    logger.info("%s: %d distinct examples; %s", corpus, len(examples), dict(counts))
    return list(examples.values())


def with_case_noise(examples: Sequence[Example], share: float, rng: Random) -> list[Example]:
    """The examples, a share of them in upper or lower case, as headings and hasty adverts are."""
    changed: list[Example] = []
    for example in examples:
        chance = rng.random()
        if chance < share:
            words = tuple(w.upper() if chance < share / 2 else w.lower() for w in example.words)
            example = Example(
                words, example.spans, example.labels, example.language, example.corpus, example.group
            )
        changed.append(example)
    return changed
