"""The wide-and-deep classifier: four experts and the label texts, weighed for each advert by a fusion.

* `wide` reads the n-grams of title and text as one: what is said, letter by letter.
* `title` reads the title alone: its n-grams, its vector, and the occupations it resembles.
* `deep` reads vectors: of the whole text, of the title, of the text's words, and the occupations.
* `kernel` reads the same vectors and asks which training adverts are near: what no plane can part.
* `labels` compares vectors with those of the label texts; it knows labels without a single advert.

It needs torch, scikit-learn and SciPy: serving
does not import what training needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from joblens.models.kernel_ridge import KernelRidge
from joblens.models.ngrams import NgramBlock, SparseLinear, ngram_counts
from joblens.models.occupation_groups import OccupationGroups

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

EXPERTS = ("wide", "title", "deep", "kernel", "labels")
TITLE_SCALE = 1.5
"""Length of the title's vector in front of `title`; the n-grams beside it have length √2."""
OCCUPATION_SCALE = 0.5
"""The occupations have length 2: one for each level of ISCO-08, square roots of probabilities."""
KERNEL_TITLE_SCALE = 0.7
"""Length of the title's vector in front of `kernel`; the other sides have length 1."""
KERNEL_SCALE = 2.0
"""Ridge regression comes less near to its targets than a margin does."""
LABEL_SCALE = 4.0
"""Cosines with label texts differ by tenths, scores of the other experts by ones."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """N cleaned adverts as a classifier reads them."""

    vectors: Tensor
    """(N, D) float32, the encoder's sides one behind the other."""
    titles: Sequence[str]
    texts: Sequence[str]
    """Title and clean text as one string."""

    def __len__(self) -> int:
        return len(self.titles)

    def rows(self, chosen: Tensor) -> "Inputs":
        """Some of the adverts: (n,) row numbers."""
        places = chosen.tolist()
        return Inputs(
            self.vectors[chosen], [self.titles[row] for row in places], [self.texts[row] for row in places]
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """All that decides which tensors a network has."""

    sides: tuple[int, ...]
    """Widths of the encoder's sides: text, then title, then the text's words, as far as there are any."""
    classes: int
    buckets: int
    """Of each half of the n-grams."""
    text_ngrams: int
    """How many buckets count in texts."""
    title_ngrams: int
    """How many buckets count in titles."""
    occupations: int = 0
    """0: occupations are not compared with."""
    groups: tuple[int, ...] = ()
    """Groups of each level of ISCO-08."""
    landmarks: int = 0
    """Training adverts that `kernel` compares with; 0: it says nothing."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the experts of N adverts read."""

    text_ngrams: "csr_matrix"
    """(N, 2 * buckets) counts."""
    title_ngrams: "csr_matrix"
    sides: tuple[Tensor, ...]
    """(N, D) each, L2-normalised or zeros."""
    occupations: Tensor
    """(N, G), or (N, 0)."""
    gates: Tensor
    """(N, 2) float32: 1 where the title, or the text, is missing."""

    def rows(self, chosen: Tensor) -> "Features":
        """Some of the adverts: (n,) row numbers."""
        places = chosen.numpy()
        return Features(
            self.text_ngrams[places],
            self.title_ngrams[places],
            tuple(side[chosen] for side in self.sides),
            self.occupations[chosen],
            self.gates[chosen],
        )

    def without(self, part: str) -> "Features":
        """The same adverts as if they had no `title`, or no `text` beyond it."""
        is_title = part == "title"
        keep = [(place == 1) != is_title for place in range(len(self.sides))]
        gates = self.gates.clone()
        gates[:, 0 if is_title else 1] = 1
        return Features(
            self.text_ngrams if is_title else type(self.text_ngrams)(self.text_ngrams.shape),
            type(self.title_ngrams)(self.title_ngrams.shape) if is_title else self.title_ngrams,
            tuple(side * kept for side, kept in zip(self.sides, keep, strict=True)),
            self.occupations * (not is_title),
            gates,
        )

    @property
    def title_dense(self) -> Tensor:
        """What `title` reads beside n-grams: (N, D of the title side + G)."""
        sides = [TITLE_SCALE * self.sides[1]] if len(self.sides) > 1 else []
        return torch.cat([*sides, OCCUPATION_SCALE * self.occupations], dim=1)

    @property
    def deep(self) -> Tensor:
        """What `deep` reads: (N, all sides + G)."""
        return torch.cat([*self.sides, OCCUPATION_SCALE * self.occupations], dim=1)

    @property
    def kernel(self) -> Tensor:
        """What `kernel` reads: (N, all sides + G)."""
        scales = [KERNEL_TITLE_SCALE if place == 1 else 1.0 for place in range(len(self.sides))]
        sides = [scale * side for scale, side in zip(scales, self.sides, strict=True)]
        return torch.cat([*sides, OCCUPATION_SCALE * self.occupations], dim=1)


class Fusion(nn.Module):
    """How much each expert is trusted, for each advert and label.

    logit = bias + sum over experts of exp(trust + gates · gate weights) * exp(trust in the label) * score.
    At the start all experts are equals.
    """

    def __init__(self, classes: int, experts: int = len(EXPERTS), gates: int = 2) -> None:
        super().__init__()
        self.shape = (experts, classes)
        self.trust = nn.Parameter(torch.zeros(experts))
        self.gate = nn.Parameter(torch.zeros(gates, experts))
        self.label_trust = nn.Parameter(torch.zeros(experts, classes))
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, flat: Tensor) -> Tensor:
        """(B, E * C + gates) scores of the experts, then gates, to (B, C) logits."""
        experts, classes = self.shape
        scores = flat[:, : experts * classes].reshape(-1, experts, classes)  # (B, E, C)
        trust = (self.trust + flat[:, experts * classes :] @ self.gate).exp()  # (B, E)
        logits: Tensor = (trust.unsqueeze(2) * self.label_trust.exp() * scores).sum(dim=1) + self.bias
        return logits


