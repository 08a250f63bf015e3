"""How long one advert takes, how many a second, and how large the bundle is; beside the lexical peer.

    joblens params experiment=demo && dvc repro train && invoke bench prediction
    python benchmarks/prediction.py --project FOLDER --ads 50

Adverts are those of the test part, which the bundle did not learn from. *Answer* is what follows cleaning:
encoding, network, calibration. Nothing is remembered between calls: every advert is cleaned and encoded anew.
The peer is the project's own: TF-IDF of words and characters with a linear support vector machine, set as in
its params.yaml and fitted to the training part, asked for the same cleaned adverts in turn with ours; it
needs no encoder, and says no probability. Models are warm, in one process, with as many threads as torch
takes (`OMP_NUM_THREADS`). Beside the wall time stands what the processors worked: the two differ where other
programs run, which is said.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from joblens.config import Lexical, load
from joblens.encoders.weights import find_files
from joblens.errors import ConfigError, DataError, JoblensError
from joblens.inference.classify import Classifier
from joblens.models.bundle import CLEANER, TITLES
from joblens.models.lexical import TOLERANCE
from joblens.paths import Layout
from joblens.records import CleanAd
from joblens.storage import read_table
from joblens.text import join_title

REPOSITORY = Path(__file__).parents[1]
MOST_SECONDS = 0.060
MOST_BYTES = 40_000_000
WARM_UP = 5  # calls; the first ones of a network are slower than the others
REPEATS = 5  # of the batch
LEAST_ADS = 2  # a percentile of one is none


class Took(NamedTuple):
    """Seconds of one call."""

    wall: float
    worked: float
    """Of all threads of this process together."""


@dataclass(frozen=True, slots=True)
class Adverts:
    """The test part as it came, and the training part as the peer reads it."""

    titles: list[str]
    texts: list[str]
    train_texts: list[str]
    """Title and clean text as one string."""
    train_labels: list[str]


def read_adverts(layout: Layout, most: int) -> Adverts:
    """The first `most` adverts of the test part (0: all), by id, and all of the training part.

    Raises:
        ConfigError: `most` is 1 or negative.
        DataError: The test part has fewer than two adverts.
    """
    if most != 0 and most < LEAST_ADS:
        raise ConfigError(f"--ads is {most}, expected {LEAST_ADS} or more, or 0 for all")
    ads = read_table(layout.ads, columns={"id", "title", "text", "label"})
    ads = ads.join(read_table(layout.splits, columns={"id", "split"}), on="id")
    clean = read_table(layout.clean_ads, columns={"id", "title", "clean_text"})
    ads = ads.join(clean.rename({"title": "clean_title"}), on="id").sort("id")
    test, train = ads.filter(split="test")[: most or None], ads.filter(split="train")
    if len(test) < LEAST_ADS:
        raise DataError(
            f"the test part has {len(test)} advert(s), expected {LEAST_ADS} or more; add adverts, or raise "
            "evaluation.split.test"
        )
    read = zip(train["clean_title"].fill_null(""), train["clean_text"], strict=True)
    return Adverts(
        titles=test["title"].fill_null("").to_list(),
        texts=test["text"].to_list(),
        train_texts=[join_title(title, text) for title, text in read],
        train_labels=train["label"].to_list(),
    )


def lexical_peer(adverts: Adverts, lexical: Lexical, seed: int) -> Any:
    """What `joblens.models.lexical` learns, as a scikit-learn pipeline that can be asked for new adverts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    vectorizers = [
        TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, min_df=lexical.min_df, sublinear_tf=True)
        for analyzer, ngrams in (("word", lexical.word_ngrams), ("char_wb", lexical.char_ngrams))
    ]
    machine = LinearSVC(C=lexical.C, tol=TOLERANCE, random_state=seed)
    return make_pipeline(make_union(*vectorizers), machine).fit(adverts.train_texts, adverts.train_labels)


def seconds(call: Callable[[], object]) -> Took:
    """Both times of one call."""
    start, work = time.perf_counter(), time.process_time()
    call()
    return Took(time.perf_counter() - start, time.process_time() - work)


def one_by_one(classifier: Classifier, peer: Any, adverts: Adverts) -> dict[str, list[Took]]:
    """Seconds of each advert, alone: cleaning, answer, both, and the peer, one after the other."""
    found: dict[str, list[Took]] = {"cleaning": [], "answer": [], "both": [], "peer": []}
    rows = list(zip(adverts.texts, adverts.titles, strict=True))
    warm_up = [place % len(rows) for place in range(WARM_UP)]
    for place, (text, title) in enumerate([*(rows[at] for at in warm_up), *rows]):
        cleaned: list[CleanAd] = []
        times = {
            "cleaning": seconds(lambda: cleaned.extend(classifier.clean([text], [title]))),  # noqa: B023
            "answer": seconds(lambda: classifier.guess(cleaned)),  # noqa: B023
            "both": seconds(lambda: classifier.predict([text], titles=[title])),  # noqa: B023
        }
        read = join_title(cleaned[0].title, cleaned[0].clean_text)
        times["peer"] = seconds(lambda: peer.decision_function([read]))  # noqa: B023
        if place >= WARM_UP:
            for name, took in times.items():
                found[name].append(took)
    return found


