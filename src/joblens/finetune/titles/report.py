"""`joblens bench titles`: the shipped encoder of titles beside others, its speed, and how it stands noise."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from joblens.encoders.titles import WEIGHTS, TitleEncoder
from joblens.finetune.titles.benchmark import (
    PUBLISHED,
    Result,
    Similarity,
    character_tf_idf,
    cosine_of,
    evaluate,
    noises,
    without_labels,
)
from joblens.finetune.titles.concepts import spelling
from joblens.sources.melo import read_melo

if TYPE_CHECKING:
    from rich.table import Table

    from joblens.encoders import Encoder
    from joblens.sources.melo import MeloSet

logger = logging.getLogger(__name__)

OURS = "joblens titles"
TF_IDF = "character TF-IDF, here"
SEED = 7
_BATCH = 20_000
_REPEATS = 5

_SPEED = """
import sys, time
from pathlib import Path
start = time.perf_counter()
from joblens.encoders.titles import TitleEncoder
encoder = TitleEncoder.load(Path(sys.argv[1]))
encoder.vectors(["carpenter"])
print(time.perf_counter() - start)
"""


def measure(path: Path, folder: Path, peers: dict[str, Encoder], names: Sequence[str] = ()) -> dict[str, Any]:
    """Every figure of the benchmark.

    Args:
        path: The benchmark, an archive or folder.
        folder: The title encoder.
        peers: Encoders to compare with, by name; character TF-IDF is always among the peers.
        names: Some sets; none: all there are.

    Returns:
        `sets`: a list of figures per encoder; `without_labels` and `noise`: ours on the sets of one language;
        `speed`: titles per second on one core, seconds to load, bytes on disk.

    Raises:
        DataError: The benchmark is missing or lacks a set.
        ModelError: The title encoder is missing or damaged.
    """
    everything = read_melo(path)
    labels = {spelling(text) for each in everything for _, text in each.labels}
    found = read_melo(path, names) if names else everything
    encoder = TitleEncoder.load(folder)
    similarities: dict[str, Similarity] = {OURS: cosine_of(encoder), TF_IDF: character_tf_idf}
    similarities |= {name: cosine_of(peer) for name, peer in peers.items()}
    sets: dict[str, list[Result]] = {}
    for name, similarity in similarities.items():
        logger.info("%s: %d sets", name, len(found))
        sets[name] = [evaluate(each, similarity) for each in found]
    ours, same = similarities[OURS], [each for each in found if each.language == each.label_language]
    return {
        "sets": {name: [asdict(result) for result in results] for name, results in sets.items()},
        "without_labels": [
            asdict(evaluate(rest, ours)) for each in same if (rest := without_labels(each, labels)).queries
        ],
        "noise": {
            noise: [asdict(evaluate(each, ours, change)) for each in same]
            for noise, change in noises(SEED).items()
        },
        "speed": speed(encoder, folder, same or found),
    }


def speed(encoder: TitleEncoder, folder: Path, sets: Sequence[MeloSet]) -> dict[str, float]:
    """Titles per second on one core, seconds to load in a new process, bytes on disk."""
    titles = list(dict.fromkeys(text for each in sets for _, text in [*each.queries, *each.labels]))
    seconds = []
    for _ in range(_REPEATS):  # sparse products and hashing use one core, whatever the machine has
        started = perf_counter()
        for start in range(0, len(titles), _BATCH):
            encoder.vectors(titles[start : start + _BATCH])
        seconds.append(perf_counter() - started)
    loading = [
        float(
            subprocess.run(
                [sys.executable, "-c", _SPEED, str(folder)], capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(_REPEATS)
    ]
    return {
        "titles": len(titles),
        "titles_per_second": round(len(titles) / median(seconds)),
        "load_seconds": round(median(loading), 3),
        "table_bytes": (folder / WEIGHTS).stat().st_size,
        "folder_bytes": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
    }


def tables(figures: dict[str, Any]) -> list[Table]:
    """The figures of `measure` for a terminal or a page."""
    from rich.table import Table

    names = [row["name"] for row in figures["sets"][OURS]]
    same = [name for name in names if name.split("_")[2] == name.split("_")[4]]
    other = [name for name in names if name not in same]
    rows = {name: {row["name"]: row for row in found} for name, found in figures["sets"].items()}
    published = {f"{name} (published)": scores for name, scores in PUBLISHED.items()}
    shown = []
    for title, sets in (("MRR, same language", same), ("MRR, to English labels", other)):
        if not sets:
            continue
        table = Table("encoder", *(_short(name) for name in sets), "mean", title=title)
        for name, found in rows.items():
            _add(table, name, [found[each]["mrr"] for each in sets])
        for name, scores in published.items():
            _add(table, name, [scores.get(each) for each in sets])
        shown.append(table)
    detail = Table("set", "titles", "MRR", "MAP", "hit@1", "hit@5", "hit@10", title=OURS)
    for name in names:
        row = rows[OURS][name]
        values = (row[key] for key in ("mrr", "map", "hit_1", "hit_5", "hit_10"))
        detail.add_row(_short(name), f"{row['queries']:,}", *(f"{value:.3f}" for value in values))
    shown.append(detail)
    if same:
        shown.append(_robustness(figures, same, rows[OURS]))
    return shown


def _robustness(figures: dict[str, Any], same: list[str], ours: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("titles", *(_short(name) for name in same), "mean", "fall", title="MRR of changed titles")
    before = [ours[name]["mrr"] for name in same]
    _add(table, "as they are", before, "")
    left = {row["name"]: row for row in figures["without_labels"]}
    count = sum(ours[name]["queries"] - (left[name]["queries"] if name in left else 0) for name in same)
    rest = [left[name]["mrr"] if name in left else None for name in same]
    _add(table, f"without {count:,} that are labels", rest, "")
    for noise, results in figures["noise"].items():
        scores = [row["mrr"] for row in results]
        _add(table, noise, scores, f"{1 - sum(scores) / sum(before):.1%}" if sum(before) else "")
    return table


def speed_line(figures: dict[str, Any]) -> str:
    """Speed and size in one line."""
    found = figures["speed"]
    return (
        f"{found['titles_per_second']:,} titles a second on one core ({found['titles']:,} distinct titles), "
        f"loaded in {found['load_seconds']:.2f} s, {found['table_bytes'] / 1e6:.1f} MB "
        f"({found['folder_bytes'] / 1e6:.1f} MB with the occupations)"
    )


def _short(name: str) -> str:
    """`deu_q_de_c_en` → de → en."""
    parts = name.split("_")
    return parts[2] if parts[2] == parts[4] else f"{parts[2]} → {parts[4]}"


def _add(table: Table, name: str, scores: Sequence[float | None], *more: str) -> None:
    known = [score for score in scores if score is not None]
    mean = f"{sum(known) / len(known):.3f}" if len(known) == len(scores) else ""
    table.add_row(name, *("" if score is None else f"{score:.3f}" for score in scores), mean, *more)