class Blank(nn.Linear):
    """A linear layer that begins with zeros: making one draws no random numbers, and its width may be 0."""

    def reset_parameters(self) -> None:
        """All weights 0."""
        for parameter in self.parameters():
            nn.init.zeros_(parameter)


class WideDeep(nn.Module):
    """Cleaned adverts to logits; see the module. Nothing in it is trained by gradient but the fusion."""

    label_vectors: Tensor

    def __init__(self, shape: Shape) -> None:
        """A network of this shape, without content."""
        super().__init__()
        self.shape = shape
        classes = shape.classes
        self.text_block = NgramBlock(shape.text_ngrams)
        self.title_block = NgramBlock(shape.title_ngrams)
        self.occupations = (
            OccupationGroups(shape.occupations, shape.sides[1], shape.groups) if shape.occupations else None
        )
        groups = sum(shape.groups)
        title = shape.sides[1] if len(shape.sides) > 1 else 0
        self.wide = SparseLinear(shape.text_ngrams, classes)
        self.title_ngrams = SparseLinear(shape.title_ngrams, classes)
        self.title_dense = Blank(title + groups, classes, bias=False)
        self.deep = Blank(sum(shape.sides) + groups, classes)
        self.kernel = KernelRidge(shape.landmarks, sum(shape.sides) + groups, classes)
        self.wide_bias = nn.Parameter(torch.zeros(classes))
        self.title_bias = nn.Parameter(torch.zeros(classes))
        self.register_buffer("label_vectors", torch.zeros(classes, sum(shape.sides)))
        self.fusion = Fusion(classes)

    def forward(self, inputs: Inputs) -> Tensor:
        """N adverts to (N, C) logits."""
        features = read_features(inputs, self.shape.sides, self.shape.buckets, self.occupations)
        logits: Tensor = self.fusion(flat(self.scores(features), features.gates))
        return logits

    def fault(self) -> str | None:
        """What is wrong with numbers that were read from a file; None when nothing is."""
        for name, block in (("text_block", self.text_block), ("title_block", self.title_block)):
            buckets = block.buckets.long()
            if len(buckets) and (
                bool((buckets.diff() <= 0).any())
                or int(buckets[0]) < 0
                or int(buckets[-1]) >= 2 * self.shape.buckets
            ):
                return f"{name}.buckets should rise within [0, {2 * self.shape.buckets})"
        if self.occupations is not None:
            sizes = torch.tensor(self.shape.groups).unsqueeze(1)
            members = self.occupations.members
            if bool((members < 0).any()) or bool((members >= sizes).any()):
                return "occupations.members names a group that is not there"
            if bool((self.occupations.temperatures <= 0).any()):
                return "occupations.temperatures should be above 0"
        if float(self.kernel.gamma) <= 0:
            return "kernel.gamma should be above 0"
        return None

    def scores(self, features: Features) -> Tensor:
        """What each expert says: (N, E, C), in the order of `EXPERTS`."""
        text = self.text_block.weigh(features.text_ngrams)
        title = self.title_block.weigh(features.title_ngrams)
        by_label = label_scores(
            features.sides, torch.split(self.label_vectors, list(self.shape.sides), dim=1)
        )
        return torch.stack(
            [
                self.wide(text) + self.wide_bias,
                self.title_ngrams(title) + self.title_dense(features.title_dense) + self.title_bias,
                self.deep(features.deep),
                KERNEL_SCALE * self.kernel(features.kernel),
                by_label,
            ],
            dim=1,
        )


def logits_of(network: nn.Module, inputs: Inputs) -> Tensor:
    """(N, C) logits of a trained network, whichever kind it is, without gradients."""
    with torch.inference_mode():
        logits: Tensor = network(inputs) if isinstance(network, WideDeep) else network(inputs.vectors)
    return logits.clone()  # an inference tensor cannot be used outside


def read_features(
    inputs: Inputs, sides: Sequence[int], buckets: int, occupations: OccupationGroups | None
) -> Features:
    """What the experts read of N adverts."""
    titles = [title.strip() for title in inputs.titles]
    bodies = ["" if text.strip() == title else text for text, title in zip(inputs.texts, titles, strict=True)]
    missing = [(not title, not body.strip()) for title, body in zip(titles, bodies, strict=True)]
    gates = torch.tensor(missing, dtype=torch.float32).reshape(len(missing), 2)
    parts = [normalize(side, dim=1) for side in torch.split(inputs.vectors, list(sides), dim=1)]
    has_body = 1 - gates[:, 1:]
    parts = [part if place == 1 else part * has_body for place, part in enumerate(parts)]
    return Features(
        ngram_counts(bodies, buckets),
        ngram_counts(titles, buckets),
        tuple(parts),
        inputs.vectors.new_zeros(len(inputs), 0) if occupations is None else occupations(parts[1]),
        gates,
    )


def label_scores(sides: Sequence[Tensor], label_sides: Sequence[Tensor]) -> Tensor:
    """Mean cosine of each side with that of the label texts, centred over labels: (N, C)."""
    cosines = torch.stack(
        [side @ normalize(label, dim=1).T for side, label in zip(sides, label_sides, strict=True)]
    ).mean(dim=0)
    return LABEL_SCALE * (cosines - cosines.mean(dim=1, keepdim=True))


def flat(scores: Tensor, gates: Tensor) -> Tensor:
    """What `Fusion` reads: (N, E, C) scores and (N, G) gates as (N, E * C + G)."""
    return torch.cat([scores.flatten(1), gates], dim=1)
