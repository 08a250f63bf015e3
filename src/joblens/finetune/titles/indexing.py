"""The occupations that titles are coded with: one vector each, their codes, and how sure a code is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from joblens.encoders.titles import TitleEncoder, quantised
from joblens.errors import DataError
from joblens.finetune.titles.concepts import Vocabulary
from joblens.finetune.titles.pairs import GROUP
from joblens.inference.code import (
    DIGITS,
    INDEX,
    NAMES,
    NamedOccupation,
    Names,
    TitleCoder,
    group_probabilities,
    level_of,
)
from joblens.storage import write_json, write_tensors

_OCCUPATION = "/occupation/"
_UNIT_GROUP = re.compile(r"[0-9]{4}")
_LOWEST, _HIGHEST = 0.01, 0.3  # temperatures


def write_index(folder: Path, encoder: TitleEncoder, vocabulary: Vocabulary) -> dict[str, Any]:
    """Write one vector per ESCO occupation, the mean of its labels in all languages, and the names of groups.

    Returns:
        How many occupations there are.

    Raises:
        DataError: No concept is an occupation with a code of four digits and an English name.
    """
    kept = [
        concept
        for concept in vocabulary.concepts.values()
        if _OCCUPATION in concept.key and _UNIT_GROUP.match(concept.code) and concept.name
    ]
    if not kept:
        raise DataError(
            "no source has occupations with ISCO codes; add ESCO's to configs/finetune/titles.yaml"
        )
    labels, owners = [], []
    for place, concept in enumerate(kept):
        for found in concept.labels.values():
            labels += found
            owners += [place] * len(found)
    sums = np.zeros((len(kept), encoder.dimensions), np.float32)
    np.add.at(sums, owners, encoder.vectors(labels))
    codes, scales = quantised(sums / np.linalg.norm(sums, axis=1, keepdims=True))
    write_tensors(folder / INDEX, {"codes": torch.from_numpy(codes), "scales": torch.from_numpy(scales)})
    groups = {c.code: c.name for c in vocabulary.concepts.values() if GROUP in c.key and c.code and c.name}
    names = Names(
        occupations=tuple(NamedOccupation(uri=c.key, name=c.name, code=c.code[:4]) for c in kept),
        groups=dict(sorted(groups.items())),
        temperatures=(0.05,) * len(DIGITS),
    )
    write_json(folder / NAMES, names.model_dump(mode="json"))
    return {"occupations": len(kept)}


def calibrate(folder: Path, titles: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Fit the temperature of each level to titles whose occupation is known, and write them into the index.

    Args:
        folder: With an index.
        titles: Titles nobody trained on, with the URI of their occupation; other keys are left out.

    Returns:
        For the card: how many titles, and at each level the temperature, the accuracy and what was promised.
    """
    coder = TitleCoder.load(folder)
    code_of = {row.uri: row.code for row in coder.names.occupations}
    known = [(title, code_of[key]) for title, key in titles if key in code_of]
    if not known:
        return {"calibration": {"titles": 0}}
    similarities = coder.similarities([title for title, _ in known])
    codes = [row.code for row in coder.names.occupations]
    levels = []
    for digits in DIGITS:
        temperature, accuracy, promised = _fitted(similarities, codes, [code for _, code in known], digits)
        levels.append(
            {"digits": digits, "temperature": temperature, "accuracy": accuracy, "promised": promised}
        )
    temperatures = tuple(level["temperature"] for level in levels)
    fitted = coder.names.model_copy(update={"temperatures": temperatures})
    write_json(folder / NAMES, fitted.model_dump(mode="json"))
    return {"calibration": {"titles": len(known), "levels": levels}}


def _fitted(
    similarities: NDArray[np.float32], codes: Sequence[str], truth: Sequence[str], digits: int
) -> tuple[float, float, float]:
    """The temperature with the least log loss, the accuracy, and the mean probability of the guesses."""
    from scipy.optimize import minimize_scalar

    level = level_of(codes, digits, 1.0)
    place = {group: number for number, group in enumerate(level.groups)}
    right = np.array([place[code[:digits]] for code in truth])

    def probabilities(logarithm: float) -> NDArray[np.float64]:
        return group_probabilities(similarities, replace(level, temperature=float(np.exp(logarithm))))

    def log_loss(logarithm: float) -> float:
        found = probabilities(logarithm)[np.arange(len(right)), right]
        return float(-np.log(np.maximum(found, 1e-12)).mean())

    bounds = (float(np.log(_LOWEST)), float(np.log(_HIGHEST)))
    best = float(minimize_scalar(log_loss, bounds=bounds, method="bounded", options={"xatol": 1e-2}).x)
    found = probabilities(best)
    accuracy = float((found.argmax(axis=1) == right).mean())
    return round(float(np.exp(best)), 4), round(accuracy, 4), round(float(found.max(axis=1).mean()), 4)
