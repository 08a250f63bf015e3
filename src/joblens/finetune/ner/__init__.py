"""Flow `ner`: a GLiNER for job text, trained, measured, and written as a bundle with its card."""

from __future__ import annotations

import json
import logging
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblens.config import Cleaning, NerFlow, Phase
from joblens.device import choose_device
from joblens.errors import DataError
from joblens.extractors import build_extractor
from joblens.extractors.gliner_bundle import FORMAT
from joblens.extractors.glossary import RULES
from joblens.finetune.ner.card import write_card
from joblens.finetune.ner.corpora import texts_of, training_examples
from joblens.finetune.ner.evaluation import RATES, as_table, by_language, choose_threshold
from joblens.finetune.ner.examples import Example
from joblens.finetune.ner.networks import identity, start
from joblens.finetune.ner.training import train_phase
from joblens.finetune.ner.word_list import read_word_list
from joblens.storage import content_hash, lock, replace_folder
from joblens.tracking import build_tracker

if TYPE_CHECKING:
    import torch

    from joblens.extractors.glossary import WordList
    from joblens.paths import Layout
    from joblens.records import Entity, LabelledText
    from joblens.tracking import Tracker

logger = logging.getLogger(__name__)

_NO_METRIC = re.compile(r"[^A-Za-z0-9._/-]+")
"""What the name of a metric may not hold, and names of corpora do."""


def run(flow: NerFlow, layout: Layout, data: Path) -> dict[str, Any]:
    """Train the phases, choose thresholds, measure, and replace the bundle at `flow.output`.

    A run that was killed goes on after its last whole epoch, kept below `layout.cache`.

    Args:
        flow: What to train from, on what, and how.
        layout: The project.
        data: Folder that the corpora's paths are relative to.

    Returns:
        The figures of the card: tables of `validation` and `cross_validation`, thresholds, seconds.

    Raises:
        DataError: A corpus is missing or of another format.
        ModelError: The base is missing, or is not the expected one.
        DeviceError: `compute.device` is `gpu` and there is none.
        StorageError: Another run is writing, or the disk is full; the bundle that was there stays.
    """
    device = choose_device(flow.compute.device)
    words = None if flow.glossary is None else read_word_list(flow.glossary, layout.root)
    settings = flow.model_dump_json(exclude={"compute", "tracking"})
    decisive = [str(FORMAT), str(RULES), identity(flow, layout.root), settings]
    if words is not None:
        decisive.append(json.dumps(words.as_json()))
    kept = layout.cache / "finetune" / content_hash(*decisive)[:16]
    tracker = build_tracker(flow, layout, "finetune ner")
    try:
        with lock(layout.locks / "finetune-ner.lock"):
            figures = _Training(flow, words, layout, data, device, kept, tracker).run()
    finally:
        tracker.finish()
    shutil.rmtree(kept, ignore_errors=True)
    return figures