def print_times(times: dict[str, list[Took]]) -> None:
    """Median and 95th percentile of each step, in milliseconds."""
    print("\n| One advert | median, ms | 95th percentile, ms | processor, median, ms |\n|---|---:|---:|---:|")
    for name, step in (
        ("cleaned advert → answer", "answer"),
        ("raw advert → answer, cleaning included", "both"),
        ("cleaning alone", "cleaning"),
        ("cleaned advert → the peer's scores", "peer"),
    ):
        walls = [took.wall for took in times[step]]
        middle, high = statistics.median(walls), statistics.quantiles(walls, n=20)[-1]
        worked = statistics.median(took.worked for took in times[step])
        print(f"| {name} | {1000 * middle:.1f} | {1000 * high:.1f} | {1000 * worked:.1f} |")
    median = statistics.median(took.wall for took in times["answer"])
    held = "holds" if median <= MOST_SECONDS else "FAILS"
    print(f"\nbound {1000 * MOST_SECONDS:.0f} ms for a cleaned advert, median {1000 * median:.1f} ms: {held}")


def print_throughput(classifier: Classifier, peer: Any, cleaned: Sequence[CleanAd]) -> None:
    """Adverts a second of all cleaned adverts at once, ours and the peer's in turn."""
    read = [join_title(ad.title, ad.clean_text) for ad in cleaned]
    ours, others = [], []
    for _ in range(REPEATS):
        ours.append(seconds(lambda: classifier.guess(cleaned)))
        others.append(seconds(lambda: peer.decision_function(read)))
    print(f"\n| {len(read)} cleaned adverts at once | adverts/s, median of {REPEATS} | processor, ms each |")
    print("|---|---:|---:|")
    for name, times in (("this bundle", ours), ("TF-IDF and a support vector machine", others)):
        speed = len(read) / statistics.median(took.wall for took in times)
        worked = 1000 * statistics.median(took.worked for took in times) / len(read)
        print(f"| {name} | {speed:.0f} | {worked:.2f} |")
    ratio = statistics.median(two.wall / one.wall for one, two in zip(ours, others, strict=True))
    print(f"\nours is {ratio:.3f} times as fast as the peer, median of the ratios of {REPEATS} rounds")


def print_sizes(folder: Path, sentence_encoder: Path | None) -> None:
    """The bundle part by part, with and without its encoders."""
    parts = {
        "weights and settings": sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
        "cleaner": size(folder / CLEANER),
        "title encoder": size(folder / TITLES),
    }
    whole = sum(parts.values())
    print("\n| Part of the bundle | MB |\n|---|---:|")
    for name, count in parts.items():
        print(f"| {name} | {count / 1e6:.1f} |")
    print(f"| the folder as a whole | {whole / 1e6:.1f} |")
    if sentence_encoder is not None:
        print(f"| not in it: weights of the sentence encoder | {size(sentence_encoder) / 1e6:.1f} |")
    for name, count in (
        ("without any encoder", whole - parts["title encoder"]),
        ("the folder as a whole", whole),
    ):
        held = "holds" if count <= MOST_BYTES else "FAILS"
        print(f"\nbound {MOST_BYTES / 1e6:.0f} MB, {name} {count / 1e6:.1f} MB: {held}")


def size(folder: Path) -> int:
    """Bytes of all files below a folder; 0 when it is not there."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, default=REPOSITORY, help="folder where the pipeline ran")
    parser.add_argument("--bundle", type=Path, help="a bundle; none: the project's models/classifier")
    parser.add_argument("--ads", type=int, default=60, help="adverts of the test part, by id; 0: all")
    arguments = parser.parse_args()
    layout = Layout(arguments.project)
    folder = arguments.bundle or layout.classifier
    config = load(layout.params)
    adverts = read_adverts(layout, arguments.ads)
    classifier = Classifier.load(folder, device="cpu")
    peer = lexical_peer(adverts, config.baseline.lexical, config.seed)
    print(
        f"{classifier.name} {classifier.version}: {len(adverts.texts)} adverts of the test part, "
        f"{torch.get_num_threads()} thread(s) on {os.cpu_count()} cores, "
        f"{os.getloadavg()[0]:.1f} programs at work before this one"
    )
    print_times(one_by_one(classifier, peer, adverts))
    cleaned = classifier.clean(adverts.texts, adverts.titles)
    classifier.guess(cleaned)  # the first call of a size is slower than the others
    print_throughput(classifier, peer, cleaned)
    embedding = classifier.bundle.embedding
    print_sizes(folder, find_files(embedding) if embedding.encoder == "sentence_transformer" else None)


if __name__ == "__main__":
    try:
        main()
    except JoblensError as error:
        print(f"prediction: {error}", file=sys.stderr)
        sys.exit(2)
