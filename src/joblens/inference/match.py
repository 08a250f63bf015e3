"""Which adverts and profiles are alike: cosines of the vectors that the bundle's encoder gives them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from joblens.inference.classify import Classifier
from joblens.text import join_title, word_count

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Match:
    """An advert and a profile that are alike."""

    ad: int
    profile: int
    similarity: float
    """Cosine of their vectors, in [-1, 1]."""


def vectors_of(
    classifier: Classifier, texts: Sequence[str], titles: Sequence[str | None] | None = None
) -> "Tensor":
    """(N, D) vectors of length 1 of job texts, cleaned as adverts are; zeros where there are no words left.

    Raises:
        DataError: A text is no string, or there are more or fewer titles than texts.
    """
    import torch
    from torch.nn.functional import normalize

    ads = classifier.clean(texts, titles)
    rows = [row for row, ad in enumerate(ads) if word_count(join_title(ad.title, ad.clean_text))]
    vectors = torch.zeros(len(ads), classifier.bundle.embedding.width)
    if rows:
        read = classifier.inputs([ads[row].title for row in rows], [ads[row].clean_text for row in rows])
        vectors[rows] = normalize(read.vectors, dim=1).to(vectors)
    return vectors


def match(ads: "Tensor", profiles: "Tensor", *, cut_off: float, top: int) -> list[Match]:
    """The profiles most like each advert, advert by advert, most alike first; ties go to the first profile.

    Args:
        ads: (N, D) vectors of length 1; a row of zeros matches nothing.
        profiles: (M, D) likewise.
        cut_off: Least cosine of a match.
        top: How many matches of an advert at most.
    """
    similarities = (ads @ profiles.T).clamp(-1, 1)  # (N, M)
    similarities[:, ~profiles.any(dim=1)] = -inf
    similarities[~ads.any(dim=1)] = -inf
    order = similarities.argsort(dim=1, descending=True, stable=True)[:, :top]  # (N, top)
    likest = similarities.gather(1, order)
    return [
        Match(row, place, similarity)
        for row, pair in enumerate(zip(order.tolist(), likest.tolist(), strict=True))
        for place, similarity in zip(*pair, strict=True)
        if similarity >= cut_off
    ]
