"""What the world's occupations say of a title: how likely each ISCO-08 group is, as features."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

UNLIKELY = 4e-4
"""Groups with a smaller probability count as impossible."""
_AT_ONCE = 4096
"""Titles compared at once with all occupations; bounds the memory."""


class OccupationGroups(nn.Module):
    """(N, D) vectors of titles to (N, G) square roots of group probabilities; nothing is learned here.

    The probability of a group is that of its occupations together, by a softmax over cosines with all of
    them, each level of ISCO-08 with its own temperature, as in `joblens.inference.code`. Square roots make
    the dot product of two adverts the Bhattacharyya coefficient of their distributions. What is below
    `UNLIKELY` becomes 0, so that training has little to read.
    """

    vectors: Tensor
    members: Tensor
    temperatures: Tensor

    def __init__(self, occupations: int, dimensions: int, groups: Sequence[int]) -> None:
        """Without content.

        Args:
            occupations: K.
            dimensions: D.
            groups: How many groups each level has; G is their sum.
        """
        super().__init__()
        self.groups = tuple(groups)
        self.register_buffer("vectors", torch.zeros(occupations, dimensions, dtype=torch.float16))
        self.register_buffer("members", torch.zeros(len(self.groups), occupations, dtype=torch.int32))
        self.register_buffer("temperatures", torch.ones(len(self.groups)))

    @property
    def width(self) -> int:
        """G, all groups of all levels."""
        return sum(self.groups)

    def forward(self, titles: Tensor) -> Tensor:
        """(N, D) L2-normalised, or zeros where there is no title, to (N, G) float32; zeros stay zeros."""
        known = (titles != 0).any(dim=1, keepdim=True)
        parts = [self._levels(part) for part in torch.split(titles, _AT_ONCE)]
        return (torch.cat(parts) if parts else titles.new_zeros(0, self.width)) * known

    def _levels(self, titles: Tensor) -> Tensor:
        similarities = titles @ self.vectors.float().T  # (n, K)
        found = []
        for size, members, temperature in zip(self.groups, self.members, self.temperatures, strict=True):
            likely = (similarities / temperature).softmax(dim=1)  # (n, K)
            sums = likely.new_zeros(len(titles), size).index_add_(1, members.long(), likely)
            found.append(torch.where(sums > UNLIKELY, sums, 0.0).sqrt())
        return torch.cat(found, dim=1)
