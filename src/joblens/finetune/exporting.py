"""A cleaner for a faster runtime, accepted only where it finds what torch finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from joblens.config import Cleaning, Compute
from joblens.device import track
from joblens.errors import DataError, ModelError, nearest
from joblens.extractors.gliner import build, open_model
from joblens.extractors.gliner_bundle import fingerprint, is_bundle
from joblens.extractors.gliner_exported import (
    AGREEMENT,
    BACKENDS,
    check_installed,
    hashes_of,
    open_network,
)
from joblens.extractors.gliner_files import locate
from joblens.sources.spans import read_spans
from joblens.storage import replace_folder, write_json
from joblens.text import sentences

if TYPE_CHECKING:
    from rich.table import Table

    from joblens.extractors import Extractor

SENTENCES = 600
"""Distinct sentences on which the two are compared."""

CHUNK = 50
"""Sentences that torch and the backend read in turn, so that other work on the machine slows both alike."""

SMALLEST = {"onnx": 0.999, "openvino": 0.999, "openvino_bf16": 0.98, "onnx_int8": 0.97}
"""Least agreement (F1 of spans with their label) by backend.

`onnx` and `openvino` do torch's arithmetic in another order: only a score within rounding of its threshold
may fall on the other side, less than one span in a thousand. Bfloat16 keeps eight bits of each factor with a
scale of its own, `onnx_int8` eight bits with a scale they share; scores change in the second decimal, and
spans near their threshold come and go.
"""

BATCH = 16


@dataclass(frozen=True, slots=True)
class Agreement:
    """What torch and a backend find in the same sentences."""

    backend: str
    sentences: int
    torch: Counter[str]
    """Entities that torch finds, by label."""
    other: Counter[str]
    """Entities that the backend finds."""
    both: Counter[str]
    """Entities that both find: the same span and label."""
    torch_seconds: float
    other_seconds: float

    def f1(self, label: str | None = None) -> float:
        """2 * both / (torch + backend), in [0, 1], of a label or of all; 1 where neither finds any."""
        torch, other, both = (
            found.total() if label is None else found[label] for found in (self.torch, self.other, self.both)
        )
        return 2 * both / (torch + other) if torch + other else 1.0


def export(cleaning: Cleaning, texts: Sequence[str], output: Path | None = None) -> Agreement:
    """Write the cleaner of `cleaning.model` for `cleaning.backend`, unless it disagrees with torch.

    Args:
        cleaning: Model, backend, labels, thresholds and window.
        texts: Sentences on which they are compared.
        output: The folder to write; None takes the backend's in the cleaner, where cleaning looks for it.

    Returns:
        The agreement; `agreement.json` in the folder holds it too.

    Raises:
        ModelError: There is no such backend, a package is missing, the model is no cleaner of joblens, torch
            finds nothing to compare, or they agree too little. Nothing is written then, and what was exported
            before stays.
        DeviceError: The processor does not multiply in the backend's numbers, so nothing can be compared.
        StorageError: The disk is full or refuses.
    """
    backend = cleaning.backend
    if backend not in BACKENDS:
        close = nearest(backend, BACKENDS)
        raise ModelError(f"there is no backend {backend!r}{close}; export to one of {', '.join(BACKENDS)}")
    check_installed(backend, "onnx")
    folder = locate(cleaning.model or "", cleaning.revision)
    if not is_bundle(folder):
        raise ModelError(f"{folder} is no cleaner of joblens; export one that `joblens finetune ner` wrote")
    from joblens.extractors.gliner_export import write_network

    model, thresholds, _ = open_model(cleaning)
    compute = Compute(device="cpu", workers=1, encode_batch_size=BATCH)
    in_torch = build(model, thresholds, "", cleaning.model_copy(update={"backend": "torch"}), compute)
    with replace_folder(output or folder / backend) as temporary:
        write_network(model, list(thresholds), backend, temporary)
        network = open_network(temporary, backend)
        other = build(model, thresholds, "", cleaning, compute, network)
        found = compare(backend, in_torch, other, texts)
        if not found.torch:
            raise ModelError(
                f"the cleaner finds no entity in {len(texts)} sentences, so nothing can be compared; "
                "train it further, or ask for other labels"
            )
        if found.f1() < SMALLEST[backend]:
            raise ModelError(
                f"{backend} agrees with torch on {found.f1():.4f} of the entities (F1), expected at least "
                f"{SMALLEST[backend]}; nothing was written, keep cleaning.backend=torch"
            )
        report = as_report(found) | {
            "fingerprint": fingerprint(folder),
            "labels": list(thresholds),
            "files": hashes_of(temporary, backend),
        }
        write_json(temporary / AGREEMENT, report)
    return found


def compare(backend: str, in_torch: Extractor, other: Extractor, texts: Sequence[str]) -> Agreement:
    """Read the sentences by both in turn, and count what each finds and what both do."""
    counts: tuple[Counter[str], Counter[str], Counter[str]] = (Counter(), Counter(), Counter())
    seconds = [0.0, 0.0]
    chunks = [texts[first : first + CHUNK] for first in range(0, len(texts), CHUNK)]
    for chunk in track(
        chunks, len(chunks), f"compare {backend} with torch", unit="sentences", sizes=list(map(len, chunks))
    ):
        found: list[set[tuple[int, int, int, str]]] = []
        for number, extractor in enumerate((in_torch, other)):
            started = perf_counter()
            read = extractor.extract(chunk)
            seconds[number] += perf_counter() - started
            found.append({(row, e.start, e.end, e.label) for row, spans in enumerate(read) for e in spans})
        for counted, spans in zip(counts, (*found, found[0] & found[1]), strict=True):
            counted.update(label for *_, label in spans)
    return Agreement(backend, len(texts), *counts, *seconds)


def as_report(found: Agreement) -> dict[str, object]:
    """The agreement for `agreement.json`; seconds are left out, they say more about the machine."""
    return {
        "backend": found.backend,
        "sentences": found.sentences,
        "entities": {
            "torch": found.torch.total(),
            found.backend: found.other.total(),
            "both": found.both.total(),
        },
        "agreement": round(found.f1(), 6),
        "smallest_accepted": SMALLEST[found.backend],
    }


def agreement_table(found: Agreement) -> Table:
    """A row per label and one for all, with the sentences per second of each below."""
    from rich.table import Table

    torch_rate = found.sentences / max(found.torch_seconds, 1e-9)
    other_rate = found.sentences / max(found.other_seconds, 1e-9)
    table = Table(
        "label", "torch", found.backend, "both", "F1",
        caption=f"{found.sentences} sentences; torch {torch_rate:.1f} sentences/s, {found.backend} "
        f"{other_rate:.1f} sentences/s, {other_rate / torch_rate:.2f} times as fast",
    )  # fmt: skip
    for label in sorted({*found.torch, *found.other}):
        counts = (found.torch[label], found.other[label], found.both[label])
        table.add_row(label, *(f"{count:,}" for count in counts), f"{found.f1(label):.4f}")
    totals = (found.torch.total(), found.other.total(), found.both.total())
    table.add_row("all", *(f"{count:,}" for count in totals), f"{found.f1():.4f}")
    return table


def sentences_of(file: Path, most: int = SENTENCES) -> list[str]:
    """Distinct sentences of a file of the sample's kind, taken evenly from its first to its last.

    Raises:
        DataError: The file is missing, is of another format, or has no sentence.
    """
    found: dict[str, None] = {}
    for labelled in read_spans(file, kind="sample", language="en"):
        for start, end in sentences(labelled.text):
            found.setdefault(labelled.text[start:end])
    if not found:
        raise DataError(f"{file} has no sentences to compare on; make the sample with `joblens sample`")
    return evenly(list(found), most)


def evenly(texts: Sequence[str], most: int = SENTENCES) -> list[str]:
    """At most so many of the texts, taken evenly from the first to the last."""
    count = min(most, len(texts))
    return [texts[number * len(texts) // count] for number in range(count)]
