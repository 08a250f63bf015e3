"""Make N adverts: how many of each area, which are reposted, which carry a wrong label."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from joblens.errors import DataError
from joblens.records import Entity
from joblens.sources.sample import rates
from joblens.sources.sample.composing import compose
from joblens.sources.sample.drafts import Draft, body, join
from joblens.sources.sample.noise import repost, roughen
from joblens.sources.sample.vocabulary import Area, load_vocabulary

SMALLEST_CLASS = 5
"""Originals every area gets before weights count, as long as there are enough: one for each of five folds."""


@dataclass(frozen=True, slots=True)
class SampleAd:
    """A synthetic advert with everything known about it."""

    id: str
    title: str
    text: str
    label: str
    """What the advert is filed under, wrong at the stated rate."""
    language: str
    """"da" or "en"."""
    entities: tuple[Entity, ...]
    """In `text`, in reading order, never overlapping."""
    title_entities: tuple[Entity, ...]
    """The same for `title`."""
    true_label: str
    repost_of: str | None
    """Id of the earlier advert that this one repeats with small edits; None for an original."""


def generate(ads: int, seed: int) -> list[SampleAd]:
    """The same `ads` and `seed` give the same adverts, on any machine.

    Args:
        ads: How many, reposts included; at least 1. From 120 on every area has five originals or more.
        seed: Any integer.

    Raises:
        DataError: `ads` is below 1.
    """
    if ads < 1:
        raise DataError(f"asked for {ads} sample adverts; ask for 1 or more, such as --ads 900")
    rng = Random(seed)
    vocabulary = load_vocabulary()
    reposts = round(ads * rates.REPOSTED)
    plan = [area for area, n in _class_sizes(vocabulary.areas, ads - reposts) for _ in range(n)]
    labels = _labels_as_filed(rng, plan)
    reposted = set(rng.sample(range(len(plan)), min(reposts, len(plan))))
    originals: list[SampleAd] = []
    copies: list[tuple[int, SampleAd]] = []
    for at, (area, label) in enumerate(zip(plan, labels, strict=True)):
        language = "da" if rng.random() < rates.DANISH else "en"
        draft, slots = compose(rng, vocabulary, area, language)
        draft = roughen(rng, draft)
        originals.append(_finish(draft, label, area.label, language))
        if at in reposted:
            copy = repost(rng, draft, slots, vocabulary)
            copies.append((at, _finish(copy, label, area.label, language)))
    return _in_posting_order(rng, originals, copies)


def _class_sizes(areas: Sequence[Area], total: int) -> list[tuple[Area, int]]:
    """Split `total` over the areas: a floor for each, then by weight; largest remainders get what is left."""
    floor = min(SMALLEST_CLASS, total // len(areas))
    rest = total - floor * len(areas)
    sum_of_weights = sum(area.weight for area in areas)
    shares = [rest * area.weight / sum_of_weights for area in areas]
    sizes = [floor + int(share) for share in shares]
    by_remainder = sorted(range(len(areas)), key=lambda i: (int(shares[i]) - shares[i], i))
    for i in by_remainder[: total - sum(sizes)]:
        sizes[i] += 1
    return list(zip(areas, sizes, strict=True))


def _labels_as_filed(rng: Random, plan: Sequence[Area]) -> list[str]:
    """The label of each advert, a share of them swapped between two adverts of neighbouring areas."""
    labels = [area.label for area in plan]
    waiting: dict[str, list[int]] = defaultdict(list)
    for at in rng.sample(range(len(plan)), len(plan)):
        waiting[plan[at].slug].append(at)
    swapped: set[int] = set()
    pairs = round(len(plan) * rates.MISLABELLED / 2)
    for at in rng.sample(range(len(plan)), len(plan)):
        if len(swapped) >= 2 * pairs:
            break
        neighbours = plan[at].neighbours
        [wrong] = rng.choices(list(neighbours), weights=list(neighbours.values()))
        if at in swapped:
            continue
        while waiting[wrong] and waiting[wrong][-1] in swapped:
            waiting[wrong].pop()
        if waiting[wrong]:
            partner = waiting[wrong].pop()
            labels[at], labels[partner] = labels[partner], labels[at]
            swapped |= {at, partner}
    return labels


def _finish(draft: Draft, label: str, true_label: str, language: str) -> SampleAd:
    title, title_entities = join(draft.title)
    text, entities = join(body(draft))
    return SampleAd(
        id="",
        title=title,
        text=text,
        label=label,
        language=language,
        entities=entities,
        title_entities=title_entities,
        true_label=true_label,
        repost_of=None,
    )


def _in_posting_order(
    rng: Random, originals: Sequence[SampleAd], copies: Sequence[tuple[int, SampleAd]]
) -> list[SampleAd]:
    """Number all adverts, every repost somewhere after its original."""
    total = len(originals) + len(copies)
    places = rng.sample(range(total), total)  # place of each original, then of each copy
    for i, (at, _) in enumerate(copies, start=len(originals)):
        if places[i] < places[at]:
            places[i], places[at] = places[at], places[i]
    ids = [f"sample-{place + 1:06d}" for place in places]
    numbered = [replace(ad, id=ids[i]) for i, ad in enumerate(originals)]
    for i, (at, ad) in enumerate(copies, start=len(originals)):
        numbered.append(replace(ad, id=ids[i], repost_of=ids[at]))
    return sorted(numbered, key=lambda ad: ad.id)
