"""Job titles → ISCO-08 codes and ESCO occupations, as precisely as the title allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from joblens.config import Section
from joblens.encoders.title_features import has_words
from joblens.encoders.titles import TitleEncoder, read_arrays
from joblens.errors import DataError, ModelError, wrong_value
from joblens.records import Coding, Occupation
from joblens.storage import read_json

INDEX = "occupations.safetensors"
NAMES = "occupations.json"
DIGITS = (1, 2, 3, 4)
"""The levels of ISCO-08: major, sub-major, minor and unit groups."""


class NamedOccupation(Section):
    """An occupation of ESCO that titles are coded with."""

    uri: str
    name: str
    code: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    """ISCO-08."""


class Names(Section):
    """What `occupations.json` holds."""

    occupations: Annotated[tuple[NamedOccupation, ...], Field(min_length=1)]
    groups: dict[str, str]
    """Names of ISCO-08's groups by code."""
    temperatures: Annotated[
        tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...], Field(min_length=4, max_length=4)
    ]
    """Of each of `DIGITS`."""


@dataclass(frozen=True, slots=True)
class Level:
    """The groups of one level, and what turns similarities into their probabilities."""

    groups: tuple[str, ...]
    """G codes, sorted."""
    members: NDArray[np.int64]
    """(K,) the group of each of the K occupations."""
    temperature: float
    """Similarities are divided by this before the softmax."""


class TitleCoder:
    """The nearest occupations of a title, and the most precise ISCO group that is sure enough.

    A group is as likely as its occupations together, by a softmax over all similarities.
    Each of the four levels has its own temperature, fitted to titles of vacancies (Guo et al., "On
    calibration of modern neural networks", 2017).
    """

    def __init__(self, encoder: TitleEncoder, vectors: NDArray[np.float32], names: Names) -> None:
        """Put the parts together; `load` reads them from a folder.

        Args:
            encoder: Turns titles into vectors.
            vectors: (K, D) one L2-normalised vector per occupation.
            names: K occupations, and the names and temperatures of groups.
        """
        self.encoder = encoder
        self.vectors = vectors
        self.names = names
        codes = [row.code for row in names.occupations]
        self.levels = [
            level_of(codes, digits, temperature)
            for digits, temperature in zip(DIGITS, names.temperatures, strict=True)
        ]

    @classmethod
    def load(cls, folder: Path) -> TitleCoder:
        """Read what `joblens finetune titles` wrote.

        Raises:
            ModelError: A file is missing, damaged, or of another release.
        """
        encoder = TitleEncoder.load(folder)
        if not (folder / NAMES).is_file():
            raise ModelError(f"{folder} has no {NAMES}; train it with `joblens finetune titles`")
        arrays = read_arrays(folder / INDEX)
        try:
            names = Names.model_validate(read_json(folder / NAMES))
        except ValidationError as error:
            raise ModelError(
                f"{folder / NAMES} is damaged ({wrong_value(error)}); get the model's files again"
            ) from error
        shape = (len(names.occupations), encoder.dimensions)
        codes = arrays.get("codes")
        if codes is None or codes.shape != shape or codes.dtype != np.int8:
            found = "no codes" if codes is None else f"codes of shape {codes.shape} and type {codes.dtype}"
            raise ModelError(
                f"{folder / INDEX} has {found}, expected {shape} and int8; get the model's files again"
            )
        vectors = codes.astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return cls(encoder, vectors, names)

    def similarities(self, titles: Sequence[str]) -> NDArray[np.float32]:
        """Cosines (N, K) of N titles with the K occupations."""
        found: NDArray[np.float32] = self.encoder.vectors(titles) @ self.vectors.T
        return found

    def code(self, titles: Sequence[str], *, confidence: float = 0.5, nearest: int = 3) -> list[Coding]:
        """Code titles in the order they are given.

        Args:
            titles: Any language the encoder knows, in any spelling; one without words gets no code.
            confidence: The least calibrated probability a code must have; the longest such code is taken.
            nearest: How many occupations to name.

        Raises:
            DataError: `confidence` is not between 0 and 1, or `nearest` is less than 1.
        """
        if not 0 <= confidence <= 1:
            raise DataError(f"confidence is {confidence}, expected a number from 0 to 1")
        if nearest < 1:
            raise DataError(f"nearest is {nearest}, expected at least 1")
        found: list[Coding] = []
        for start in range(0, len(titles), 1024):
            part = titles[start : start + 1024]
            similarities = self.similarities(part)
            levels = [group_probabilities(similarities, level) for level in self.levels]
            found += [
                self._coding(title, similarities[row], [level[row] for level in levels], confidence, nearest)
                for row, title in enumerate(part)
            ]
        return found

    def _coding(
        self,
        title: str,
        similarities: NDArray[np.float32],
        probabilities: list[NDArray[np.float64]],
        confidence: float,
        nearest: int,
    ) -> Coding:
        if not has_words(title):
            return Coding("", "", 0.0, (), ())
        levels = []
        for level, found in zip(self.levels, probabilities, strict=True):
            best = int(found.argmax())
            levels.append((level.groups[best], float(found[best])))
        code, probability = "", levels[0][1]
        for group, sure in levels:
            if sure >= confidence:
                code, probability = group, sure
        order = np.argsort(-similarities, kind="stable")[:nearest]
        return Coding(
            code=code,
            name=self.names.groups.get(code, ""),
            probability=probability,
            levels=tuple(levels),
            occupations=tuple(
                Occupation(row.uri, row.name, row.code, float(similarities[place]))
                for place, row in ((k, self.names.occupations[k]) for k in order)
            ),
        )


def level_of(codes: Sequence[str], digits: int, temperature: float) -> Level:
    """The groups of one level that occupations with these four-digit codes belong to."""
    groups = tuple(sorted({code[:digits] for code in codes}))
    place = {group: number for number, group in enumerate(groups)}
    return Level(groups, np.array([place[code[:digits]] for code in codes]), temperature)


def group_probabilities(similarities: NDArray[np.float32], level: Level) -> NDArray[np.float64]:
    """How likely each group of a level is, given the similarities with all occupations.

    Args:
        similarities: (N, K) cosines.
        level: The level's groups, members and temperature.

    Returns:
        (N, G) probabilities; each row sums to 1.
    """
    scores = similarities.astype(np.float64) / level.temperature
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    sums = np.zeros((len(scores), len(level.groups)))
    order = np.argsort(level.members, kind="stable")
    starts = np.searchsorted(level.members[order], np.arange(len(level.groups)))
    sums[:] = np.add.reduceat(weights[:, order], starts, axis=1)
    probabilities: NDArray[np.float64] = np.minimum(sums / sums.sum(axis=1, keepdims=True), 1.0)
    return probabilities
