"""The corpora a cleaner is trained on and measured with, as `configs/finetune/ner.yaml` lists them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from joblens.finetune.ner.examples import Example, to_examples, with_case_noise
from joblens.finetune.ner.phrases import phrase_texts
from joblens.records import LabelledText
from joblens.sources.personal.adverts import generate_personal
from joblens.sources.personal.surrogates import fill_placeholders
from joblens.sources.spans import read_spans

if TYPE_CHECKING:
    from joblens.config import Corpus

logger = logging.getLogger(__name__)

CASE_NOISE = 0.06
"""Share of training sentences in upper or lower case throughout."""


def texts_of(corpus: Corpus, data: Path, seed: int) -> list[LabelledText]:
    """The labelled texts of one corpus; placeholders for personal data are filled with synthetic people.

    Raises:
        DataError: The file is missing or of another format.
    """
    if corpus.kind == "personal":
        return generate_personal(corpus.count or 0, seed, "train", languages=corpus.languages)
    if corpus.kind == "phrases":
        return phrase_texts(data, corpus.count or 0, seed)
    path = Path(corpus.path or "")
    texts = read_spans(
        path if path.is_absolute() else data / path, kind=corpus.kind, language=corpus.language
    )
    return fill_placeholders(texts, seed, "train") if corpus.fill else texts


def training_examples(
    corpora: Sequence[Corpus], data: Path, *, most_words: int, seed: int
) -> tuple[list[Example], list[float]]:
    """Examples of every corpus, and how often each is drawn in an epoch.

    Raises:
        DataError: A file is missing or of another format.
    """
    examples: list[Example] = []
    weights: list[float] = []
    for corpus in corpora:
        texts = texts_of(corpus, data, seed)
        found = to_examples(texts, corpus=corpus.name, labels=corpus.labels, most_words=most_words)
        found = with_case_noise(found, CASE_NOISE, Random(f"{seed}-{corpus.name}"))
        examples += found
        weights += [corpus.weight] * len(found)
    return examples, weights
