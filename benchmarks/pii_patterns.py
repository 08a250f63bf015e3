"""How much personal data the patterns find, and how often they are wrong, by type.

    python benchmarks/pii_patterns.py
    JOBLENS_REAL_DATA=FOLDER python benchmarks/pii_patterns.py

Without the variable it reads the bundled synthetic sample, where every span is known; with it also
Presidio's synthetic sentences (`pii/presidio_synthetic.tar.xz`). Of names and addresses the patterns find
those with a cue, a contact beside them or a telling shape; the rest is the model's. Recall counts a gold
span as found when every letter and digit of it is masked, whatever the mask is called; precision counts a
find as right when it overlaps gold personal data of any kind; "named right" is the share of finds that
overlap gold of their type.
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from joblens.extractors.patterns import FINDERS, find_pii
from joblens.pipeline.audit.meter import USEFUL
from joblens.records import LabelledText
from joblens.sources.spans import read_spans

SAMPLE = Path(__file__).parents[1] / "data/sample/ads.jsonl"
PRESIDIO = "pii/presidio_synthetic.tar.xz"
NAMES = {"id number": "cpr"}
"""Labels of the sample that have another name here."""


def report(title: str, texts: Iterable[LabelledText]) -> None:
    """Print a line per type."""
    gold, masked, found, right, named = Counter(), Counter(), Counter(), Counter(), Counter()
    leaks: list[str] = []
    for text in texts:
        finds = find_pii(text.text)
        covered = {place for find in finds for place in range(find.start, find.end)}
        spans = [
            (e.start, e.end, NAMES.get(e.label, e.label)) for e in text.entities if e.label not in USEFUL
        ]
        for start, end, label in spans:
            gold[label] += 1
            if all(place in covered for place in range(start, end) if text.text[place].isalnum()):
                masked[label] += 1
            elif label in FINDERS:
                leaks.append(f"{label}: {text.text[start:end]}")
        for find in finds:
            touched = {label for start, end, label in spans if start < find.end and find.start < end}
            found[find.label] += 1
            right[find.label] += bool(touched)
            named[find.label] += find.label in touched
    print(f"\n{title}\n{'type':10}{'gold':>7}{'recall':>9}{'finds':>7}{'precision':>11}{'named right':>13}")
    for label in FINDERS:
        if gold[label] or found[label]:
            recall = f"{masked[label] / gold[label]:.3f}" if gold[label] else "-"
            precision = f"{right[label] / found[label]:.3f}" if found[label] else "-"
            own = f"{named[label] / found[label]:.3f}" if found[label] else "-"
            print(f"{label:10}{gold[label]:7}{recall:>9}{found[label]:7}{precision:>11}{own:>13}")
    print(f"not masked: {len(leaks)}" + (f", such as {leaks[:8]}" if leaks else ""))


def main() -> None:
    """Report on the sample, and on Presidio's sentences where they are."""
    report("data/sample (synthetic adverts)", read_spans(SAMPLE, kind="sample", language="da"))
    folder = os.environ.get("JOBLENS_REAL_DATA")
    if folder:
        sentences = read_spans(Path(folder) / PRESIDIO, kind="presidio", language="en")
        report("Presidio research (synthetic sentences)", sentences)


if __name__ == "__main__":
    main()
