"""Train the table: pairs of a batch against each other, measured on occupations nobody trained on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from joblens.device import track
from joblens.errors import DataError
from joblens.finetune.titles.concepts import spelling
from joblens.metrics import mean_reciprocal_rank

if TYPE_CHECKING:
    from joblens.config import TitlesFlow
    from joblens.finetune.titles.concepts import Concept
    from joblens.finetune.titles.network import TitleNetwork
    from joblens.finetune.titles.pairs import Batch, Pairs

logger = logging.getLogger(__name__)

_WARM_UP = 50  # steps in which the rate rises
_NARROW = (3, 4)  # digits of the groups that mean much the same as their occupations
_NEAREST = 30  # concepts that count as alike
_TITLES_OF_A_CONCEPT = 2  # labels of each language that stand for it when neighbours are looked for
_AT_ONCE = 4096


def contrastive_loss(first: Tensor, second: Tensor, same: Tensor, temperature: float) -> Tensor:
    """Multiple-negatives ranking in both directions: each title finds its partner among those of the batch.

    van den Oord et al., "Representation learning with contrastive predictive coding", 2018 (InfoNCE);
    Henderson et al., "Efficient natural language response suggestion", 2017.

    Args:
        first: (B, D), L2-normalised.
        second: (B, D), L2-normalised; row i is the partner of row i.
        same: (B, B) bool: pairs that are no negatives of each other.
        temperature: Cosines are divided by it.

    Returns:
        The mean cross-entropy, a scalar.
    """
    scores = first @ second.T / temperature  # (B, B)
    others = ~torch.eye(len(first), dtype=torch.bool, device=first.device)
    scores = scores.masked_fill(same & others, -1e4)
    partners = torch.arange(len(first), device=first.device)
    return (functional.cross_entropy(scores, partners) + functional.cross_entropy(scores.T, partners)) / 2


def alike(batch: Batch) -> Tensor:
    """Which pairs of a batch are no negatives of each other: (B, B) bool, symmetric.

    Those of one concept; those with a title that the other's concept has, too; and those of a minor or unit
    group of ISCO-08 with its occupations: "Mechanical engineers" is the name of a group, and "mechanical
    engineer" one of its occupations.
    """
    keys = torch.tensor(batch.keys)
    same = keys.unsqueeze(1) == keys.unsqueeze(0)
    for place, others in enumerate(batch.meanings):
        for key in others:
            same[place, keys == key] = True
            same[keys == key, place] = True
    members: dict[str, list[int]] = {}
    for place, code in enumerate(batch.codes):
        for digits in _NARROW:
            if len(code) >= digits:
                members.setdefault(code[:digits], []).append(place)
    for place, (code, is_group) in enumerate(zip(batch.codes, batch.are_groups, strict=True)):
        if is_group and len(code) in _NARROW:
            same[place, members[code]] = True
            same[members[code], place] = True
    return same


class Validation:
    """How well titles nobody trained on find their synonyms among the labels of all concepts.

    They are the last labels of concepts that are not trained on, and of concepts whose other labels are.
    """

    def __init__(
        self,
        concepts: Sequence[Concept],
        held_out: set[str],
        unseen: Collection[tuple[str, str]] = (),
        trained: Collection[str] = (),
    ) -> None:
        """One query for each concept held out and language that has two labels, and for each unseen label.

        Args:
            concepts: All of them, with all their labels.
            held_out: Keys of concepts that are not trained on.
            unseen: Key and language of concepts whose last label is not trained on.
            trained: Spellings that are trained on elsewhere, in another language or concept: no queries.

        Raises:
            DataError: No query is left.
        """
        self._languages = []
        for language in sorted({language for concept in concepts for language in concept.labels}):
            queries, wanted, labels, owners = [], [], [], []
            for place, concept in enumerate(concepts):
                known = concept.labels.get(language, [])
                is_query = concept.key in held_out or (concept.key, language) in unseen
                if is_query and len(known) > 1 and spelling(known[-1]) not in trained:
                    queries.append(known[-1])
                    wanted.append(place)
                    known = known[:-1]
                labels += known
                owners += [place] * len(known)
            if queries:
                self._languages.append((queries, torch.tensor(wanted), labels, torch.tensor(owners)))
        if not self._languages:
            raise DataError(
                f"none of {len(held_out)} concepts held out has two labels of one language, the last of them "
                "trained on nowhere, to stop early by; raise `held_out`, or add sources of labels"
            )

    @property
    def queries(self) -> int:
        """How many titles are looked up."""
        return sum(len(queries) for queries, *_ in self._languages)

    def score(self, network: TitleNetwork) -> float:
        """The mean reciprocal rank over all queries, each within its language."""
        ranks = []
        for queries, wanted, labels, owners in self._languages:
            scores = embed(network, queries) @ embed(network, labels).T  # (Q, L)
            is_right = owners.unsqueeze(0) == wanted.unsqueeze(1)
            best = scores.masked_fill(~is_right, -2.0).max(dim=1).values
            # What is as good as the right one counts against it, or a table of zeros would be perfect.
            ranks.append(1 + ((scores >= best.unsqueeze(1)) & ~is_right).sum(dim=1))
        return mean_reciprocal_rank(torch.cat(ranks))


def embed(network: TitleNetwork, titles: Sequence[str]) -> Tensor:
    """Vectors (N, D) on the CPU, without gradients."""
    with torch.inference_mode():
        return torch.cat(
            [network(titles[start : start + _AT_ONCE]).cpu() for start in range(0, len(titles), _AT_ONCE)]
        )


def train(
    network: TitleNetwork,
    pairs: Pairs,
    validation: Validation,
    flow: TitlesFlow,
    after: Callable[[int, float, float], None],
) -> tuple[Tensor, int, float]:
    """Train until the score on the concepts held out stops rising.

    Args:
        network: What is trained, on its device.
        pairs: Draws the batches.
        validation: The concepts held out.
        flow: Steps, rates and patience.
        after: Called with the step, the mean loss since the last call, and the score.

    Returns:
        The best table (buckets, D) on the CPU, the step it was reached at, and its score.
    """
    optimiser = torch.optim.Adam(network.parameters(), lr=flow.learning_rate, betas=(0.9, 0.99), fused=True)
    best, best_step, best_score, worse = network.table.detach().cpu().clone(), 0, validation.score(network), 0
    after(0, 0.0, best_score)
    losses: list[float] = []
    for step in track(range(1, flow.steps + 1), flow.steps, "training"):
        rate = min(1.0, step / _WARM_UP) * (1 - (step - 1) / flow.steps)
        for group in optimiser.param_groups:
            group["lr"] = flow.learning_rate * rate
        losses.append(_step(network, optimiser, pairs.batch(flow.batch_size), flow.temperature))
        if step % flow.validate_every and step != flow.steps:
            continue
        score = validation.score(network)
        after(step, sum(losses) / len(losses), score)
        losses = []
        if score > best_score:
            best, best_step, best_score, worse = network.table.detach().cpu().clone(), step, score, 0
        else:
            worse += 1
            if worse == flow.patience:
                logger.info(
                    "stopped at step %d of %d: no better score for %d measurements", step, flow.steps, worse
                )
                break
        if flow.hard:
            pairs.use_neighbours(neighbours(network, pairs.concepts))
    return best, best_step, best_score


def neighbours(network: TitleNetwork, concepts: Sequence[Concept]) -> list[list[int]]:
    """For each concept the places of those whose labels look most alike, the most alike first."""
    titles, owners = [], []
    for place, concept in enumerate(concepts):
        for labels in concept.labels.values():
            titles += labels[:_TITLES_OF_A_CONCEPT]
            owners += [place] * len(labels[:_TITLES_OF_A_CONCEPT])
    sums = torch.zeros(len(concepts), network.shape.dimensions)
    sums.index_add_(0, torch.tensor(owners), embed(network, titles))
    centres = functional.normalize(sums, dim=1)
    scores = centres @ centres.T
    scores.fill_diagonal_(-2.0)
    found: list[list[int]] = scores.topk(min(_NEAREST, len(concepts) - 1), dim=1).indices.tolist()
    return found


def _step(network: TitleNetwork, optimiser: torch.optim.Optimizer, batch: Batch, temperature: float) -> float:
    vectors = network([*batch.first, *batch.second])
    first, second = vectors[: len(batch.first)], vectors[len(batch.first) :]
    loss = contrastive_loss(first, second, alike(batch).to(vectors.device), temperature)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return float(loss.detach())
