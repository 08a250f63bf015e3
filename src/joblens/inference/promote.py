"""Replace the bundle that is served by another one, if it is better on adverts that neither has learned from.

Both read the same held-out adverts, along the path they are served by. The new one is better when the 95 %
interval of its paired difference in macro-F1 (bootstrap over rows, as in `evaluate`) lies above 0, and that
in accuracy does not lie below 0.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from joblens import metrics
from joblens.errors import BundleError, DataError
from joblens.inference.classify import Classifier
from joblens.models.bundle.replacing import copied, move_in, turn_of
from joblens.paths import Layout
from joblens.sources import Columns, read_records
from joblens.sources.duplicates import near_duplicate_groups
from joblens.storage import file_hash, read_table
from joblens.text import join_title

logger = logging.getLogger(__name__)

FEWEST = 100
"""Held-out adverts, one of each near-duplicate group, below which no comparison is made."""
DRAWS = 2_000
SEED = 7
SIMILAR = 0.8
"""Share of word triples from which on two adverts of a file count as one."""


@dataclass(frozen=True, slots=True)
class LabelledAds:
    """Labelled adverts, one of each near-duplicate group."""

    where: str
    """How messages call them."""
    titles: list[str]
    texts: list[str]
    labels: list[str]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one bundle is worth on the held-out adverts."""

    version: str
    macro_f1: float
    """Mean over the labels that occur in them."""
    accuracy: float


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was compared, and whether the new bundle is served now."""

    ads: int
    where: str
    new: Figures
    old: Figures | None
    """Of the bundle that was served; None when there was none."""
    macro_f1: metrics.PairedDifference | None
    """New minus old; None when there was no old one."""
    accuracy: metrics.PairedDifference | None

    @property
    def is_done(self) -> bool:
        """Whether the new one is better, or the first."""
        if self.macro_f1 is None or self.accuracy is None:
            return True
        return self.macro_f1.low > 0 and self.accuracy.high >= 0


def promote(
    new: Path,
    folder: Path,
    held: LabelledAds | Layout,
    *,
    labels_may_change: bool = False,
    device: str = "auto",
) -> Promotion:
    """Compare the bundle `new` with the one at `folder`; a copy of it takes that place if it is better.

    Where nothing is served yet, the new bundle is measured and put there. A killed call leaves the old bundle
    or the new one at `folder`, never none.

    Args:
        new: A trained bundle's folder; it stays as it is.
        folder: Where the served bundle is; it will be kept as `FOLDER.previous`.
        held: Adverts that neither has learned from, or the project whose test split they are.
        labels_may_change: Compare although the two do not have the same labels; a label that a bundle does
            not know is one it gets wrong.
        device: `auto`, `cpu` or `gpu`.

    Raises:
        BundleError: One of the two is missing or damaged, or their labels differ.
        DataError: There are too few held-out adverts, one has a label that nobody knows, or `new` may have
            learned from the project's test split.
        StorageError: Another process is promoting, or the disk is full or refuses.
    """
    rows = project_rows(held) if isinstance(held, Layout) else held
    _check_enough(rows)
    with turn_of(folder), copied(new, folder) as copy:
        challenger = Classifier.load(copy, device=device)
        champion = Classifier.load(folder, device=device) if folder.exists() else None
        if isinstance(held, Layout):
            _check_unseen(held, new, challenger, champion)
        _check_labels(rows, challenger, champion, labels_may_change)
        promotion = compare(rows, challenger, champion)
        if promotion.is_done:
            move_in(copy, folder)
    return promotion


def compare(rows: LabelledAds, challenger: Classifier, champion: Classifier | None) -> Promotion:
    """Both on the same adverts."""
    names = sorted(set(rows.labels))
    numbers = {name: number for number, name in enumerate(names)}
    labels = torch.tensor([numbers[label] for label in rows.labels])

    def guessed(classifier: Classifier) -> Tensor:  # (N,); any label that no row has is the class C
        guesses = classifier.predict(rows.texts, titles=rows.titles)
        return torch.tensor([numbers.get(guess.label, len(names)) for guess in guesses])

    def macro_f1(confusion: Tensor) -> Tensor:  # the class C is no row's label: its F1 is 0 and left out
        return metrics.confusion_macro_f1(confusion) * (len(names) + 1) / len(names)

    def figures(classifier: Classifier, guesses: Tensor) -> Figures:
        confusion = metrics.confusion_matrix(guesses, labels, len(names) + 1)
        return Figures(classifier.version, float(macro_f1(confusion)), metrics.accuracy(guesses, labels))

    def difference(statistic: metrics.Statistic, first: Tensor, second: Tensor) -> metrics.PairedDifference:
        return metrics.paired_difference(
            statistic, first, second, labels, len(names) + 1, draws=DRAWS, seed=SEED
        )

    first = guessed(challenger)
    new = figures(challenger, first)
    if champion is None:
        return Promotion(len(labels), rows.where, new, None, None, None)
    second = guessed(champion)
    return Promotion(
        ads=len(labels),
        where=rows.where,
        new=new,
        old=figures(champion, second),
        macro_f1=difference(macro_f1, first, second),
        accuracy=difference(metrics.confusion_accuracy, first, second),
    )


def project_rows(layout: Layout) -> LabelledAds:
    """The test split of a project.

    Raises:
        DataError: A file is missing or damaged, or they are not of the same adverts.
    """
    ads = read_table(layout.ads, columns={"id", "title", "text", "label", "group"})
    splits = read_table(layout.splits, columns={"id", "split"})
    found = ads.join(splits, on="id", how="inner", maintain_order="left")
    if found.height < splits.height:
        raise DataError(
            f"{layout.ads.name} and {layout.splits.name} are not of the same ads; run `dvc repro`"
        )
    tested = [row for row in found.iter_rows(named=True) if row["split"] == "test"]
    first = {row["group"]: row for row in reversed(tested)}  # the first of a group comes last, and stays
    rows = [row for row in tested if first[row["group"]] is row]
    return _held_out(f"the test split of {layout.root.resolve()}", rows)


def file_rows(source: str, columns: Columns, *, url_env: str = "JOBLENS_DB_URL") -> LabelledAds:
    """The adverts of a file or table that have a text and a label, one of those that say nearly the same.

    Raises:
        DataError: The place is missing or damaged, or lacks a column.
        SourceError: The database cannot be reached.
    """
    frames = read_records(source, columns, url_env=url_env)
    read = [row for frame in frames for row in frame.iter_rows(named=True)]
    rows = [row for row in read if row["text"] and row["label"]]
    texts = [join_title(row["title"] or "", row["text"]) for row in rows]
    groups = near_duplicate_groups(texts, SIMILAR, SEED)
    kept = [row for number, row in enumerate(rows) if groups[number] == number]
    logger.info(
        "%s ads of %s → %s: %s without text or label, %s near-duplicates",
        *(f"{len(read):,}", source, f"{len(kept):,}"),
        *(f"{len(read) - len(rows):,}", f"{len(rows) - len(kept):,}"),
    )
    return _held_out(source, kept)


def _held_out(where: str, rows: Sequence[dict[str, str | None]]) -> LabelledAds:
    titles, texts, labels = ([row[name] or "" for row in rows] for name in ("title", "text", "label"))
    return LabelledAds(where, titles, texts, labels)


def _check_enough(rows: LabelledAds) -> None:
    if len(rows.labels) < FEWEST:
        raise DataError(
            f"{rows.where} has {len(rows.labels)} held-out ads without near-duplicates, expected at least "
            f"{FEWEST} to tell two bundles apart; label more and give them with --ads"
        )


def _check_unseen(layout: Layout, new: Path, challenger: Classifier, champion: Classifier | None) -> None:
    """The new bundle must not know the test split; the old one may, which only speaks for it."""
    present = file_hash(layout.splits)
    if _splits_hash(challenger) != present:
        raise DataError(
            f"{new} was not trained with the present splits of {layout.root.resolve()} and may have learned "
            "from its test ads; run `dvc repro`, or give adverts that neither has seen with --ads"
        )
    if champion is not None and _splits_hash(champion) != present:
        logger.warning(
            "the served bundle was trained with other splits and may know some of these adverts, which "
            "speaks for it; give adverts that neither has seen with --ads"
        )


def _splits_hash(classifier: Classifier) -> object:
    hashes = classifier.bundle.card.get("hashes")
    return hashes.get("splits.parquet") if isinstance(hashes, dict) else None


def _check_labels(
    rows: LabelledAds, challenger: Classifier, champion: Classifier | None, labels_may_change: bool
) -> None:
    new = set(challenger.bundle.labels)
    old = set(champion.bundle.labels) if champion is not None else new
    if new != old and not labels_may_change:
        raise BundleError(
            f"the new bundle lacks the labels {sorted(old - new)} and adds {sorted(new - old)}; those who "
            "call the service may rely on them. Add --labels-may-change to compare the two all the same"
        )
    unknown = sorted(set(rows.labels) - new - old)
    if unknown:
        raise DataError(
            f"{rows.where} has labels that no bundle knows ({', '.join(map(repr, unknown[:3]))}); "
            "leave those adverts out or correct them"
        )
