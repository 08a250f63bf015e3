"""Letters and words of the scripts that adverts are written in, as parts of patterns."""

from __future__ import annotations

import re

UPPERS = "A-ZÀ-ÖØ-ÞЀ-Я" + "".join(chr(code) for code in range(0x100, 0x180) if chr(code).isupper())
LOWERS = "a-zß-öø-ÿа-яё" + "".join(chr(code) for code in range(0x100, 0x180) if chr(code).islower())
"""Upper and lower case letters of the Latin and Cyrillic scripts, for character classes."""

S = "[ \u00a0]"
"""A blank, also one that does not break."""

GLUED = rf"(?<=[{LOWERS}])(?=[{UPPERS}])"
"""Where two sentences are glued because a line break was lost: "hos osVenlig hilsen"."""

BEGIN = rf"(?:(?<![^\W\d_])|{GLUED})"
"""Where a word begins, or the second of two glued sentences."""

WORD = re.compile(r"[^\W\d_]+")
"""Letters in a row."""
