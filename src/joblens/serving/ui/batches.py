"""Many adverts, a few at a time: groups that the API takes, and what became of each advert."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from joblens.serving.ui.answers import Model, Result
from joblens.serving.ui.client import Advert, Api, ApiProblem, Kind

MOST_ADS = 32
"""In one request. The API takes more, but then a person sees no progress, and the others wait."""
MOST_CHARACTERS = 200_000
"""In one request: below the API's body limit also where each character takes four bytes."""

_OF_ONE_ADVERT: frozenset[Kind] = frozenset({"too_large", "fields"})


@dataclass(frozen=True, slots=True)
class Refused:
    """An advert that the API does not take."""

    kind: Kind
    """`too_large` or `fields`."""


Outcome = Result | Refused


@dataclass(slots=True)
class Batch:
    """The adverts of one file, and what became of the first of them."""

    name: str
    adverts: list[Advert]
    outcomes: list[Outcome] = field(default_factory=list)
    """One for each advert that was sent, in their order."""
    model: Model | None = None
    """The model that answered last."""

    @property
    def is_done(self) -> bool:
        """Whether every advert was sent."""
        return len(self.outcomes) == len(self.adverts)

    @property
    def unsure(self) -> int:
        """How many a person should look at."""
        return sum(isinstance(outcome, Result) and outcome.abstained for outcome in self.outcomes)

    @property
    def refused(self) -> int:
        """How many the API did not take."""
        return sum(isinstance(outcome, Refused) for outcome in self.outcomes)

    def proceed(self, api: Api) -> Iterator[int]:
        """Send what is left, group by group; after each, how many are done.

        Stopped in between, it goes on from there the next time.

        Raises:
            ApiProblem: The API cannot be reached or refuses all adverts alike.
        """
        while not self.is_done:
            group = next(groups(self.adverts[len(self.outcomes) :]))
            self.outcomes += self._classified(api, group)
            yield len(self.outcomes)

    def _classified(self, api: Api, group: Sequence[Advert]) -> list[Outcome]:
        """The outcomes of a group; one that is refused is halved until the guilty advert stands alone."""
        try:
            answer = api.classify(group)
        except ApiProblem as problem:
            if problem.kind not in _OF_ONE_ADVERT:
                raise
            if len(group) == 1:
                return [Refused(problem.kind)]
            middle = len(group) // 2
            return self._classified(api, group[:middle]) + self._classified(api, group[middle:])
        self.model = answer.model
        return [*answer.results]


def groups(adverts: Sequence[Advert]) -> Iterator[Sequence[Advert]]:
    """The adverts in order, as many at a time as one request may hold; never none."""
    start = characters = 0
    for row, advert in enumerate(adverts):
        size = len(advert.title) + len(advert.text)
        if row > start and (row - start == MOST_ADS or characters + size > MOST_CHARACTERS):
            yield adverts[start:row]
            start, characters = row, 0
        characters += size
    if start < len(adverts):
        yield adverts[start:]
