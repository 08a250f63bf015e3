"""Train the wide-and-deep classifier: experts on folds, the fusion on what they say of unseen adverts."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from joblens.config import Classifier
from joblens.errors import DataError
from joblens.models.occupation_groups import OccupationGroups
from joblens.models.wide_deep import EXPERTS, Features, Fusion, Inputs, WideDeep, flat, read_features
from joblens.pipeline.split import assign_parts
from joblens.pipeline.train.experts import fit_experts
from joblens.pipeline.train.fit import Epoch, Fitted, OnEpoch, chosen_epoch, fit_network

logger = logging.getLogger(__name__)

PARTS = ("title", "text")
"""What modality dropout takes away."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known before any advert is read."""

    sides: tuple[int, ...]
    """Widths of the encoder's sides."""
    label_vectors: Tensor
    """(C, all sides) of the label texts."""
    occupations: OccupationGroups | None
    """ESCO's occupations; None without a title side."""


def fit_wide_deep(
    inputs: Inputs,
    labels: Tensor,
    groups: list[str],
    train_rows: Tensor,
    validation_rows: Tensor,
    knowledge: Knowledge,
    config: Classifier,
    device: torch.device,
    on_epoch: OnEpoch | None = None,
) -> Fitted:
    """Fit experts and fusion; equal rows, configuration and seed give equal networks.

    Training and validation adverts are dealt into `inner_folds` folds, near-duplicates together. Experts
    fitted to the other folds say what they think of each fold. On these answers the fusion is trained: first
    with those of training rows, watched by those of validation rows, to learn for how many epochs; then, for
    as many, with all of them. The experts are fitted once more to all these adverts, so none is lost. For the
    calibration, adverts of a fold are judged by a fusion that was trained without that fold.

    Args:
        inputs: N adverts.
        labels: (N,) class indices.
        groups: N groups of near-duplicates.
        train_rows: (n,) row numbers to learn from.
        validation_rows: (m,) row numbers that say for how many epochs the fusion learns.
        knowledge: Of encoder, labels and occupations.
        config: The section of the configuration.
        device: Where the fusion is trained.
        on_epoch: Called after each epoch of the fusion that is watched.

    Returns:
        The network, and logits of all these rows, each from experts and a fusion that were not fitted to the
        row. The fusion read what experts of other folds, which were, say of other rows.

    Raises:
        DataError: There is no row to train or validate on, or the loss is no longer finite.
    """
    rows = torch.cat([train_rows, validation_rows])
    learned, classes = labels[rows], len(knowledge.label_vectors)
    sides, occupations = knowledge.sides, knowledge.occupations
    features = read_features(inputs.rows(rows), sides, config.buckets, occupations)

    def fitted(chosen: Tensor) -> WideDeep:
        some = features.rows(chosen)
        return fit_experts(
            some, learned[chosen], classes, sides, knowledge.label_vectors, occupations, config
        )

    parts = _inner_folds(learned, [groups[row] for row in rows.tolist()], config)
    answers = _unseen_answers(features, parts, classes, fitted)
    fusion, logits = _fuse(answers, learned, parts, len(train_rows), classes, config, device, on_epoch)
    network = fitted(torch.arange(len(rows)))
    network.fusion.load_state_dict(fusion.state_dict())
    return Fitted(network.eval().requires_grad_(False), rows, logits)


def _fuse(
    answers: dict[str, Tensor],
    labels: Tensor,
    parts: Tensor,
    count: int,
    classes: int,
    config: Classifier,
    device: torch.device,
    on_epoch: OnEpoch | None,
) -> tuple[nn.Module, Tensor]:
    """A fusion that has learned from all n adverts, and (n, C) logits by others that had not seen the advert.

    The first `count` adverts are the training rows.
    """
    flats, origins = _with_dropped(answers, config)
    epochs: list[Epoch] = []

    def fused(chosen: Tensor, held: Tensor, how: Classifier, told: OnEpoch | None = None) -> nn.Module:
        return fit_network(
            lambda: Fusion(classes), flats, labels[origins], chosen, held, classes, how, device, told
        )

    def note(epoch: Epoch) -> None:
        epochs.append(epoch)
        if on_epoch is not None:
            on_epoch(epoch)

    places = torch.arange(len(origins))
    fused(places[origins < count], torch.arange(count, len(labels)), config, note)
    settled = config.model_copy(update={"patience": None, "max_epochs": chosen_epoch(epochs, config).number})
    logits = torch.zeros(len(labels), classes)
    for part in sorted(set(parts.tolist())):
        judged, others = (parts == part).nonzero().squeeze(1), places[parts[origins] != part]
        if len(others) == 0:
            raise DataError(
                f"all {len(labels)} ads to learn from are near-duplicates of each other; add others"
            )
        judge = fused(others, judged, settled)
        with torch.inference_mode():
            logits[judged] = judge(answers[""][judged])
    return fused(places, places, settled), logits


def _inner_folds(labels: Tensor, groups: list[str], config: Classifier) -> Tensor:
    """The fold of each of n adverts: (n,)."""
    shares = [1 / config.inner_folds] * config.inner_folds
    return torch.tensor(assign_parts([str(label) for label in labels.tolist()], groups, shares, config.seed))


def _unseen_answers(
    features: Features, parts: Tensor, classes: int, fitted: Callable[[Tensor], WideDeep]
) -> dict[str, Tensor]:
    """What experts say of adverts they were not fitted to: (n, E * C + gates), whole, and without a part."""
    width = len(EXPERTS) * classes + features.gates.shape[1]
    found = {name: torch.zeros(len(parts), width) for name in ("", *PARTS)}
    for part in sorted(set(parts.tolist())):
        held = (parts == part).nonzero().squeeze(1)
        network = fitted((parts != part).nonzero().squeeze(1))
        asked = features.rows(held)
        for name, into in found.items():
            shown = asked.without(name) if name else asked
            with torch.inference_mode():
                into[held] = flat(network.scores(shown), shown.gates)
        logger.info("experts of fold %d: %d adverts asked", part, len(held))
    return found


def _with_dropped(answers: dict[str, Tensor], config: Classifier) -> tuple[Tensor, Tensor]:
    """What the fusion is shown: all answers, then some as if adverts had no title, or no text.

    Returns:
        (N, E * C + gates), and (N,) which advert each is of.
    """
    generator = torch.Generator().manual_seed(config.seed)
    flats, origins = [answers[""]], [torch.arange(len(answers[""]))]
    for name in PARTS:
        is_dropped = torch.rand(len(answers[""]), generator=generator) < config.modality_dropout / len(PARTS)
        origins.append(is_dropped.nonzero().squeeze(1))
        flats.append(answers[name][origins[-1]])
    return torch.cat(flats), torch.cat(origins)
