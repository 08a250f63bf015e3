"""The review queue: doubtful adverts one at a time, and decisions that wait a moment before they are sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from joblens.serving.ui.answers import Result
from joblens.serving.ui.batches import Batch, Outcome
from joblens.serving.ui.client import Api, ApiProblem, Correction

MOST_CORRECTIONS = 128
"""In one request."""

UNDO_SECONDS = 8.0
"""How long a decision can be taken back."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided of one advert."""

    row: int
    """Of the batch, from 0."""
    label: str
    at: float
    """Seconds of a clock that only goes forward."""


@dataclass(slots=True)
class Review:
    """One pass through the doubtful adverts of a batch."""

    order: list[int]
    """Rows of the batch, the most doubtful first."""
    place: int = 0
    """Which of them is on the table; `len(order)` when none is left."""
    waiting: list[Decision] = field(default_factory=list)
    """Decisions that are not sent yet, the newest last."""
    sent: dict[int, str] = field(default_factory=dict)
    """Labels that were stored, by row."""
    problem: ApiProblem | None = None
    """Why the last attempt to send failed."""

    @property
    def row(self) -> int | None:
        """The advert on the table; None at the end."""
        return self.order[self.place] if self.place < len(self.order) else None

    @property
    def decided(self) -> int:
        """How many adverts have a decision, sent or not."""
        return len({*self.sent, *(decision.row for decision in self.waiting)})

    def decide(self, label: str, now: float) -> None:
        """Give the advert on the table a label and go on to the next."""
        if self.row is None:
            return
        self.waiting.append(Decision(self.row, label, now))
        self.place += 1

    def skip(self) -> None:
        """Leave the advert on the table to somebody else."""
        self.place = min(self.place + 1, len(self.order))

    def undo(self) -> None:
        """Take the newest decision back, unless it was sent, and put its advert on the table again."""
        if self.waiting:
            self.place = self.order.index(self.waiting.pop().row)

    def send(
        self, api: Api, batch: Batch, *, now: float, all_of_them: bool = False, reviewer: str = ""
    ) -> None:
        """Send the decisions that can no longer be taken back; those that cannot be sent stay and wait.

        The newest one may be taken back until it is `UNDO_SECONDS` old.
        """
        newest = len(self.waiting) - 1
        due = [
            decision
            for place, decision in enumerate(self.waiting)
            if all_of_them or place < newest or now - decision.at >= UNDO_SECONDS
        ]
        if not due:
            return
        self.problem = None
        for start in range(0, len(due), MOST_CORRECTIONS):
            self._send(api, batch, due[start : start + MOST_CORRECTIONS], reviewer)

    def _send(self, api: Api, batch: Batch, group: Sequence[Decision], reviewer: str) -> None:
        """Send some; when the API does not like one of them, each alone and without its id."""
        try:
            api.correct([_correction(batch, decision, reviewer) for decision in group])
            self._keep(group)
        except ApiProblem as problem:
            self.problem = problem
            if problem.kind != "fields":
                return
            self.problem = None
            for decision in group:
                self._send_nameless(api, batch, decision, reviewer)

    def _send_nameless(self, api: Api, batch: Batch, decision: Decision, reviewer: str) -> None:
        """An id that looks like personal data is refused; the label still counts without it."""
        try:
            api.correct([replace(_correction(batch, decision, reviewer), id="")])
            self._keep([decision])
        except ApiProblem as problem:
            self.problem = problem

    def _keep(self, group: Sequence[Decision]) -> None:
        """Note that these were stored."""
        self.sent |= {decision.row: decision.label for decision in group}
        self.waiting = [decision for decision in self.waiting if decision not in group]


def doubtful(outcomes: Sequence[Outcome], *, all_of_them: bool = False) -> list[int]:
    """Rows in the order that a person should look at them: left to a person first, then the least likely.

    Args:
        outcomes: Of a batch.
        all_of_them: Also those the model is sure of. They are there as well when it is sure of all.
    """
    read = [(row, outcome) for row, outcome in enumerate(outcomes) if isinstance(outcome, Result)]
    chosen = [(row, result) for row, result in read if result.abstained]
    if all_of_them or not chosen:
        chosen = read
    return [row for row, _ in sorted(chosen, key=lambda pair: (not pair[1].abstained, pair[1].probability))]


def decisions(review: Review, batch: Batch) -> list[dict[str, object]]:
    """Every decision as a row for a file, sent or not."""
    made = [(row, label, True) for row, label in review.sent.items()]
    made += [(decision.row, decision.label, False) for decision in review.waiting]
    rows: list[dict[str, object]] = []
    for row, label, is_sent in sorted(made):
        advert, outcome = batch.adverts[row], batch.outcomes[row]
        guess = outcome.label if isinstance(outcome, Result) else ""
        rows.append(
            {"row": row + 1, "id": advert.id, "title": advert.title, "label": label, "guess": guess,
             "sent": is_sent}
        )  # fmt: skip
    return rows


def _correction(batch: Batch, decision: Decision, reviewer: str) -> Correction:
    advert, outcome = batch.adverts[decision.row], batch.outcomes[decision.row]
    return Correction(
        id=advert.id,
        title=advert.title,
        text=advert.text,
        label=decision.label,
        guess=outcome.label if isinstance(outcome, Result) else "",
        model_version=batch.model.version if batch.model else "",
        reviewer=reviewer,
    )
