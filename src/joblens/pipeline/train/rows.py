"""What train reads: one row per ad, what made it, and the hash of the code that is about to run."""

from dataclasses import dataclass

import torch
from torch import Tensor

from joblens.errors import DataError
from joblens.models.wide_deep import Inputs
from joblens.paths import Layout
from joblens.storage import (
    content_hash,
    file_hash,
    read_json,
    read_table,
    read_tensor_metadata,
    read_tensors,
)
from joblens.text import join_title

_AGAIN = "run `dvc repro`"


@dataclass(frozen=True, slots=True)
class Rows:
    """N ads with their vectors, labels and splits, in one order."""

    vectors: Tensor
    """(N, D) float32."""
    labels: Tensor
    """(N,) int64, index into `names`."""
    splits: list[str]
    """`train`, `validation` or `test`."""
    names: tuple[str, ...]
    """The C labels."""
    encoder_fingerprint: str
    """Of the encoder that made the vectors."""
    extractor_fingerprint: str
    """Of the extractor that cleaned the ads."""
    titles: list[str]
    """As `clean` left them: no personal data; empty where there is none."""
    texts: list[str]
    """Title and clean text as one string."""
    groups: list[str]
    """Near-duplicate ads share one."""
    crosscutting: tuple[int, ...]
    """Class indices of labels that the taxonomy says cut across the others."""

    @property
    def has_titles(self) -> bool:
        """Whether any ad has a title."""
        return any(self.titles)

    @property
    def inputs(self) -> Inputs:
        """The ads as a classifier reads them."""
        return Inputs(self.vectors, self.titles, self.texts)

    def where(self, split: str) -> Tensor:
        """Row numbers of one split, ascending: (n,) int64."""
        return torch.tensor([row for row, name in enumerate(self.splits) if name == split], dtype=torch.int64)


def read_rows(layout: Layout) -> Rows:
    """Read and align vectors, labels and splits.

    Raises:
        DataError: A file is missing or damaged, the files are not of the same ads, a label index is outside
            labels.json, a split is empty, there is one label only, or a label has no training ads.
    """
    tensors = read_tensors(layout.embeddings)
    missing = {"vectors", "labels"} - tensors.keys()
    fingerprint = read_tensor_metadata(layout.embeddings).get("fingerprint")
    if missing or not fingerprint:
        raise DataError(
            f"{layout.embeddings} has no {', '.join([*sorted(missing), 'fingerprint'])}; {_AGAIN}"
        )
    ids = read_table(layout.ids, columns={"id"})
    splits = read_table(layout.splits, columns={"id", "split"})
    table = ids.join(splits, on="id", how="left", maintain_order="left")
    for path, columns in ((layout.clean_ads, ["id", "clean_text", "title"]), (layout.ads, ["id", "group"])):
        table = table.join(read_table(path, columns=set(columns)), on="id", how="left", maintain_order="left")
        if len(table) != len(ids) or table[columns[1]].null_count():
            raise DataError(f"{path.name} and {layout.ids.name} are not of the same ads; {_AGAIN}")
    topics = read_json(layout.labels)
    titles = [title or "" for title in table["title"].to_list()]
    rows = Rows(
        vectors=tensors["vectors"].float(),
        labels=tensors["labels"].long(),
        splits=table["split"].fill_null("").to_list(),
        names=tuple(entry["label"] for entry in topics),
        encoder_fingerprint=fingerprint,
        extractor_fingerprint=_extractor_fingerprint(layout),
        titles=titles,
        texts=[join_title(title, text) for title, text in zip(titles, table["clean_text"], strict=True)],
        groups=table["group"].to_list(),
        crosscutting=tuple(row for row, entry in enumerate(topics) if entry.get("crosscutting")),
    )
    if not len(ids) == len(table) == len(rows.vectors) == len(rows.labels):
        raise DataError(
            f"{len(ids)} ids, {len(rows.vectors)} vectors and {len(rows.labels)} labels are not of the same "
            f"ads; {_AGAIN}"
        )
    if "" in rows.splits:
        raise DataError(f"{layout.splits} lacks {rows.splits.count('')} of {len(ids)} ads; {_AGAIN}")
    _check_labels(rows)
    return rows


def source_hash(layout: Layout) -> str | None:
    """SHA-256 over the source files that dvc.yaml lists for train; None where there is no such list."""
    import yaml

    if not layout.dvc_yaml.is_file():
        return None
    stages = yaml.safe_load(layout.dvc_yaml.read_text(encoding="utf-8"))["stages"]
    sources = sorted(path for path in stages["train"]["deps"] if path.endswith(".py"))
    found = [(path, layout.root / path) for path in sources if (layout.root / path).is_file()]
    return (
        content_hash(*(part for name, path in found for part in (name, file_hash(path)))) if found else None
    )


def _extractor_fingerprint(layout: Layout) -> str:
    counts = read_json(layout.clean_counts)
    found = counts.get("fingerprint") if isinstance(counts, dict) else None
    if not found or not isinstance(found, str):
        raise DataError(f"{layout.clean_counts} has no fingerprint of the extractor; {_AGAIN}")
    return found


def _check_labels(rows: Rows) -> None:
    classes = len(rows.names)
    if classes < 2:
        raise DataError(f"the ads have {classes} label {list(rows.names)}; a classifier needs at least two")
    low, high = int(rows.labels.min()), int(rows.labels.max())
    if low < 0 or high >= classes:
        raise DataError(f"labels run from {low} to {high}, labels.json has {classes}; {_AGAIN}")
    for split in ("train", "validation"):
        if split not in rows.splits:
            raise DataError(f"no ad is in the {split} split; change evaluation.split or add ads")
    sizes = torch.bincount(rows.labels[rows.where("train")], minlength=classes).tolist()
    empty = [name for name, size in zip(rows.names, sizes, strict=True) if size == 0]
    if empty:
        raise DataError(
            f"labels {empty} have no training ads; drop them from the taxonomy, raise data.min_class_size or "
            "add ads, then run `dvc repro` again"
        )
