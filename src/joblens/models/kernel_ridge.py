"""Kernel ridge regression on a few landmarks: what adverts like this one are."""

import torch
from torch import Tensor, nn

_AT_ONCE = 4096
"""Vectors compared at once with all landmarks; bounds the memory."""


class KernelRidge(nn.Module):
    """(N, D) vectors to (N, C) scores: weighed sums of how near each landmark is.

    The kernel is Gaussian, exp(-gamma * squared distance). With fewer landmarks than training vectors this is
    the "subset of regressors" (Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006,
    section 8.3.1), with as many it is kernel ridge regression.
    """

    landmarks: Tensor
    gamma: Tensor

    def __init__(self, landmarks: int, width: int, classes: int) -> None:
        """Without content.

        Args:
            landmarks: M; with 0 all scores are 0.
            width: D.
            classes: C.
        """
        super().__init__()
        self.register_buffer("landmarks", torch.zeros(landmarks, width, dtype=torch.float16))
        self.register_buffer("gamma", torch.ones(()))
        self.weight = nn.Parameter(torch.zeros(landmarks, classes))

    @classmethod
    def fit(
        cls, vectors: Tensor, targets: Tensor, *, most: int, reach: float, ridge: float, seed: int
    ) -> "KernelRidge":
        """Least squares with a penalty, solved in float64.

        Args:
            vectors: (n, D) float32. Of those that are zeros nothing is learned.
            targets: (n, C), what to come near to.
            most: Landmarks to draw from the vectors; all of them when there are no more.
            reach: gamma, times the mean squared length of the vectors.
            ridge: Weight of the penalty, above 0.
            seed: Of the draw.
        """
        known = (vectors != 0).any(dim=1)
        vectors, targets = vectors[known], targets[known]
        order = torch.randperm(len(vectors), generator=torch.Generator().manual_seed(seed))
        model = cls(min(most, len(vectors)), vectors.shape[1], targets.shape[1])
        if len(model.landmarks) == 0:
            return model
        model.landmarks.copy_(vectors[order[:most].sort().values])
        model.gamma.fill_(reach / float(vectors.double().square().sum(dim=1).mean()))
        left = ridge * model._near(model.landmarks.float()).double()
        left += 1e-6 * torch.eye(len(left), dtype=torch.float64)
        right = left.new_zeros(len(left), targets.shape[1])
        for some, wanted in zip(torch.split(vectors, _AT_ONCE), torch.split(targets, _AT_ONCE), strict=True):
            seen = model._near(some).double()  # (n, M)
            left += seen.T @ seen
            right += seen.T @ wanted.double()
        with torch.no_grad():
            model.weight.copy_(torch.linalg.solve(left, right))
        return model

    def forward(self, vectors: Tensor) -> Tensor:
        """(N, D) to (N, C) scores; zeros for a vector of zeros, of which nothing is known."""
        known = (vectors != 0).any(dim=1, keepdim=True)
        found = [self._near(some) @ self.weight for some in torch.split(vectors, _AT_ONCE)]
        return torch.cat(found) * known

    def _near(self, vectors: Tensor) -> Tensor:
        """(N, D) to (N, M) values of the kernel."""
        landmarks = self.landmarks.float()
        squares = vectors.square().sum(dim=1, keepdim=True) + landmarks.square().sum(dim=1)
        return (-self.gamma * (squares - 2 * vectors @ landmarks.T).clamp_min(0)).exp()
