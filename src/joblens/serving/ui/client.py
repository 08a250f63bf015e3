"""The API over HTTP: typed answers, and errors that a page can put into words."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from joblens.errors import JoblensError
from joblens.serving.ui.answers import Explanation, Extracted, Labels, ModelAnswer, Readable, Sorted, Stored

Kind = Literal[
    "unreachable",
    "slow",
    "key",
    "missing",
    "too_large",
    "fields",
    "busy",
    "not_ready",
    "failed",
    "unreadable",
]

KINDS: dict[int, Kind] = {
    401: "key",
    403: "key",
    404: "missing",
    405: "missing",
    413: "too_large",
    422: "fields",
    429: "busy",
    503: "not_ready",
}
"""What a status means to a person; any other than 200 is `failed`."""

LONGEST_PAUSE = 30.0
"""Seconds waited before a request is tried again, whatever the server asks for."""

_Read = TypeVar("_Read", bound=BaseModel)


class ApiProblem(JoblensError):
    """The API did not answer as asked."""

    def __init__(self, kind: Kind, detail: str = "") -> None:
        super().__init__(f"the API's answer: {kind}{detail and f' ({detail})'}")
        self.kind: Kind = kind
        self.detail = detail
        """The API's own line, in English; it repeats no advert."""


@dataclass(frozen=True, slots=True)
class Advert:
    """An advert to be sorted."""

    text: str
    title: str = ""
    id: str = ""
    """Empty when the file has no column of ids."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says of an advert."""

    id: str
    title: str
    text: str
    label: str
    guess: str
    model_version: str
    reviewer: str = ""


class Api:
    """One API, asked until it answers: a full queue and a loading model are waited for, within reason."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        patience: float = 60.0,
        timeout: float = 60.0,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is asked yet.

        Args:
            url: Where the API is, such as `http://127.0.0.1:8000`.
            key: Sent as `Authorization: Bearer`; None sends none.
            patience: Seconds of pauses in all, per call, before a busy server is a problem.
            timeout: Seconds that one answer may take.
            transport: What sends requests; None is the network.
            sleep: Pauses for so many seconds.
        """
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(
            base_url=url, headers=headers, timeout=timeout, transport=transport, trust_env=False
        )
        self._patience = patience
        self._sleep = sleep

    def __enter__(self) -> Self:
        """The client; leaving closes its connections."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._http.close()

    def classify(self, adverts: Sequence[Advert]) -> Sorted:
        """Sort adverts; one result for each, in their order.

        Raises:
            ApiProblem: The API cannot be reached, refuses, or answers something else.
        """
        ads = [{"title": advert.title, "text": advert.text} for advert in adverts]
        answer = self._ask(Sorted, "POST", "/classify", {"ads": ads})
        if len(answer.results) != len(ads):
            raise ApiProblem("unreadable", f"{len(answer.results)} results for {len(ads)} adverts")
        return answer

    def extract(self, advert: Advert) -> Readable:
        """The advert as the model reads it, with what it found. Raises as `classify`."""
        found = self._ask(Extracted, "POST", "/extract", {"title": advert.title, "text": advert.text}).results
        if len(found) != 1:
            raise ApiProblem("unreadable", f"{len(found)} results for 1 advert")
        return found[0]

    def explain(self, advert: Advert, most: int = 5) -> Explanation:
        """What speaks for the guess, and similar training adverts. Raises as `classify`."""
        body = {"title": advert.title, "text": advert.text, "most": most}
        return self._ask(Explanation, "POST", "/explain", body)

    def labels(self) -> list[str]:
        """The labels that the model knows, in its order. Raises as `classify`."""
        return [label.label for label in self._ask(Labels, "GET", "/labels").labels]

    def model(self) -> ModelAnswer:
        """The model's card. Raises as `classify`."""
        return self._ask(ModelAnswer, "GET", "/model")

    def correct(self, corrections: Sequence[Correction]) -> int:
        """Store what people said; how many were stored. Raises as `classify`, and at once: nobody waits."""
        body = {"corrections": [asdict(correction) for correction in corrections]}
        return self._ask(Stored, "POST", "/feedback", body, patience=0.0).stored

    def _ask(
        self, kind: type[_Read], method: str, path: str, body: Any = None, *, patience: float | None = None
    ) -> _Read:
        patience = self._patience if patience is None else patience
        waited = 0.0
        while True:
            response = self._send(method, path, body)
            pause = _pause(response)
            if pause is None or waited + pause > patience:
                break
            self._sleep(pause)
            waited += pause
        if response.status_code != 200:
            raise ApiProblem(KINDS.get(response.status_code, "failed"), _detail(response))
        try:
            return kind.model_validate_json(response.content)
        except ValidationError:  # its text repeats the answer
            raise ApiProblem("unreadable", f"{method} {path}") from None

    def _send(self, method: str, path: str, body: Any) -> httpx2.Response:
        try:
            return self._http.request(method, path, json=body)
        except httpx2.ConnectTimeout:
            raise ApiProblem("unreachable") from None
        except httpx2.TimeoutException:
            raise ApiProblem("slow") from None
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise ApiProblem("unreachable") from None


def _pause(response: httpx2.Response) -> float | None:
    """Seconds until it is worth asking again; None when the answer will stay what it is."""
    wanted = response.headers.get("Retry-After", "")
    if response.status_code == 429:
        return min(float(wanted), LONGEST_PAUSE) if wanted.isdecimal() else 1.0
    if response.status_code == 503 and wanted.isdecimal():  # without: nobody expects it to get better
        return min(float(wanted), LONGEST_PAUSE)
    return None


def _detail(response: httpx2.Response) -> str:
    """The API's line about a refusal; of several wrong fields, the first."""
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {response.status_code}"
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        return f"{detail[0].get('field', '')}: {detail[0].get('problem', '')}".strip(": ")
    return detail if isinstance(detail, str) else f"HTTP {response.status_code}"
