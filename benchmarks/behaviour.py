"""Whether a trained bundle's guess survives what should not matter: names, towns, employers, gender, noise.

    joblens params experiment=demo && dvc repro train && invoke bench behaviour
    python benchmarks/behaviour.py --project FOLDER --part all --flips

Adverts are those of the bundled sample, whose spans of persons, employers and occupations are known; by
default those of the test part, which the bundle did not learn from. An advert is *changed* when the swap
found something to replace. *Kept* is the share of adverts with the same label as before; accuracy is against
the label as filed, 4 % of which are wrong on purpose. Sentences are remembered in the project's cache. Ends
with 1 when a swap that should not matter keeps too few labels.
"""

import argparse
import sys
from pathlib import Path
from random import Random

from joblens import encoders
from joblens.config import Compute
from joblens.encoders import build_encoder
from joblens.errors import DataError, JoblensError
from joblens.extractors import build_extractor, in_project
from joblens.extractors.remembering import RememberingExtractor
from joblens.inference.classify import Classifier
from joblens.models.bundle import read_bundle
from joblens.paths import Layout
from joblens.records import Guess
from joblens.sources.sample import SampleAd, generate
from joblens.sources.sample.swaps import DAMAGES, SWAPS, Swap
from joblens.storage import read_table

REPOSITORY = Path(__file__).parents[1]
ADS, SEED = 900, 7  # as in data/sample
LEAST_KEPT = 0.98


def load(layout: Layout) -> Classifier:
    """The project's bundle, with a cleaner that remembers sentences."""
    bundle = read_bundle(layout.classifier)
    compute = Compute(device="cpu", workers=1, encode_batch_size=32)
    extractor = build_extractor(in_project(bundle.cleaning, layout.root), compute)
    if extractor.name not in {"none", "patterns"}:
        extractor = RememberingExtractor(extractor, layout.cache / "clean")
    encoder = build_encoder(encoders.in_project(bundle.embedding, layout.root), compute)
    return Classifier(bundle, extractor, encoder, name=layout.classifier.name, version="")


def chosen_ads(layout: Layout, part: str) -> list[SampleAd]:
    """The sample's adverts, or those of one part of the project's split.

    Raises:
        DataError: None of the sample's adverts is in that part.
    """
    ads = generate(ads=ADS, seed=SEED)
    if part == "all":
        return ads
    inside = set(read_table(layout.splits, columns={"id", "split"}).filter(split=part)["id"])
    chosen = [ad for ad in ads if ad.id in inside]
    if not chosen:
        raise DataError(
            f"none of the {len(inside)} adverts of part {part!r} in {layout.splits} is the sample's; give "
            "--project a folder where the pipeline ran on data/sample, or --part all"
        )
    return chosen


def told(classifier: Classifier, adverts: list[tuple[str, str]]) -> list[Guess]:
    """Guesses for titles and texts."""
    return classifier.predict([text for _, text in adverts], titles=[title for title, _ in adverts])


def measure(
    name: str, swap: Swap, classifier: Classifier, ads: list[SampleAd], before: list[Guess]
) -> tuple[str, bool]:
    """Print a row of the table, and give back which adverts flipped and whether enough did not."""
    rng = Random(f"{SEED} {name}")
    adverts = [swap(ad, ads, rng) for ad in ads]
    places = [at for at, ad in enumerate(ads) if adverts[at] != (ad.title, ad.text)]
    after = list(before)
    if places:
        guesses = told(classifier, [adverts[at] for at in places])
        for at, guess in zip(places, guesses, strict=True):
            after[at] = guess
    flipped = [at for at in places if after[at].label != before[at].label]
    kept = 1 - len(flipped) / len(ads)
    of_changed = 1 - len(flipped) / max(1, len(places))
    right = sum(guess.label == ad.label for guess, ad in zip(after, ads, strict=True)) / len(ads)
    holds = name in DAMAGES or kept >= LEAST_KEPT
    mark = "" if name in DAMAGES else "holds" if holds else "FAILS"
    print(f"| {name} | {len(places)} | {kept:.1%} | {of_changed:.1%} | {right:.3f} | {mark} |", flush=True)
    lines = [
        f"{name}: {ads[at].id}, filed under {ads[at].label}: {before[at].label} "
        f"{before[at].probability:.2f} → {after[at].label} {after[at].probability:.2f}; {adverts[at][0]!r}"
        for at in flipped
    ]
    return "\n".join(lines), holds


def main() -> int:
    """Measure and print; 1 when a swap fails, otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=REPOSITORY, help="folder where the pipeline ran")
    parts = ("test", "validation", "train", "all")
    parser.add_argument("--part", choices=parts, default="test", help="which adverts of the sample")
    parser.add_argument("--flips", action="store_true", help="name the adverts whose label changed")
    arguments = parser.parse_args()
    layout = Layout(arguments.project)
    ads, classifier = chosen_ads(layout, arguments.part), load(layout)
    before = told(classifier, [(ad.title, ad.text) for ad in ads])
    right = sum(guess.label == ad.label for guess, ad in zip(before, ads, strict=True)) / len(ads)
    print(f"{len(ads)} adverts, part {arguments.part}; label kept in at least {LEAST_KEPT:.0%}\n")
    print("| Swap | changed | kept, of all | kept, of changed | accuracy | |\n|---|---:|---:|---:|---:|---|")
    print(f"| none | 0 | 100.0% | | {right:.3f} | |", flush=True)
    found = [measure(name, swap, classifier, ads, before) for name, swap in {**SWAPS, **DAMAGES}.items()]
    if arguments.flips:
        print("\n" + "\n".join(lines for lines, _ in found if lines))
    return 0 if all(holds for _, holds in found) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except JoblensError as error:
        print(f"behaviour: {error}", file=sys.stderr)
        sys.exit(2)
