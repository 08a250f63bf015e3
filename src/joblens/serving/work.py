"""What the model's thread does: rows of requests in, answers out, one for each."""

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from joblens.inference.classify import Classifier
from joblens.inference.explain import Explanation, explain
from joblens.inference.extract import Extract, extract
from joblens.inference.match import vectors_of
from joblens.records import CleanAd, Guess
from joblens.serving.schemas.adverts import ExplainQuestion, OneAd, Profile

if TYPE_CHECKING:
    from torch import Tensor

    from joblens.inference.neighbours import TrainingAds
    from joblens.serving.monitoring import Monitor

Answered = tuple[CleanAd, Guess]


class ModelWork:
    """The classifier's work on batches. Its methods are the kinds of work: each is batched by itself.

    Args:
        classifier: Loaded.
        monitor: Is told of every classified batch.
        training: Among them similar adverts are looked for; None names none.
    """

    def __init__(
        self, classifier: Classifier, monitor: "Monitor | None" = None, training: "TrainingAds | None" = None
    ) -> None:
        self.classifier = classifier
        self._monitor = monitor
        self._training = training

    def classify(self, ads: Sequence[OneAd]) -> list[Answered]:
        """Each advert as it was read, with its guess."""
        started = monotonic()
        found = self.classifier.answers([ad.text for ad in ads], [ad.title for ad in ads])
        if self._monitor is not None:
            self._monitor.answered(found.ads, found.guesses, found.vectors, monotonic() - started)
        return list(zip(found.ads, found.guesses, strict=True))

    def extract(self, ads: Sequence[OneAd]) -> list[Extract]:
        """Each advert redacted, with its entities."""
        return extract(self.classifier, [ad.text for ad in ads], [ad.title for ad in ads])

    def vectors(self, texts: Sequence[OneAd | Profile]) -> "list[Tensor]":
        """(D,) of each job text."""
        return list(
            vectors_of(self.classifier, [text.text for text in texts], [text.title for text in texts])
        )

    def explain(self, questions: Sequence[ExplainQuestion]) -> list[Explanation]:
        """What moved the guess of each advert.

        Raises:
            NothingToRead: An advert has no words, or none left after cleaning.
        """
        return [
            explain(self.classifier, question.title, question.text, question.most, training=self._training)
            for question in questions
        ]
