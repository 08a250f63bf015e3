"""What evaluate reads: one row per ad, every column in the order of the vectors."""

import logging
from dataclasses import dataclass

import polars as pl
import torch
from torch import Tensor

from joblens.errors import DataError
from joblens.models.wide_deep import Inputs
from joblens.paths import Layout
from joblens.pipeline.train.rows import read_rows as read_training_rows
from joblens.storage import read_table

logger = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Rows:
    """N ads with all that is known of them; tensors and lists share one order."""

    ids: list[str]
    titles: list[str]
    """As `clean` left them: no personal data."""
    texts: list[str]
    """Title and clean text as one string, what the lexical model reads."""
    vectors: Tensor
    """(N, D) float32."""
    labels: Tensor
    """(N,) int64, index into `names`."""
    groups: Tensor
    """(N,) int64; near-duplicate ads share a number."""
    splits: list[str]
    """`train`, `validation` or `test`."""
    folds: Tensor
    """(N,) int64, the cross-validation fold that tests the row."""
    names: tuple[str, ...]
    """The C labels in taxonomy order."""
    fingerprint: str
    """Of the encoder that made the vectors."""

    @property
    def inputs(self) -> Inputs:
        """The ads as a classifier reads them."""
        return Inputs(self.vectors, self.titles, self.texts)

    @property
    def classes(self) -> int:
        """C, the number of labels."""
        return len(self.names)

    def where(self, split: str) -> Tensor:
        """Row numbers of one split, ascending: (n,) int64."""
        return torch.tensor([row for row, name in enumerate(self.splits) if name == split], dtype=torch.int64)


def read_rows(layout: Layout) -> Rows:
    """Read and align everything that the models are compared on.

    Raises:
        DataError: A file is missing or damaged, the files are not of the same ads, or a split is empty.
    """
    known = read_training_rows(layout)
    table = read_table(layout.ids, columns={"id"})
    count = len(table)
    folds = read_table(layout.splits, columns={"id", "fold"})
    table = table.join(folds, on="id", how="left", maintain_order="left")
    if len(table) != count or table["fold"].null_count():
        raise DataError(
            f"{layout.splits.name} and {layout.ids.name} are not of the same ads; run `dvc repro`"
        )
    if "test" not in known.splits:
        raise DataError("no ad is in the test split; raise evaluation.split.test or add ads")
    logger.info("%d ads: %s", count, ", ".join(f"{known.splits.count(name)} {name}" for name in SPLITS))
    return Rows(
        ids=table["id"].to_list(),
        titles=known.titles,
        texts=known.texts,
        vectors=known.vectors,
        labels=known.labels,
        groups=_numbers(known.groups),
        splits=known.splits,
        folds=torch.tensor(table["fold"].cast(pl.Int64).to_list(), dtype=torch.int64),
        names=known.names,
        fingerprint=known.encoder_fingerprint,
    )


def one_per_group(rows: Tensor, groups: Tensor) -> Tensor:
    """The first of `rows` (n,) in each near-duplicate group, in their order: row numbers (m,) int64."""
    first: dict[int, int] = {}
    for row in rows.tolist():
        first.setdefault(int(groups[row]), row)
    return torch.tensor(list(first.values()), dtype=torch.int64)


def _numbers(groups: list[str]) -> Tensor:
    """Number the groups in order of appearance: (N,) int64."""
    known: dict[str, int] = {}
    return torch.tensor([known.setdefault(group, len(known)) for group in groups], dtype=torch.int64)
