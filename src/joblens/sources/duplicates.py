"""Adverts that say nearly the same: groups that must not be torn apart by a split.

MinHash signatures (rensa) find candidates, bands of them make the search linear, and every candidate is
checked with the real Jaccard similarity of its word shingles before two adverts are joined.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes: TypeAlias = NDArray[np.uint64]

SHINGLE_WORDS = 3
PERMUTATIONS = 128
FOUND_SHARE = 0.99
"""Of the pairs exactly at the threshold, the bands put at least this share into one bucket."""
SLACK = 0.15
"""How far an estimate may lie below the threshold and still be worth the real check: over 3 sigma."""

_WORD = re.compile(r"\w+")
_BLOCK = 10_000  # adverts whose signatures are made at once


def near_duplicate_groups(texts: Sequence[str], threshold: float, seed: int) -> list[int]:
    """For each text, the row of the first text of its group; a text without near-duplicates is its own group.

    Two texts belong together when the sets of their word trigrams, in lower case and without punctuation,
    have a Jaccard similarity of at least `threshold`; groups are closed under that relation as far as the
    bands see it. Texts with the same words in the same order are always together. Nothing but the arguments
    matters.

    Args:
        texts: The adverts, in row order.
        threshold: In (0, 1].
        seed: Seed of the MinHash permutations.

    Returns:
        One row number per text: `groups[row] <= row`, and `groups[groups[row]] == groups[row]`.
    """
    shingles, firsts = _distinct_shingles(texts)
    parents = list(range(len(shingles)))
    if shingles:
        signatures = _signatures(shingles, seed)  # (N, PERMUTATIONS)
        width = _band_width(threshold)
        for start in range(0, PERMUTATIONS, width):
            for bucket in _buckets(signatures[:, start : start + width]):
                _join(bucket, signatures, shingles, threshold, parents)
    rows: dict[
        int, int
    ] = {}  # distinct text → first row of its group; distinct texts are numbered by first appearance
    groups = []
    for row, distinct in enumerate(firsts):
        groups.append(rows.setdefault(_root(parents, distinct), row))
    return groups


def _distinct_shingles(texts: Sequence[str]) -> "tuple[list[Hashes], list[int]]":
    """The sorted shingle hashes of each distinct text, and for every text the number of its distinct one."""
    import numpy as np

    word_hashes = _WordHashes()
    numbers: dict[bytes, int] = {}
    shingles: list[Hashes] = []
    firsts: list[int] = []
    for text in texts:
        words = _WORD.findall(text.casefold())
        hashes = np.fromiter(map(word_hashes.__getitem__, words), dtype=np.uint64, count=len(words))
        key = hashlib.blake2b(hashes.tobytes()).digest()
        if key not in numbers:
            numbers[key] = len(shingles)
            shingles.append(_shingles(hashes))
        firsts.append(numbers[key])
    return shingles, firsts


class _WordHashes(dict[str, int]):
    """Word to hash, made when first asked for; the same in every process, unlike Python's own."""

    def __missing__(self, word: str) -> int:
        data = word.encode("utf-8", errors="surrogatepass")
        made = self[word] = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
        return made


def _shingles(words: "Hashes") -> "Hashes":
    """Sorted distinct hashes of runs of `SHINGLE_WORDS` words; a shorter text is one run."""
    import numpy as np

    length = min(SHINGLE_WORDS, len(words))
    count = len(words) - length + 1 if length else 0
    mixed = np.zeros(count, dtype=np.uint64)
    for offset in range(length):
        mixed = (
            mixed * np.uint64(0x9E3779B97F4A7C15) + words[offset : offset + count]
        )  # wraps at 2**64, as meant
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


def _signatures(shingles: "Sequence[Hashes]", seed: int) -> "NDArray[np.uint32]":
    """MinHash signatures (N, PERMUTATIONS)."""
    import numpy as np
    from rensa import RMinHash

    blocks = []
    for start in range(0, len(shingles), _BLOCK):
        block = shingles[start : start + _BLOCK]
        offsets = np.concatenate([[0], np.cumsum([len(hashes) for hashes in block])]).astype(np.uint64)
        digests: Any = RMinHash.digest_matrix_from_flat_token_hashes(
            np.concatenate(block), offsets, num_perm=PERMUTATIONS, seed=seed
        )
        blocks.append(np.array(digests.to_rows(), dtype=np.uint32))
    return np.concatenate(blocks)


def _band_width(threshold: float) -> int:
    """The widest band, a power of two, that still finds `FOUND_SHARE` of the pairs at the threshold.

    A pair of similarity s shares a band of width w with probability s^w, and one of the 128 / w bands with
    1 - (1 - s^w)^(128 / w): at 0.8 that is 0.947 for w = 8 and 0.9999999 for w = 4, so the width is 4.
    """
    width = PERMUTATIONS
    while width > 1 and 1 - (1 - threshold**width) ** (PERMUTATIONS // width) < FOUND_SHARE:
        width //= 2
    return width


def _buckets(band: "NDArray[np.uint32]") -> "list[NDArray[np.intp]]":
    """Rows that agree on a whole band, in row order, for every value that more than one row has."""
    import numpy as np

    keys = np.ascontiguousarray(band).view(np.dtype((np.void, band.shape[1] * band.itemsize))).ravel()
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    ends = np.cumsum(counts)
    return [order[end - count : end] for end, count in zip(ends, counts, strict=True) if count > 1]


def _join(
    bucket: "NDArray[np.intp]",
    signatures: "NDArray[np.uint32]",
    shingles: "Sequence[Hashes]",
    threshold: float,
    parents: list[int],
) -> None:
    """Join what is similar in a bucket; each row meets one row of every group so far, not all rows."""
    heads: list[int] = []
    roots: set[int] = set()
    for row in map(int, bucket):
        if _root(parents, row) in roots:
            continue
        estimates = (signatures[heads] == signatures[row]).mean(axis=1)
        for place in (estimates >= threshold - SLACK).nonzero()[0]:
            head = heads[place]
            if _jaccard(shingles[row], shingles[head]) >= threshold:
                _unite(parents, row, head)
                break
        else:
            heads.append(row)
        roots.add(_root(parents, row))


def _jaccard(first: "Hashes", second: "Hashes") -> float:
    """Shared over all, of two sorted sets; 1 for two empty ones."""
    import numpy as np

    shared = len(np.intersect1d(first, second, assume_unique=True))
    total = len(first) + len(second) - shared
    return shared / total if total else 1.0


def _root(parents: list[int], number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


def _unite(parents: list[int], first: int, second: int) -> None:
    """The smaller number, which appeared earlier, stays on top."""
    low, high = sorted((_root(parents, first), _root(parents, second)))
    parents[high] = low
