"""Job titles as words and character n-grams, each a row of the table of `joblens.encoders.titles`.

Pure NumPy, vectorised over words, and the same in every process: the hash is ours, not Python's.
"""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W_]+[#+]*")  # "c++" and "c#" are words
_PLAIN = re.compile(r"[A-Za-z0-9]")
"""Whatever holds one of these holds a word; it spares most long texts from being split."""
_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_BASE = np.uint64(0x9E3779B97F4A7C15)
_WHOLE_WORD = 255
"""Told apart from n-grams, which are shorter: the word "cook" is another feature than the letters "cook"."""


def title_words(text: str) -> list[str]:
    """The words of a title in lower case and without diacritics: "Kok (m/k), Ærø" → kok, m, k, aero.

    So upper case and missing diacritics change nothing. Each word comes once: "Leiter Lager/Leiterin Lager"
    is no more about a store than "Leiter/Leiterin Lager". A text without words has one empty word.
    """
    plain = unicodedata.normalize("NFKD", text).lower()  # first NFKD: "™" has capitals only after it
    if not plain.isascii():
        plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_LETTERS)
    return list(dict.fromkeys(_WORD.findall(plain))) or [""]


def has_words(text: str) -> bool:
    """Whether a title has anything that the encoder reads."""
    return _PLAIN.search(text) is not None or title_words(text) != [""]


def feature_ids(
    words: Sequence[str], *, buckets: int, shortest: int, longest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The features of each word: the word itself and its character n-grams, `<` and `>` at its ends.

    Args:
        words: W words, at least one, as `title_words` gives them.
        buckets: How many rows the table has; features that share a row share its vector.
        shortest: Least letters of an n-gram.
        longest: Most letters of an n-gram.

    Returns:
        Row numbers (F,) in [0, buckets), word after word, and (W,) how many each word has, all positive.
    """
    letters = np.frombuffer("".join(f"<{word}>" for word in words).encode("utf-32-le"), dtype=np.uint32)
    lengths = np.fromiter((len(word) + 2 for word in words), np.int64, len(words))
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    owners = np.repeat(np.arange(len(words)), lengths)
    places = np.arange(len(letters)) - starts[owners]
    powers = _powers(max(int(lengths.max()), longest))
    codes = letters.astype(np.uint64)
    hashes = [_mixed(np.add.reduceat(codes * powers[places], starts), _WHOLE_WORD)]
    belong = [np.arange(len(words))]
    for size in range(shortest, longest + 1):
        first = np.flatnonzero(places + size <= lengths[owners])
        sums = np.zeros(len(first), np.uint64)
        for step in range(size):
            sums += codes[first + step] * powers[step]
        hashes.append(_mixed(sums, size))
        belong.append(owners[first])
    owner = np.concatenate(belong)
    order = np.argsort(owner, kind="stable")
    ids = (np.concatenate(hashes)[order] % np.uint64(buckets)).astype(np.int64)
    return ids, np.bincount(owner, minlength=len(words))


def _powers(count: int) -> NDArray[np.uint64]:
    """1, b, b², … modulo 2**64."""
    powers = np.full(max(count, 1), _BASE)
    powers[0] = 1
    return np.multiply.accumulate(powers)


def _mixed(sums: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """Every bit of a sum spread over all bits: the last step of SplitMix64 (Steele et al., 2014)."""
    mixed = sums + np.uint64(int(_BASE) * size % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
