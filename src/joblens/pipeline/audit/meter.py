"""The leak meter: what personal data is still present in the output, and what useful content was lost.

It looks at what leaves the stage, not at what a detector found. `joblens.pipeline.audit.surfaces` says what
counts as present.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from joblens.errors import DataError
from joblens.pipeline.audit.surfaces import APART, PERSONAL, Folded, Source, fold
from joblens.records import Entity, LabelledText

USEFUL = ("occupation", "skill", "task", "competence")
"""Labels of what an advert is kept for; `competence` is the merged label of some corpora."""

PATTERN_TYPES = tuple(label for label in PERSONAL if label not in {"person", "address"})
ALL = "all"
Z = 1.959964
"""The normal quantile of a 95 % interval."""

_MASK = re.compile(rf"\[(?:{'|'.join(map(re.escape, (*PERSONAL, APART)))})\]")


@dataclass(frozen=True, slots=True)
class Count:
    """How many of how many; the interval is Wilson's at 95 %."""

    hits: int
    total: int

    @property
    def share(self) -> float | None:
        """In [0, 1]; None when there is nothing to count."""
        return self.hits / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Removal:
    """What happened to the entities of one type in one language."""

    label: str
    language: str
    """ISO 639-1 code, or "all"."""
    entities: int
    """Those that can be measured."""
    leaked: int
    not_measured: int
    """Those that the rest of their advert says as well, so that nobody can tell whether they leaked."""

    @property
    def removed(self) -> Count:
        """The entities that are gone."""
        return Count(self.entities - self.leaked, self.entities)


@dataclass(frozen=True, slots=True)
class Recall:
    """How much of the useful spans of one label and language is in the output."""

    label: str
    language: str
    spans: int
    recall: float
    """The mean share of a span's words that the output holds."""
    without_scrubbing: float
    """The same for the output as it would be with nothing masked."""

    @property
    def lost(self) -> float:
        """Percentage points that scrubbing costs."""
        return 100 * (self.without_scrubbing - self.recall)


@dataclass(frozen=True, slots=True)
class Leaks:
    """What the meter read."""

    removals: tuple[Removal, ...]
    """By type and language, "all" languages first; types in the order of `PERSONAL`, organisation last."""
    leaking_ads: dict[str, Count]
    """By language, "all" first: adverts with any personal data left, organisations not counted."""
    recalls: tuple[Recall, ...]
    other_labels: dict[str, int]
    """Entities whose label is neither personal nor useful: how many were left out of account."""

    def removal(self, label: str, language: str = ALL) -> Removal:
        """The figures of one type; zeros when there was none."""
        for row in self.removals:
            if (row.label, row.language) == (label, language):
                return row
        return Removal(label, language, 0, 0, 0)

    @property
    def pattern_types(self) -> Removal:
        """All types that have a shape, together."""
        rows = [self.removal(label) for label in PATTERN_TYPES]
        return Removal(
            "pattern types",
            ALL,
            sum(row.entities for row in rows),
            sum(row.leaked for row in rows),
            sum(row.not_measured for row in rows),
        )


def measure(
    outputs: Sequence[str], gold: Sequence[LabelledText], unscrubbed: Sequence[str] | None = None
) -> Leaks:
    """Compare what leaves the stage with what is known to be in the adverts.

    Args:
        outputs: Per advert all that leaves: title, clean text, kept phrases.
        gold: The adverts, in the same order.
        unscrubbed: The outputs with nothing masked; None takes the advert's own text.

    Raises:
        DataError: The numbers of adverts differ, or there are none.
    """
    plain = [text.text for text in gold] if unscrubbed is None else unscrubbed
    if not gold or not len(outputs) == len(gold) == len(plain):
        raise DataError(
            f"{len(outputs)} outputs and {len(plain)} unscrubbed ones for {len(gold)} labelled texts; "
            "the meter needs one of each for every text, and at least one text"
        )
    entities: Counter[tuple[str, str]] = Counter()
    leaked: Counter[tuple[str, str]] = Counter()
    hidden: Counter[tuple[str, str]] = Counter()
    ads: Counter[str] = Counter()
    leaking: Counter[str] = Counter()
    shares: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    others: Counter[str] = Counter()
    for output, before, text in zip(outputs, plain, gold, strict=True):
        folded, folded_before = _fold_output(output), fold(before)
        languages = (ALL, text.language)
        leaks = _of_text(text, folded)
        ads.update(languages)
        leaking.update(languages if any(is_leak and e.label != APART for e, is_leak in leaks) else ())
        for entity, is_leak in leaks:
            tally = hidden if is_leak is None else entities
            tally.update((entity.label, language) for language in languages)
            leaked.update((entity.label, language) for language in languages if is_leak)
        for entity in text.entities:
            if entity.label in USEFUL:
                share = (_share(entity.text, folded), _share(entity.text, folded_before))
                for language in languages:
                    shares[entity.label, language].append(share)
            elif entity.label not in (*PERSONAL, APART):
                others[entity.label] += 1
    return Leaks(
        removals=tuple(
            Removal(*key, entities[key], leaked[key], hidden[key])
            for key in _ordered({*entities, *hidden}, (*PERSONAL, APART))
        ),
        leaking_ads={
            language: Count(leaking[language], ads[language]) for language in sorted(ads, key=_all_first)
        },
        recalls=tuple(
            Recall(
                *key,
                len(shares[key]),
                *(sum(column) / len(column) for column in zip(*shares[key], strict=True)),
            )
            for key in _ordered(shares, USEFUL)
        ),
        other_labels=dict(sorted(others.items())),
    )


