"""The words of occupations, by which a cleaner's find in a title is known to be no name.

    python -m joblens.finetune.job_words FOLDER

FOLDER holds `esco/` (ESCO, Commission Decision 2011/833/EU). Writes `extractors/job_words.json`. Words that
are names as well are listed apart: Faker's, as far as they are for training, so that the leak meter's are
not looked at.
"""

import csv
import gzip
import json
import sys
from collections import Counter
from pathlib import Path

from joblens.errors import DataError
from joblens.extractors import believing
from joblens.extractors.letters import WORD
from joblens.sources.personal.names import LANGUAGES, names
from joblens.storage import write_json
from joblens.text import without_diacritics

TABLES = {
    "da": ("esco_labels_da.csv.gz", ("label",)),
    "no": ("esco_labels_no.csv.gz", ("label",)),
    "sv": ("esco_labels_sv.csv.gz", ("label",)),
    "es": ("esco_labels_es.csv.gz", ("label",)),
    "en": ("esco_occupations_en_2022.csv.gz", ("preferredLabel", "altLabels", "hiddenLabels")),
}
COMPOUNDING = frozenset({"da", "no", "sv"})
"""Languages that write compounds as one word."""
SHORTEST_HEAD = 6
FEWEST_COMPOUNDS = 3
"""A head is the last part of so many other labels."""

FUNCTION_WORDS = frozenset("a d da de den der do en la las los o om som the van y".split())
"""Names to Faker, and in every other label."""


def job_words(folder: Path) -> dict[str, list[str]]:
    """Casefolded words of ESCO's occupations.

    Args:
        folder: Holds the tables.

    Returns:
        `words`, those of them that also end compounds as `heads`, and `names` that would be taken for either.

    Raises:
        DataError: A table is missing.
    """
    found: set[str] = set()
    single: set[str] = set()
    for language, (name, columns) in TABLES.items():
        for label in _labels(folder / name, columns):
            words = [word.casefold() for word in WORD.findall(label)]
            found.update(words)
            if language in COMPOUNDING and words == [label.casefold()]:
                single.update(words)
    known = {
        name.casefold()
        for language in LANGUAGES
        for listed in (names(language, "train").given, names(language, "train").family)
        for name in listed
    } - FUNCTION_WORDS
    endings = Counter(
        word[start:]
        for word in single
        for start in range(believing.SHORTEST_REST, len(word) - SHORTEST_HEAD + 1)
    )
    heads = {word for word in single - known if endings[word] >= FEWEST_COMPOUNDS}
    folded_words, folded_heads = (set(map(without_diacritics, words)) for words in (found, heads))
    mistaken = {name for name in known if believing.reads_as_job(name, folded_words, folded_heads)}
    return {"words": sorted(found - mistaken), "heads": sorted(heads), "names": sorted(mistaken)}


def _labels(path: Path, columns: tuple[str, ...]) -> list[str]:
    if not path.is_file():
        raise DataError(f"{path} is not there; give the folder that holds `esco/` with this table")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [
            label.strip()
            for row in csv.DictReader(file)
            for column in columns
            for label in (row[column] or "").split("\n")
        ]


def main() -> None:
    """Write the list."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m joblens.finetune.job_words FOLDER")
    try:
        found = job_words(Path(sys.argv[1]) / "esco")
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    write_json(believing.JOB_WORDS, found)
    sys.stdout.write(json.dumps({key: len(words) for key, words in found.items()}) + "\n")


if __name__ == "__main__":
    main()