class _Training:
    """What the steps of one run share."""

    def __init__(
        self,
        flow: NerFlow,
        words: WordList | None,
        layout: Layout,
        data: Path,
        device: torch.device,
        kept: Path,
        tracker: Tracker,
    ) -> None:
        self._flow, self._data, self._device, self._kept, self._tracker = flow, data, device, kept, tracker
        self._output = layout.root / flow.output
        self._network = start(flow, words, layout.root)
        self._model = self._network.model.to(device)
        self._steps = 0
        self._validation = {
            corpus.name: (corpus, texts_of(corpus, data, flow.seed + 1)) for corpus in flow.validation
        }

    def run(self) -> dict[str, Any]:
        started = time.monotonic()
        for number, phase in enumerate(self._flow.phases[:-1], start=1):
            self._train(phase, *self._examples(phase), f"phase-{number}")
        folds = self._cross_validate()
        last = self._flow.phases[-1]
        self._train(last, *self._examples(last), f"phase-{len(self._flow.phases)}")
        thresholds = self._choose_thresholds()
        seconds = round(time.monotonic() - started)
        with replace_folder(self._output) as folder:
            self._network.save(folder, thresholds)
            figures = {
                "seconds": seconds,
                "base": self._network.base,
                "glossary": self._network.words,
                "device": self._device.type,
                "thresholds": thresholds,
                "validation": self._measure(folder),
                "cross_validation": folds,
            }
            write_card(folder, self._flow, figures)
        return figures

    def _examples(self, phase: Phase) -> tuple[list[Example], list[float]]:
        most = min(self._flow.max_words, int(self._model.config.max_len))
        return training_examples(phase.corpora, self._data, most_words=most, seed=self._flow.seed)

    def _train(self, phase: Phase, examples: Sequence[Example], weights: Sequence[float], name: str) -> None:
        before = self._steps

        def after_epoch(epoch: int, loss: float) -> None:
            self._steps = before + epoch
            scores = self._quick_scores() if not name.startswith("fold") else {}
            f1 = {key.removesuffix("/f1"): value for key, value in scores.items() if key.endswith("/f1")}
            logger.info("%s, epoch %d of %d: loss %.2f, F1 %s", name, epoch, phase.epochs, loss, f1)
            self._tracker.log({f"{name}/loss": loss, **scores}, step=self._steps)

        train_phase(
            self._model,
            examples,
            weights,
            phase,
            checkpoints=self._kept / name,
            device=self._device,
            precision=self._flow.precision,
            seed=self._flow.seed,
            after_epoch=after_epoch,
        )

    def _cross_validate(self) -> dict[str, Any] | None:
        """Train the last phase once per part of a corpus, and measure on the part left out."""
        plan = self._flow.cross_validation
        if plan is None:
            return None
        import torch

        phase = self._flow.phases[-1]
        corpus = next(corpus for corpus in phase.corpora if corpus.name == plan.corpus)
        texts = texts_of(corpus, self._data, self._flow.seed)
        parts = _parts([text.group for text in texts], plan.folds)
        examples, weights = self._examples(phase)
        before = {name: tensor.clone() for name, tensor in self._model.model.state_dict().items()}
        marked: list[LabelledText] = []
        found: list[list[Entity]] = []
        for number in range(plan.folds):
            out = {text.group for text, part in zip(texts, parts, strict=True) if part == number}
            rows = [
                row
                for row, example in enumerate(examples)
                if example.corpus != plan.corpus or example.group not in out
            ]
            self._train(
                phase, [examples[row] for row in rows], [weights[row] for row in rows], f"fold-{number + 1}"
            )
            held = [text for text, part in zip(texts, parts, strict=True) if part == number]
            marked += held
            found += self._extract(self._choose_thresholds(), [text.text for text in held])
            with torch.no_grad():
                self._model.model.load_state_dict(before)
        labels = plan.labels
        return {
            "corpus": plan.corpus,
            "folds": plan.folds,
            "texts": len(marked),
            "table": as_table(marked, found, labels),
        }

    def _choose_thresholds(self) -> dict[str, float]:
        """The best threshold of each label where validation corpora mark it; 0.5 for labels none marks."""
        candidates = self._flow.thresholds
        lowest = dict.fromkeys(self._flow.labels, candidates[0])
        chosen = dict.fromkeys(self._flow.labels, 0.5)
        everything = list(self._validation.values())
        found = [self._extract(lowest, [text.text for text in texts]) for _, texts in everything]
        for label in self._flow.labels:
            gold = [t.entities for c, texts in everything if label in c.labels for t in texts]
            guesses = [
                g for (c, _), spans in zip(everything, found, strict=True) if label in c.labels for g in spans
            ]
            if any(entity.label == label for spans in gold for entity in spans):
                chosen[label], _ = choose_threshold(
                    [[e for e in spans if e.label == label] for spans in gold],
                    [[e for e in spans if e.label == label] for spans in guesses],
                    candidates,
                    least_precision=self._flow.least_precision.get(label),
                )
        return chosen

    def _extract(self, thresholds: dict[str, float], texts: Sequence[str]) -> list[list[Entity]]:
        """What the cleaner finds once it is a bundle with these thresholds."""
        with replace_folder(self._kept / "candidate") as folder:
            self._network.save(folder, thresholds)
        return self._read(self._kept / "candidate", texts)

    def _read(self, folder: Path, texts: Sequence[str]) -> list[list[Entity]]:
        cleaning = Cleaning(extractor="gliner", model=str(folder), keep=self._flow.labels, drop=())
        return build_extractor(cleaning, self._flow.compute).extract(texts)

    def _measure(self, folder: Path) -> dict[str, Any]:
        tables = {}
        for name, (corpus, texts) in self._validation.items():
            found = self._read(folder, [text.text for text in texts])
            tables[name] = {
                "language": ", ".join(corpus.languages) if corpus.kind == "personal" else corpus.language,
                "texts": len(texts),
                "table": as_table(texts, found, corpus.labels),
                "languages": by_language(texts, found, corpus.labels),
            }
        return tables

    def _quick_scores(self) -> dict[str, float]:
        """Scores of each validation corpus at a threshold of 0.4, by label and language, for the curves."""
        scores: dict[str, float] = {}
        for name, (corpus, texts) in self._validation.items():
            found = self._extract(dict.fromkeys(self._flow.labels, 0.4), [text.text for text in texts])
            tables = {name: as_table(texts, found, corpus.labels)}
            tables |= {
                f"{name}/{language}": rows
                for language, rows in by_language(texts, found, corpus.labels).items()
            }
            for place, rows in tables.items():
                for row in rows:
                    curve = _NO_METRIC.sub("-", f"{place}/{row['label']}")
                    scores |= {f"{curve}/{rate}": row[rate] for rate in RATES}
        return scores


def _parts(groups: Sequence[str], folds: int) -> list[int]:
    """The part of each text; texts of a group share one, groups take turns in their order.

    Raises:
        DataError: There are fewer groups than parts.
    """
    order = {group: at for at, group in enumerate(dict.fromkeys(groups))}
    if len(order) < folds:
        raise DataError(f"{len(order)} groups cannot make {folds} folds; use fewer folds")
    return [order[group] % folds for group in groups]