def wilson(count: Count) -> tuple[float, float] | None:
    """Wilson's 95 % interval of a share; None when there is nothing to count.

    Source: Wilson (1927), "Probable Inference, the Law of Succession, and Statistical Inference".
    """
    n = count.total
    if n == 0:
        return None
    share = count.hits / n
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def as_figures(leaks: Leaks) -> dict[str, Any]:
    """The reading as plain values for JSON; shares are fractions in [0, 1], losses percentage points."""
    removals: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for row in leaks.removals:
        removals[row.language][row.label] = _removal_figures(row)
    recalls: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for recall in leaks.recalls:
        recalls[recall.language][recall.label] = {
            "spans": recall.spans,
            "recall": round(recall.recall, 6),
            "recall_without_scrubbing": round(recall.without_scrubbing, 6),
            "lost_points": round(recall.lost, 4),
        }
    return {
        "removed": dict(removals),
        "pattern_types": _removal_figures(leaks.pattern_types),
        "leaking_ads": {
            language: {"ads": count.total, "leaking": count.hits, **_share_figures(count)}
            for language, count in leaks.leaking_ads.items()
        },
        "useful": dict(recalls),
        "other_labels": leaks.other_labels,
    }


def _removal_figures(row: Removal) -> dict[str, Any]:
    return {
        "entities": row.entities,
        "leaked": row.leaked,
        "not_measured": row.not_measured,
        **_share_figures(row.removed),
    }


def _share_figures(count: Count) -> dict[str, Any]:
    interval = wilson(count)
    return {
        "share": None if count.share is None else round(count.share, 6),
        "interval": None if interval is None else [round(bound, 6) for bound in interval],
    }


def leaked_entities(outputs: Sequence[str], gold: Sequence[LabelledText]) -> Iterator[tuple[str, Entity]]:
    """Each entity that leaked with its advert's id, organisations included; for synthetic text only."""
    for output, text in zip(outputs, gold, strict=True):
        for entity, is_leak in _of_text(text, _fold_output(output)):
            if is_leak:
                yield text.id, entity


def _fold_output(output: str) -> Folded:
    """The output without its masks, whose words are nobody's."""
    return fold(_MASK.sub(" ", output))


def _of_text(text: LabelledText, output: Folded) -> list[tuple[Entity, bool | None]]:
    """Each personal entity, and whether it leaked; None when nobody can tell."""
    source = Source(text)
    found: list[tuple[Entity, bool | None]] = []
    for entity in text.entities:
        if entity.label in PERSONAL or entity.label == APART:
            traces = source.traces(entity)
            found.append((entity, any(trace.stands_in(output) for trace in traces) if traces else None))
    return found


def _share(span: str, output: Folded) -> float:
    """The share of a span's words that the output holds; 1 for a span without words."""
    words = fold(span).words
    return len(words & output.words) / len(words) if words else 1.0


def _ordered(keys: Iterable[tuple[str, str]], labels: Sequence[str]) -> list[tuple[str, str]]:
    """Keys of label and language: by language with "all" first, then in the order of the labels."""
    return sorted(keys, key=lambda key: (_all_first(key[1]), labels.index(key[0])))


def _all_first(language: str) -> tuple[bool, str]:
    return language != ALL, language
