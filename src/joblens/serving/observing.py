"""Where every answered advert passes by: what watches the service hooks in here, and nowhere else."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.records import CleanAd, Guess


class Observer(Protocol):
    """Watches the adverts that `POST /classify` answers.

    It is called in the model's thread between two batches, so it must be quick, and it must not raise.
    """

    def answered(
        self, ads: "Sequence[CleanAd]", guesses: "Sequence[Guess]", vectors: "Tensor", seconds: float
    ) -> None:
        """A batch was answered.

        Args:
            ads: N adverts after cleaning; how much was read and removed. Their text is nobody's to keep.
            guesses: N guesses.
            vectors: (n, D) float32 of the n <= N adverts that had words, in their order.
            seconds: What cleaning and guessing took.
        """
        ...
