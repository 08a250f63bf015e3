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

import json
import os
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from joblens.extractors.patterns import find_pii

SAMPLE = Path(__file__).parents[1] / "data/sample/ads.jsonl"
PRESIDIO = "pii/presidio_synthetic.tar.xz"
NAMES = {
    "PHONE_NUMBER": "phone",
    "EMAIL_ADDRESS": "email",
    "DOMAIN_NAME": "url",
    "IBAN_CODE": "iban",
    "id number": "cpr",
    "PERSON": "person",
    "STREET_ADDRESS": "address",
}
TYPES = (
    "email",
    "phone",
    "url",
    "cpr",
    "cvr",
    "iban",
    "rut",
    "inn",
    "snils",
    "passport",
    "address",
    "person",
)
NOT_PERSONAL = {"occupation", "skill", "task"}

Document = tuple[str, list[tuple[int, int, str]]]


def sample() -> Iterator[Document]:
    """Texts and titles of the bundled adverts with their gold spans."""
    with SAMPLE.open(encoding="utf-8") as lines:
        for line in lines:
            ad = json.loads(line)
            for text, entities in (
                (ad["text"], ad["entities"]),
                (ad["title"], ad.get("title_entities", [])),
            ):
                yield (
                    text,
                    [(e["start"], e["end"], e["label"]) for e in entities if e["label"] not in NOT_PERSONAL],
                )


def presidio(archive: Path) -> Iterator[Document]:
    """The sentences of Presidio's two synthetic files with their gold spans."""
    with tarfile.open(archive) as files:
        for name in ("data/synth_dataset_v2.json", "tests/data/generated_large.json"):
            member = files.extractfile(name)
            if member is None:
                raise FileNotFoundError(f"{archive} holds no {name}")
            for row in json.load(member):
                yield (
                    row["full_text"],
                    [(s["start_position"], s["end_position"], s["entity_type"]) for s in row["spans"]],
                )


def report(title: str, documents: Iterable[Document]) -> None:
    """Print a line per type."""
    gold, masked, found, right, named = Counter(), Counter(), Counter(), Counter(), Counter()
    leaks: list[str] = []
    for text, spans in documents:
        finds = find_pii(text)
        covered = {place for find in finds for place in range(find.start, find.end)}
        spans = [(start, end, NAMES.get(label, label)) for start, end, label in spans]
        for start, end, label in spans:
            gold[label] += 1
            if all(place in covered for place in range(start, end) if text[place].isalnum()):
                masked[label] += 1
            elif label in TYPES:
                leaks.append(f"{label}: {text[start:end]}")
        for find in finds:
            touched = {label for start, end, label in spans if start < find.end and find.start < end}
            found[find.label] += 1
            right[find.label] += bool(touched)
            named[find.label] += find.label in touched
    print(f"\n{title}\n{'type':10}{'gold':>7}{'recall':>9}{'finds':>7}{'precision':>11}{'named right':>13}")
    for label in TYPES:
        if gold[label] or found[label]:
            recall = f"{masked[label] / gold[label]:.3f}" if gold[label] else "-"
            precision = f"{right[label] / found[label]:.3f}" if found[label] else "-"
            own = f"{named[label] / found[label]:.3f}" if found[label] else "-"
            print(f"{label:10}{gold[label]:7}{recall:>9}{found[label]:7}{precision:>11}{own:>13}")
    print(f"not masked: {len(leaks)}" + (f", such as {leaks[:8]}" if leaks else ""))


def main() -> None:
    """Report on the sample, and on Presidio's sentences where they are."""
    report("data/sample (synthetic adverts)", sample())
    folder = os.environ.get("JOBLENS_REAL_DATA")
    if folder:
        report("Presidio research (synthetic sentences)", presidio(Path(folder) / PRESIDIO))


if __name__ == "__main__":
    main()
