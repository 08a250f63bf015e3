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
from joblens.pipeline.train.fit import Fitted, OnEpoch, fit_network

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
    fitted to the other folds say what they think of each fold. On these answers the fusion is trained, with
    those of training rows, and watched, with those of validation rows. In the end the experts are fitted once
    more, to all these adverts, so none is lost. For the calibration, training rows of a fold are judged by a
    fusion that was trained without that fold.

    Args:
        inputs: N adverts.
        labels: (N,) class indices.
        groups: N groups of near-duplicates.
        train_rows: (n,) row numbers to learn from.
        validation_rows: (m,) row numbers that the fusion does not learn from.
        knowledge: Of encoder, labels and occupations.
        config: The section of the configuration.
        device: Where the fusion is trained.
        on_epoch: Called after each epoch of the fusion.

    Returns:
        The network, and logits of all these rows, each from experts and a fusion that had not seen the row.

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
    shown = _with_dropped(answers, len(train_rows), config)
    flats, targets = shown.flats, learned[shown.origins]
    held = torch.arange(len(train_rows), len(rows))

    def fused(chosen: Tensor, told: OnEpoch | None = None) -> nn.Module:
        return fit_network(
            lambda: Fusion(classes), flats, targets, chosen, held, classes, config, device, told
        )

    fusion = fused(shown.train_rows, on_epoch)
    with torch.inference_mode():
        watched = fusion(answers[""][held])
    logits = torch.cat([_unseen_logits(answers[""], parts, shown, len(train_rows), fused), watched])
    network = fitted(torch.arange(len(rows)))
    network.fusion.load_state_dict(fusion.state_dict())
    return Fitted(network.eval().requires_grad_(False), rows, logits)


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


def _unseen_logits(
    answers: Tensor, parts: Tensor, shown: "_Shown", count: int, fused: Callable[[Tensor], nn.Module]
) -> Tensor:
    """Logits (n, C) of the first `count` adverts, each fold by a fusion that was trained without it."""
    found: dict[int, Tensor] = {}
    for part in sorted(set(parts[:count].tolist())):
        others = shown.train_rows[parts[shown.origins[shown.train_rows]] != part]
        if len(others) == 0:
            raise DataError(f"all {count} training ads are near-duplicates of each other; add others")
        judge = fused(others)
        judged = (parts[:count] == part).nonzero().squeeze(1)
        with torch.inference_mode():
            found.update(zip(judged.tolist(), judge(answers[judged]), strict=True))
    return torch.stack([found[row] for row in range(count)])


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the fusion is shown: N answers, some of them of the same adverts."""

    flats: Tensor
    """(N, E * C + gates)."""
    origins: Tensor
    """(N,) which advert each is of."""
    train_rows: Tensor
    """Row numbers of the answers to train on."""


def _with_dropped(answers: dict[str, Tensor], count: int, config: Classifier) -> _Shown:
    """All answers, then those of a share of the first `count` adverts without their title or their text."""
    generator = torch.Generator().manual_seed(config.seed)
    flats, origins = [answers[""]], [torch.arange(len(answers[""]))]
    for name in PARTS:
        is_dropped = torch.rand(count, generator=generator) < config.modality_dropout / len(PARTS)
        origins.append(is_dropped.nonzero().squeeze(1))
        flats.append(answers[name][origins[-1]])
    every = torch.cat(origins)
    return _Shown(torch.cat(flats), every, (every < count).nonzero().squeeze(1))
