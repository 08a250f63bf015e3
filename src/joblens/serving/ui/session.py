"""What one visitor has on the table, and where the page finds its API."""

import os
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import streamlit as st

from joblens.errors import JoblensError
from joblens.serving.ui.answers import Explanation, Model, Readable, Result
from joblens.serving.ui.batches import Batch
from joblens.serving.ui.client import Advert, Api, ApiProblem
from joblens.serving.ui.reviewing import Review
from joblens.serving.ui.words import LANGUAGES, Language, Words

API_VARIABLE = "JOBLENS_UI_API"
LANGUAGE_VARIABLE = "JOBLENS_UI_LANGUAGE"
KEY_VARIABLE = "JOBLENS_UI_KEY_ENV"
"""Names the environment variable that holds the API key."""

SLOT = "joblens"


@dataclass(slots=True)
class Sight:
    """One advert with all that the API says of it."""

    advert: Advert
    result: Result
    model: Model
    readable: Readable | None = None
    explanation: Explanation | None = None


@dataclass(slots=True)
class Session:
    """One visitor's work; gone with the visit."""

    one: Sight | None = None
    batch: Batch | None = None
    review: Review | None = None
    seen: dict[int, Sight] = field(default_factory=dict)
    """Adverts of the batch that were looked at, by row."""
    labels: list[str] = field(default_factory=list)
    reviewer: str = ""

    def send_rest(self, api: Api) -> None:
        """Send the decisions that still wait, before the review that holds them is put away."""
        if self.review is not None and self.batch is not None:
            self.review.send(api, self.batch, now=monotonic(), all_of_them=True, reviewer=self.reviewer)

    def take(self, batch: Batch) -> None:
        """Put another file on the table; what was said of the last one is dropped with it."""
        self.batch, self.review, self.seen = batch, None, {}


def session() -> Session:
    """The work of whoever looks at this page."""
    state: Any = st.session_state
    if SLOT not in state:
        state[SLOT] = Session()
    found = state[SLOT]
    assert isinstance(found, Session)
    return found


def first_language() -> Language:
    """The language to begin with; English when the environment names none that the page speaks."""
    wanted = os.environ.get(LANGUAGE_VARIABLE, "en")
    return "da" if wanted == "da" else "en"


def language() -> Language:
    """The language the visitor has chosen."""
    chosen = st.session_state.get("language") or first_language()
    return "da" if chosen == "da" else "en"


def api() -> Api:
    """The API that the page was started for; connections are shared by all visitors."""
    key_variable = os.environ.get(KEY_VARIABLE, "JOBLENS_API_KEY")
    return _connect(os.environ.get(API_VARIABLE, "http://127.0.0.1:8000"), os.environ.get(key_variable))


@st.cache_resource(show_spinner=False)
def _connect(url: str, key: str | None) -> Api:
    return Api(url, key)


def tell(words: Words, problem: JoblensError) -> None:
    """Show a problem in words."""
    if isinstance(problem, ApiProblem):
        st.error(plain(words(f"problem_{problem.kind}", detail=problem.detail)), icon=":material/error:")
    else:
        st.error(plain(words("problem_file", detail=str(problem))), icon=":material/error:")


def plain(text: str) -> str:
    """Text that Streamlit's Markdown shows as it is."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+-!$:~|&" else letter for letter in text)


def look(api: Api, advert: Advert, result: Result, model: Model) -> Sight:
    """All that the API says of an advert; what it cannot say is left out."""
    sight = Sight(advert, result, model)
    try:
        sight.readable = api.extract(advert)
        if result.label:
            sight.explanation = api.explain(advert)
    except ApiProblem:  # the label stands without them
        pass
    return sight


__all__ = [
    "API_VARIABLE", "KEY_VARIABLE", "LANGUAGES", "LANGUAGE_VARIABLE", "Session", "Sight", "api",
    "first_language", "language", "look", "plain", "session", "tell",
]  # fmt: skip
