"""Train a GLiNER with the gliner library's trainer: per-example labels, like lengths together, resumable."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Sampler

from joblens.errors import DataError
from joblens.extractors.gliner_bundle import trainable
from joblens.extractors.gliner_chain import is_chain
from joblens.extractors.glossary import reading_of
from joblens.finetune.ner.examples import Example
from joblens.storage import read_json

if TYPE_CHECKING:
    from joblens.config import Phase

logger = logging.getLogger(__name__)

_MIXED = 40
"""Batches whose examples are sorted together: little padding, and no batch is the same in two epochs."""

TRAINER_STATE = "trainer_state.json"
"""What transformers writes last of a checkpoint."""

AfterEpoch = Callable[[int, float], None]
"""Called with the number of the epoch, from 1, and its mean training loss."""


class LengthSampler(Sampler[int]):
    """Rows of one epoch: drawn by weight, in batches of like length, batches in random order.

    Args:
        lengths: Words of each example.
        weights: How often each is drawn in an epoch; 0.25 is one epoch in four, in a fixed number of draws.
        batch_size: Examples in a batch.
        seed: Together with the number of the epoch it fixes the order.
    """

    def __init__(self, lengths: Sequence[int], weights: Sequence[float], batch_size: int, seed: int) -> None:
        self._lengths, self._batch_size, self._seed = lengths, batch_size, seed
        self._by_weight: dict[float, list[int]] = {}
        for row, weight in enumerate(weights):
            self._by_weight.setdefault(weight, []).append(row)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The trainer tells which epoch comes next, also after a resumed start."""
        self.epoch = epoch

    def __len__(self) -> int:
        return sum(round(weight * len(rows)) for weight, rows in self._by_weight.items())

    def __iter__(self) -> Iterator[int]:
        rng = Random(f"{self._seed}-{self.epoch}")
        drawn: list[int] = []
        for weight, rows in self._by_weight.items():
            whole, rest = divmod(round(weight * len(rows)), len(rows))
            drawn += rows * whole + rng.sample(rows, rest)
        rng.shuffle(drawn)
        batches: list[list[int]] = []
        for start in range(0, len(drawn), self._batch_size * _MIXED):
            part = sorted(
                drawn[start : start + self._batch_size * _MIXED], key=lambda row: self._lengths[row]
            )
            batches += [part[at : at + self._batch_size] for at in range(0, len(part), self._batch_size)]
        last = [batches.pop()] if batches and len(batches[-1]) < self._batch_size else []
        rng.shuffle(batches)
        yield from (row for batch in [*batches, *last] for row in batch)


def train_phase(
    model: Any,
    examples: Sequence[Example],
    weights: Sequence[float],
    phase: Phase,
    *,
    checkpoints: Path,
    device: torch.device,
    precision: str,
    seed: int,
    after_epoch: AfterEpoch,
) -> None:
    """Train in place; a run that was killed goes on after its last whole epoch.

    Args:
        model: From `networks.start`; what is trained is what `trainable` leaves free.
        examples: Training sentences.
        weights: How often each is drawn in an epoch.
        phase: Epochs, batch size and rates.
        checkpoints: Folder for the state after each epoch; made when missing.
        device: Where to train.
        precision: `bfloat16` for automatic mixed precision, else `float32`.
        seed: Fixes order, dropout and label order.
        after_epoch: Told about each epoch.
    """
    from gliner.training.trainer import Trainer
    from transformers import TrainerCallback

    trainable(model, first_layer=phase.first_layer)
    sampler = LengthSampler([len(e.words) for e in examples], weights, phase.batch_size, seed)

    class Report(TrainerCallback):
        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
            recent = losses[-max(1, len(losses) // max(1, round(state.epoch))) :]
            model.eval()
            after_epoch(round(state.epoch), sum(recent) / max(1, len(recent)))
            model.train()

    class SentenceTrainer(Trainer):  # type: ignore[misc]
        def _get_train_sampler(self, train_dataset: Any = None) -> LengthSampler:
            return sampler

        def create_optimizer(self, model: Any = None) -> Any:
            """Encoder layers at one rate, scorer and projections at another."""
            if getattr(self, "optimizer", None) is None:
                self.optimizer = _optimizer(self.model, self.args)
            return self.optimizer

    arguments = _arguments(phase, checkpoints, device, precision, seed)
    trainer = SentenceTrainer(
        model=model,
        args=arguments,
        train_dataset=_rows(examples, reading_of(model)),
        data_collator=LabelCollator(model, seed),
        processing_class=model.data_processor.transformer_tokenizer,
        callbacks=[Report()],
    )
    _drop_halves(checkpoints)
    started = any(checkpoints.glob("checkpoint-*"))
    if started:
        logger.info("going on after the last epoch kept in %s", checkpoints)
    trainer.train(resume_from_checkpoint=started or None)
    model.eval()


def _drop_halves(checkpoints: Path) -> None:
    """Remove what a kill left of an epoch that was being saved: the trainer writes its state last."""
    for folder in checkpoints.glob("checkpoint-*"):
        try:
            read_json(folder / TRAINER_STATE)
        except DataError:
            logger.info("%s is not whole, so it is left out", folder)
            shutil.rmtree(folder)


def _optimizer(model: Any, arguments: Any) -> Any:
    named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [w for n, w in named if "bert_layer" in n], "lr": arguments.learning_rate},
            {"params": [w for n, w in named if "bert_layer" not in n], "lr": arguments.others_lr},
        ],
        weight_decay=arguments.weight_decay,
        fused=True,
    )


