"""`joblens bench codes`: ISCO-08 codes of adverts from their titles alone, against codes that people gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import torch

from joblens.errors import DataError
from joblens.inference.code import DIGITS
from joblens.metrics import accuracy, macro_f1
from joblens.sources import Columns, read_records

if TYPE_CHECKING:
    from rich.table import Table

    from joblens.inference.code import TitleCoder
    from joblens.records import Coding

CONFIDENCES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def read_titles(file: Path, title: str, code: str) -> tuple[list[str], list[str]]:
    """The titles of a file and their codes; rows without one of the two are left out.

    Raises:
        DataError: The file or a column is missing, a code is no ISCO-08 code, or codes differ in length.
    """
    columns = Columns(text=title, label=code, advice="name the right ones with --title and --code")
    frames = list(read_records(file, columns))
    frame = pl.concat(frames).drop_nulls(["text", "label"]) if frames else None
    if frame is None or frame.is_empty():
        raise DataError(
            f"{file} has no row with a title and a code; name the columns with --title and --code"
        )
    titles, codes = frame["text"].to_list(), [str(found).strip() for found in frame["label"]]
    lengths = Counter(map(len, codes))
    wrong = [found for found in codes if not (found.isascii() and found.isdigit() and len(found) in DIGITS)]
    if wrong or len(lengths) > 1:
        shown = wrong[0] if wrong else " and ".join(f"{digits} digits" for digits in sorted(lengths))
        raise DataError(
            f"{file} has codes such as {shown!r}, expected ISCO-08 codes of one length, 1 to 4 digits"
        )
    return titles, codes


def measure_codes(coder: TitleCoder, titles: Sequence[str], codes: Sequence[str]) -> dict[str, Any]:
    """How often the codes of titles are right.

    Args:
        coder: Codes titles.
        titles: What is coded.
        codes: The right codes, all of one length, 1 to 4 digits.

    Returns:
        `levels`: at each number of digits that `codes` have the accuracy, the macro-F1 over the codes that
        occur, and the mean probability promised; `back_off`: for each confidence the share of titles that get
        a code of each length, and how many of those codes are right as far as `codes` can tell.
    """
    known = len(codes[0])
    found = coder.code(titles, confidence=0.0, nearest=1)
    levels = []
    for digits in range(1, known + 1):
        truth = [code[:digits] for code in codes]
        guesses = [coding.levels[digits - 1][0] if coding.levels else "" for coding in found]
        names = sorted(set(truth))
        place = {name: number for number, name in enumerate(names)}
        right = torch.tensor([place[name] for name in truth])
        guessed = torch.tensor([place.get(guess, len(names)) for guess in guesses])
        sure = [coding.levels[digits - 1][1] if coding.levels else 0.0 for coding in found]
        # One class more stands for every code that nobody has: its F1 of 0 is taken out of the mean again.
        f1 = macro_f1(guessed, right, len(names) + 1) * (len(names) + 1) / len(names)
        levels.append(
            {
                "digits": digits,
                "accuracy": accuracy(guessed, right),
                "macro_f1": f1,
                "promised": sum(sure) / len(sure),
                "groups": len(names),
            }
        )
    curve = [_backed_off(found, codes, confidence) for confidence in CONFIDENCES]
    return {"titles": len(titles), "levels": levels, "back_off": curve}


def _backed_off(found: Sequence[Coding], codes: Sequence[str], confidence: float) -> dict[str, float]:
    """What is answered when every code must be this sure; a code longer than the known one is cut to it."""
    lengths: list[int] = []
    right = 0
    for coding, code in zip(found, codes, strict=True):
        answer = ""
        for group, sure in coding.levels:
            if sure >= confidence:
                answer = group
        if answer:
            lengths.append(len(answer))
            shared = min(len(answer), len(code))
            right += answer[:shared] == code[:shared]
    shares = {f"digits_{digits}": lengths.count(digits) / len(found) for digits in DIGITS}
    answered = len(lengths)
    return {
        "confidence": confidence,
        "answered": answered / len(found),
        **shares,
        "right": right / answered if answered else 0.0,
    }


def code_tables(figures: dict[str, Any]) -> list[Table]:
    """The figures of `measure_codes` for a terminal or a page."""
    from rich.table import Table

    levels = Table(
        "digits", "groups", "accuracy", "macro-F1", "promised", title=f"{figures['titles']:,} titles"
    )
    for row in figures["levels"]:
        values = (f"{row[key]:.3f}" for key in ("accuracy", "macro_f1", "promised"))
        levels.add_row(str(row["digits"]), str(row["groups"]), *values)
    curve = Table(
        "confidence", "answered", *(f"{digits} digits" for digits in DIGITS), "right", title="backing off"
    )
    keys = ("answered", *(f"digits_{digits}" for digits in DIGITS), "right")
    for row in figures["back_off"]:
        curve.add_row(f"{row['confidence']:.1f}", *(f"{row[key]:.1%}" for key in keys))
    return [levels, curve]
