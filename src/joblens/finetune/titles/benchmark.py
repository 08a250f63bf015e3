"""Measure encoders of titles on MELO, the way the benchmark does, and how well they stand noise."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from joblens.finetune.titles.augmentation import with_noise, with_typo
from joblens.finetune.titles.concepts import spelling
from joblens.metrics import hit_rate, mean_average_precision, mean_reciprocal_rank
from joblens.text import without_diacritics

if TYPE_CHECKING:
    from joblens.encoders import Encoder
    from joblens.sources.melo import MeloSet

_CONSIDERED = 100  # labels per title, as the benchmark's evaluator
_DECIMALS = 5  # of a score, as it writes them
_AT_ONCE = 256

PUBLISHED = {
    "paraphrase-multilingual-mpnet-base-v2": {
        "deu_q_de_c_de": 0.4691, "pol_q_pl_c_pl": 0.4582, "esp_q_es_c_es": 0.3417, "fra_q_fr_c_fr": 0.7660,
        "nld_q_nl_c_nl": 0.3831, "usa_q_en_c_en": 0.5876, "deu_q_de_c_en": 0.0916, "pol_q_pl_c_en": 0.0585,
        "esp_q_es_c_en": 0.0899,
    },
    "character TF-IDF": {
        "deu_q_de_c_de": 0.5442, "pol_q_pl_c_pl": 0.5596, "esp_q_es_c_es": 0.4376, "fra_q_fr_c_fr": 0.7956,
        "nld_q_nl_c_nl": 0.4862, "usa_q_en_c_en": 0.5800, "deu_q_de_c_en": 0.1301, "pol_q_pl_c_en": 0.1109,
        "esp_q_es_c_en": 0.1238,
    },
    "multilingual-e5-large": {
        "deu_q_de_c_de": 0.6122, "pol_q_pl_c_pl": 0.5836, "esp_q_es_c_es": 0.5021, "fra_q_fr_c_fr": 0.8427,
        "nld_q_nl_c_nl": 0.5059, "usa_q_en_c_en": 0.6563, "deu_q_de_c_en": 0.3858, "pol_q_pl_c_en": 0.3793,
        "esp_q_es_c_en": 0.3480,
    },
    "OpenAI text-embedding-3-large": {
        "deu_q_de_c_de": 0.6778, "pol_q_pl_c_pl": 0.6225, "esp_q_es_c_es": 0.5371, "fra_q_fr_c_fr": 0.8721,
        "nld_q_nl_c_nl": 0.5723, "usa_q_en_c_en": 0.6842, "deu_q_de_c_en": 0.5518, "pol_q_pl_c_en": 0.5085,
        "esp_q_es_c_en": 0.4859,
    },
}  # fmt: skip
"""MRR as the benchmark's authors report it (tables 2, 5 and 6 of their repository), by set; not every set."""


class Similarity(Protocol):
    """Scores of every label for every title."""

    def __call__(self, queries: Sequence[str], labels: Sequence[str]) -> Callable[[int, int], NDArray[Any]]:
        """A function that gives the scores (n, L) of the titles from one place to another."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
    """Figures of one encoder on one set, fractions in [0, 1]."""

    name: str
    queries: int
    mrr: float
    map: float
    hit_1: float
    hit_5: float
    hit_10: float


def cosine_of(encoder: Encoder) -> Similarity:
    """The cosine of an encoder's vectors."""

    def similarity(queries: Sequence[str], labels: Sequence[str]) -> Callable[[int, int], NDArray[Any]]:
        first, second = encoder.encode(queries).numpy(), encoder.encode(labels).numpy()
        return lambda start, end: first[start:end] @ second.T

    return similarity


def character_tf_idf(queries: Sequence[str], labels: Sequence[str]) -> Callable[[int, int], NDArray[Any]]:
    """The benchmark's lexical peer: cosine of TF-IDF over 1 to 3 characters, counted in the labels."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    second = vectorizer.fit_transform(labels).T.tocsc()
    first = vectorizer.transform(queries)
    return lambda start, end: (first[start:end] @ second).toarray()


def evaluate(found: MeloSet, similarity: Similarity, change: Callable[[str], str] | None = None) -> Result:
    """One set, as `trec_eval` does it: the best 100 labels per title, equal scores by descending id.

    Args:
        found: The set; its Spanish titles are in upper case, which the benchmark lowers for every model.
        similarity: Scores labels for titles.
        change: What is done to each title first, such as a typo.
    """
    lower = found.name.startswith("esp_")
    queries = [(key, text.lower() if lower else text) for key, text in found.queries if key in found.relevant]
    texts = [change(text) if change else text for _, text in queries]
    keys = np.array([key for key, _ in found.labels])
    scores_of = similarity(texts, [text for _, text in found.labels])
    hits = torch.zeros((len(queries), min(_CONSIDERED, len(keys))), dtype=torch.bool)
    for start in range(0, len(queries), _AT_ONCE):
        part = np.round(scores_of(start, min(start + _AT_ONCE, len(queries))).astype(np.float64), _DECIMALS)
        for row, scores in enumerate(part, start=start):
            hits[row] = torch.from_numpy(np.isin(_best(scores, keys), list(found.relevant[queries[row][0]])))
    first = torch.where(hits.any(dim=1), hits.int().argmax(dim=1) + 1, 0)
    totals = torch.tensor([len(found.relevant[key]) for key, _ in queries])
    return Result(
        found.name,
        len(queries),
        mean_reciprocal_rank(first),
        mean_average_precision(hits, totals),
        *(hit_rate(hits, k) for k in (1, 5, 10)),
    )


def _best(scores: NDArray[np.float64], keys: NDArray[np.str_]) -> NDArray[np.str_]:
    """The ids of the best labels: the first of equal scores are kept, and then the last id comes first."""
    order = np.argsort(-scores, kind="stable")[:_CONSIDERED]
    order = np.array(sorted(order, key=lambda place: (scores[place], keys[place]), reverse=True))
    kept: NDArray[np.str_] = keys[order]
    return kept


def without_labels(found: MeloSet, labels: Collection[str]) -> MeloSet:
    """The set without the titles that have the spelling of a label, because training reads labels."""
    kept = tuple((key, text) for key, text in found.queries if spelling(text) not in labels)
    return type(found)(found.name, kept, found.labels, found.concepts, found.relevant)


def noises(seed: int) -> dict[str, Callable[[str], str]]:
    """What may happen to a title, by name; what is drawn depends on `seed` and the title alone."""
    return {
        "upper case": str.upper,
        "no diacritics": without_diacritics,
        "one typo": lambda title: with_typo(title, Random(f"{seed}-typo-{title}")),
        "gender, place and contract": lambda title: with_noise(title, Random(f"{seed}-noise-{title}")),
    }