def _arguments(phase: Phase, checkpoints: Path, device: torch.device, precision: str, seed: int) -> Any:
    from gliner.training.trainer import TrainingArguments

    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=phase.epochs,
        per_device_train_batch_size=phase.batch_size,
        learning_rate=phase.encoder_learning_rate,
        others_lr=phase.learning_rate,
        weight_decay=phase.weight_decay,
        lr_scheduler_type="linear",
        warmup_ratio=phase.warmup,
        max_grad_norm=10.0,
        save_strategy="epoch",
        save_total_limit=1,
        logging_steps=20,
        dataloader_num_workers=0,
        dataloader_pin_memory=device.type == "cuda",
        use_cpu=device.type == "cpu",
        bf16=precision == "bfloat16",
        report_to="none",
        seed=seed,
        disable_tqdm=False,
    )
    arguments.save_safetensors = True
    return arguments


class LabelCollator:
    """Batches in which every row has the labels of its own corpus, in random order.

    A label that nobody looked for in a corpus must not be trained as absent there.
    """

    def __init__(self, model: Any, seed: int) -> None:
        collator = type(model.create_collator())
        self._collate = collator(model.config, data_processor=model.data_processor, prepare_labels=True)
        self._is_chain = is_chain(model)
        self._rng = Random(seed)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        labels = [self._rng.sample(row["labels"], len(row["labels"])) for row in rows]
        batch: dict[str, Any] = self._collate(
            [{"tokenized_text": row["tokenized_text"], "ner": row["ner"]} for row in rows],
            entity_types=labels,
        )
        if not self._is_chain:  # gliner's own losses want labels of the words there are
            return batch
        for name in ("input_ids", "attention_mask", "token_type_ids", "words_mask"):
            if name in batch:
                batch[name] = _widen(batch[name], 16)  # (B, L)
        batch["labels"] = _widen(batch["labels"], 8)  # (B, W, C, 3)
        return batch


def _widen(tensor: torch.Tensor, multiple: int) -> torch.Tensor:
    """Zeros behind the second axis up to a multiple: few shapes, so that few kernels have to be prepared.

    oneDNN prepares one for every new shape, which on a CPU takes ten times as long as using it.
    """
    missing = -tensor.shape[1] % multiple
    return torch.nn.functional.pad(tensor, (0, 0) * (tensor.dim() - 2) + (0, missing))


def _rows(examples: Sequence[Example], read: Callable[[Sequence[str]], list[str]]) -> list[dict[str, Any]]:
    return [
        {
            "tokenized_text": read(example.words),
            "ner": [list(span) for span in example.spans],
            "labels": list(example.labels),
        }
        for example in examples
    ]
