"""Do explanations name what moved the guess? Take it out, and compare with taking out other words.

    python benchmarks/deletion.py                              # the project's bundle on its test adverts
    python benchmarks/deletion.py --project FOLDER --ads 100 --words 8

For each advert `joblens.inference.explain` names at most five words and entities. They are taken out
together, wherever they stand, and the guess is read again; so it is after taking out random words, drawn
three times:

* as many words as were named, of all words of the advert, those that were named among them;
* as many of the other words, in adverts that have as many;
* other words until they stand in as many places, for a word that is named may stand in many.

An advert counts when the guessed label loses more of its probability by what was named than by the draws on
average; one for which nothing is named counts against. The interval is Wilson's. Seconds are of all
processors together, so with any number of threads about what one core takes.
"""

import argparse
import logging
import math
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from joblens.device import track
from joblens.errors import DataError, JoblensError
from joblens.inference.classify import Classifier
from joblens.inference.explain import Occlusion, Phrase
from joblens.paths import Layout
from joblens.storage import read_table

REPOSITORY = Path(__file__).parents[1]
NORMAL = 1.959964
"""Standard deviations of a 95 % interval."""
DRAWS = ("as many random words", "as many random other words", "random other words in as many places")


@dataclass(frozen=True, slots=True)
class Tried:
    """Probabilities of one advert's guessed label."""

    whole: float
    without_evidence: float
    without_drawn: tuple[float | None, ...]
    """For each of `DRAWS` the mean over draws; None when the advert has too few other words."""
    named: int
    seconds: float
    """Processor time of the explanation, cleaning and guess included."""


def try_ad(classifier: Classifier, title: str, text: str, words: int, draws: int, seed: str) -> Tried:
    """Explain one advert, take out what is named, and take out random words."""
    started = time.process_time()
    occlusion = Occlusion(classifier, title, text)
    evidence, without = occlusion.evidence(words)
    seconds = time.process_time() - started
    by_text = {phrase.text: phrase for phrase in occlusion.phrases}
    named = [by_text[found.phrase] for found in evidence]
    single = [phrase for phrase in occlusion.phrases if len(phrase.text.split()) == 1]
    others = [phrase for phrase in single if not any(phrase.overlaps(other) for other in named)]
    count = max(1, len({word for phrase in named for word in phrase.text.casefold().split()}))
    places = max(1, sum(phrase.count for phrase in named))
    drawn = random.Random(seed)
    removed: list[list[list[Phrase]]] = [[], [], []]
    for _ in range(draws):
        removed[0].append(drawn.sample(single, min(count, len(single))))
        if len(others) >= count:
            removed[1].append(drawn.sample(others, count))
        if sum(phrase.count for phrase in others) >= places:
            removed[2].append(draw_places(others, places, drawn))
    found = iter(occlusion.probabilities([phrases for kind in removed for phrases in kind]))
    means = tuple(fmean(next(found) for _ in kind) if kind else None for kind in removed)
    return Tried(occlusion.guess.probability, without, means, len(named), seconds)


def draw_places(others: list[Phrase], places: int, drawn: random.Random) -> list[Phrase]:
    """Words in random order until they stand in so many places."""
    taken: list[Phrase] = []
    for phrase in drawn.sample(others, len(others)):
        if sum(one.count for one in taken) >= places:
            break
        taken.append(phrase)
    return taken


def interval(hits: int, count: int) -> tuple[float, float]:
    """Wilson's interval of a share (Wilson, 1927)."""
    share, square = hits / count, NORMAL**2
    middle = share + square / (2 * count)
    reach = NORMAL * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return (middle - reach) / (1 + square / count), (middle + reach) / (1 + square / count)


def draw_ads(layout: Layout, count: int, seed: int) -> list[tuple[str, str, str]]:
    """Id, title and text of test adverts, drawn by the seed."""
    ads = read_table(layout.ads, columns={"id", "title", "text"})
    ads = ads.join(read_table(layout.splits, columns={"id", "split"}), on="id", how="left")
    rows = [
        (row["id"], row["title"] or "", row["text"] or "")
        for row in ads.sort("id").iter_rows(named=True)
        if row["split"] == "test"
    ]
    if not rows:
        raise DataError(f"{layout.splits} has no test adverts; run `dvc repro` first")
    return random.Random(seed).sample(rows, min(count, len(rows)))


def print_table(tried: list[Tried]) -> None:
    """All comparisons, and what an explanation costs."""
    print(
        f"{len(tried)} test adverts; {fmean(one.named for one in tried):.1f} words and entities named in each"
    )
    print("| taken out | adverts | probability of the guess | the evidence counts more in | share (95 %) |")
    print("|---|---:|---:|---:|---:|")
    print(f"| nothing | {len(tried)} | {fmean(one.whole for one in tried):.3f} | | |")
    print(f"| the evidence | {len(tried)} | {fmean(one.without_evidence for one in tried):.3f} | | |")
    for place, name in enumerate(DRAWS):
        pairs = [(one, one.without_drawn[place]) for one in tried]
        compared = [(one, other) for one, other in pairs if other is not None]
        if not compared:
            continue
        hits = sum(one.named > 0 and one.without_evidence < other for one, other in compared)
        low, high = interval(hits, len(compared))
        mean = fmean(other for _, other in compared)
        share = f"{hits / len(compared):.1%} ({low:.1%} to {high:.1%})"
        print(f"| {name} | {len(compared)} | {mean:.3f} | {hits} | {share} |")
    seconds = [one.seconds for one in tried]
    print(f"seconds for an explanation: median {median(seconds):.2f}, longest {max(seconds):.2f}")


def main() -> None:
    """Measure and print."""
    logging.basicConfig(level=logging.WARNING)
    parser = argparse.ArgumentParser(description="Take out what explanations name, and other words.")
    parser.add_argument("--project", type=Path, default=REPOSITORY, help="a folder after `dvc repro`")
    parser.add_argument("--ads", type=int, default=200, help="how many test adverts")
    parser.add_argument("--words", type=int, default=5, help="how many words and entities to name")
    parser.add_argument("--draws", type=int, default=3, help="how often words are drawn")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    layout = Layout(options.project)
    if not layout.classifier.is_dir():
        raise DataError(f"there is no trained bundle {layout.classifier}; train one with `dvc repro train`")
    ads = draw_ads(layout, options.ads, options.seed)
    classifier = Classifier.load(layout.classifier)
    Occlusion(classifier, None, "We are looking for a nurse").evidence(options.words)  # the first is slower
    tried: list[Tried] = []
    for id, title, text in track(ads, len(ads), "deletion"):
        try:
            tried.append(
                try_ad(classifier, title, text, options.words, options.draws, f"{options.seed} {id}")
            )
        except DataError as error:
            print(f"{id} is left out: {error}")
    if not tried:
        raise DataError("no test advert has words; look at them, or at the cleaning")
    print_table(tried)


if __name__ == "__main__":
    try:
        main()
    except JoblensError as error:
        print(f"deletion: {error}", file=sys.stderr)
        sys.exit(2)
