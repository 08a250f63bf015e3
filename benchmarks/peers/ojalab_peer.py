"""The linear classifier of OJALAB as a peer: a tree of logistic regressions over stemmed words.

    python ojalab_peer.py TASK.json RESULT.json --language pl

The method of the linear backend of OJALAB's job-ads-classifier 0.3.0, written anew because that package is on
no package index (https://github.com/OJALAB/job-ads-classifier; Beręsewicz, Wydmuch, Cherniaiev, Pater; MIT
licence). Taken over from its `LinearJobOffersClassifier` with the defaults of its command line:

- text: punctuation becomes a space; every word is lower-cased and stemmed with the polimorf table of
  pystempel; then the stop words of `stop-words` are dropped;
- features: TF-IDF of the words found in at least two training adverts, no other setting;
- classifier: hierarchical softmax of napkinXC (`HSM`), c=10 and eps=0.001, its own defaults otherwise; the
  tree has a level for the first 1, 2, 3, 4 and 6 digits of the occupation code.

Different from it: an advert is its title, a space and its text; napkinXC gets the task's seed and one thread,
since with more its scores differ every time; the tree has only codes that training adverts have; and label
names that are not digit codes of one length hang under one root. Its text processing knows Polish only: for
another `--language` words are not stemmed, and `none` keeps stop words too. `exchange.py` says what the two
files hold, `ojalab.txt` what must be installed.
"""

import argparse
import ctypes
import os
import string
from collections.abc import Callable
from functools import cache
from pathlib import Path

from exchange import Fit, Predict, Scores, Task, TaskError, command_line, run_peer

PACKAGES = ("napkinxc", "pystempel", "stop-words", "scikit-learn", "scipy", "numpy")
LEVELS = (1, 2, 3, 4, 6)
Stem = Callable[[str], str | None]
SPACES = str.maketrans(dict.fromkeys(string.punctuation, " "))


def label_tree(names: list[str], trained: list[int]) -> list[tuple[int, int, int]]:
    """The tree of labels in napkinXC's form.

    Args:
        names: All label names.
        trained: Those to put in, as positions in `names`.

    Returns:
        (parent, node, label) for every node, parents first. The root is node 0 with parent -1; a leaf's label
        is a position in `trained`, any other node's is -1.
    """
    codes = all(name.isascii() and name.isdigit() and len(name) == len(names[0]) for name in names)
    tree = [(-1, 0, -1)]
    groups: dict[str, int] = {}
    for label, position in enumerate(trained):
        name, parent = names[position], 0
        for digits in LEVELS if codes else ():
            group = name[:digits]
            if digits < len(name) and group not in groups:
                groups[group] = len(tree)
                tree.append((parent, groups[group], -1))
            parent = groups.get(group, parent)
        tree.append((parent, len(tree), label))
    return tree


def stop_words_of(language: str) -> frozenset[str]:
    """The words to drop; empty for `none`.

    Raises:
        TaskError: There are none for the language.
    """
    from stop_words import StopWordError, get_stop_words

    try:
        return frozenset(get_stop_words(language) if language != "none" else ())
    except StopWordError as error:
        raise TaskError(f"--language should have stop words, or be none (found {language!r})") from error


def polish_stemmer() -> Stem:
    """The stem of a Polish word; None if the table has nothing for it."""
    os.environ["DISABLE_TQDM"] = "True"
    from pystempel import Stemmer

    return Stemmer.polimorf()


def word_reader(stem: Stem, stop_words: frozenset[str]) -> Callable[[str], str]:
    """A function that gives the words of an advert that count, with a space between."""
    stem_once = cache(stem)  # looking a word up is slow

    def read(advert: str) -> str:
        words = (stem_once(word.lower()) for word in advert.translate(SPACES).split())
        return " ".join(word for word in words if word is not None and word not in stop_words)

    return read


def prepare(task: Task, options: argparse.Namespace) -> Fit:
    """Load the libraries, the stop words and the stemmer's table."""
    from napkinxc.models import HSM
    from sklearn.feature_extraction.text import TfidfVectorizer

    stop_words = stop_words_of(options.language)
    stem = polish_stemmer() if options.language == "pl" else str
    adverts = [f"{title} {text}" for title, text in zip(task.titles, task.texts, strict=True)]

    def fit(train: list[int], scratch: Path) -> Predict:
        read = word_reader(stem, stop_words)
        vectorizer = TfidfVectorizer(lowercase=False, min_df=2)
        features = vectorizer.fit_transform([read(adverts[row]) for row in train])
        trained = sorted({task.labels[row] for row in train})
        tree = label_tree(task.names, trained)
        ctypes.CDLL(None).srand(task.seed)  # LIBLINEAR's numbers: HSM's seed is not for them
        model = HSM(str(scratch), tree_structure=tree, c=10, eps=0.001, seed=task.seed, threads=1)
        model.fit(features, [trained.index(task.labels[row]) for row in train])

        def predict(rows: list[int]) -> Scores:
            features = vectorizer.transform([read(adverts[row]) for row in rows])
            scores = [[0.0] * len(task.names) for _ in rows]
            for row, found in zip(scores, model.predict_proba(features, top_k=len(trained)), strict=True):
                for label, probability in found:
                    row[trained[label]] = probability
            return scores

        return predict

    return fit


def main() -> None:
    """Read the command line and do the runs."""
    parser = command_line(__doc__)
    parser.add_argument(
        "--language", default="pl", help="of the adverts: pl, another with stop words, or none"
    )
    run_peer("ojalab", parser.parse_args(), PACKAGES, prepare)


if __name__ == "__main__":
    main()
