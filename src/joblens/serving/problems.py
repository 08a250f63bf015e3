"""What is wrong with a request, in words that never repeat what was sent: adverts may hold personal data."""

from collections.abc import Mapping, Sequence
from typing import Any

from joblens.errors import nearest
from joblens.serving.schemas.base import FieldProblem

MOST_PROBLEMS = 20

_ADVERTS = (("ads", "title", "text", "language"), "title and text, or ads")
_EXPECTED = {
    "/code": (("titles", "confidence", "nearest"), "titles, confidence and nearest"),
    "/explain": (("title", "text", "most"), "title, text and most"),
    "/match": (
        ("ads", "profiles", "cut_off", "top", "title", "text", "language"),
        "ads, profiles, cut_off and top, with a title and a text in each ad and profile",
    ),
    "/feedback": (
        ("corrections", "id", "title", "text", "label", "guess", "model_version", "reviewer"),
        "corrections, each with id, title, text, label, guess, model_version and reviewer",
    ),
}
"""The fields of each route's body, and what to say of them; the other routes take adverts."""
_FIELDS = frozenset(field for fields, _ in (_ADVERTS, *_EXPECTED.values()) for field in fields)
_SHAPES = ("one", "many")  # the tags of the union in `schemas.Question`


def field_problems(errors: Sequence[Mapping[str, Any]], route: str = "/classify") -> list[FieldProblem]:
    """Errors of pydantic as places and words, the first `MOST_PROBLEMS` of them.

    Args:
        errors: As pydantic lists them, with `type`, `loc` and `msg`; `input` is not looked at.
        route: The path of the route that was asked, such as `/code`, without any prefix of the server.
    """
    found = [_problem(error, *_EXPECTED.get(route, _ADVERTS)) for error in errors[:MOST_PROBLEMS]]
    left = len(errors) - len(found)
    return [*found, FieldProblem(field="", problem=f"and {left} more")] if left > 0 else found


def _problem(error: Mapping[str, Any], known: Sequence[str], wanted: str) -> FieldProblem:
    place = [part for part in error["loc"] if part != "body"]
    if place and place[0] in _SHAPES:
        place = place[1:]
    if error["type"] == "json_invalid":
        return FieldProblem(field="", problem=f"not JSON: {error['ctx']['error']} (character {place[-1]})")
    if error["type"] == "extra_forbidden":
        near = nearest(str(place[-1]), known)
        return FieldProblem(field=_spell(place[:-1]), problem=f"no such field{near}; expected {wanted}")
    if error["type"] in {"model_attributes_type", "model_type", "missing"} and not place:
        return FieldProblem(
            field="", problem="expected a JSON object, sent with Content-Type: application/json"
        )
    return FieldProblem(field=_spell(place), problem=error["msg"])


def _spell(place: Sequence[int | str]) -> str:
    """`ads.3.text`; a name that is not ours is the client's text, and is left out."""
    return ".".join(str(part) for part in place if isinstance(part, int) or part in _FIELDS)
