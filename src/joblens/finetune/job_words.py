"""The words of occupations, by which a cleaner's find in a title is known to be no name.

`joblens finetune job-words` writes them to `extractors/job_words.json`, from ESCO (Commission Decision
2011/833/EU). Words that are names as well are listed apart: Faker's, as far as they are for training, so that
the leak meter's are not looked at.
"""

from collections import Counter
from pathlib import Path

from joblens.config import TitlesFlow
from joblens.errors import ConfigError
from joblens.extractors import believing
from joblens.extractors.letters import WORD
from joblens.finetune.titles.concepts import table_labels
from joblens.sources.personal.names import LANGUAGES, names
from joblens.text import without_diacritics

TABLES = (
    "ESCO occupations, English",
    "ESCO labels, Danish",
    "ESCO labels, Norwegian",
    "ESCO labels, Spanish",
    "ESCO labels, Swedish",
)
"""Sources of `configs/finetune/titles.yaml`."""
COMPOUNDING = frozenset({"da", "no", "sv"})
"""Languages that write compounds as one word."""
SHORTEST_HEAD = 6
FEWEST_COMPOUNDS = 3
"""A head is the last part of so many other labels."""

FUNCTION_WORDS = frozenset("a d da de den der do en la las los o om som the van y".split())
"""Names to Faker, and in every other label."""


def job_words(flow: TitlesFlow, data: Path) -> dict[str, list[str]]:
    """Casefolded words of ESCO's occupations.

    Args:
        flow: Its sources named in `TABLES` are read.
        data: The folder their paths are relative to.

    Returns:
        `words`, those of them that also end compounds as `heads`, and `names` that would be taken for either.

    Raises:
        ConfigError: The flow has no source of such a name.
        DataError: A table is missing, or lacks a column.
    """
    sources = {source.name: source for source in flow.sources}
    if missing := [name for name in TABLES if name not in sources]:
        raise ConfigError(f"no source is named {missing[0]!r}; name it in configs/finetune/titles.yaml")
    found: set[str] = set()
    single: set[str] = set()
    for source in (sources[name] for name in TABLES):
        for label in table_labels(source, data):
            words = [word.casefold() for word in WORD.findall(label)]
            found.update(words)
            if source.language in COMPOUNDING and words == [label.strip().casefold()]:
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
