"""Cleaning by joblens' GLiNER against `GLiNER.inference` of the same network on the same adverts, in one run.

    python benchmarks/clean.py                                  # the sample, with models/cleaner
    JOBLENS_REAL_DATA=FOLDER python benchmarks/clean.py         # the Polish adverts too, about 20 minutes
    JOBLENS_REAL_DATA=FOLDER python benchmarks/clean.py --ads 0 # the whole Polish file: hours

Ours is the whole cleaning: patterns, every word read, and nothing remembered at its start; in torch, and in
OpenVINO where it is installed, also in bfloat16 where the processor multiplies in it, or in the backends that
`--backend` names. What a backend needs is exported below `build/` first, which is in no figure. There are two
peers. *Cut* gives gliner whole adverts, and gliner cuts what is longer than its window: the words it has read
are counted. *Windows* gives it all the text in windows of sentences that it reads whole. Both are in torch
and in float32, read eight texts at once, and look for no patterns. Times are medians of three runs, ours and
the peers' in turn, but for that of cleaning 891 adverts, which is one run; what nine more cost is the median
of three from the same memory. Ratios say most about another machine. As in the stage, the garbage collector
leaves the loaded models alone, of ours and of the peers.
"""

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from joblens.config import Cleaning, Compute
from joblens.device import spared_from_collections
from joblens.extractors.cleaning import clean_ads
from joblens.extractors.gliner import GlinerExtractor, build, labels_of, load_gliner, open_model
from joblens.extractors.gliner_bundle import fingerprint, load_bundle
from joblens.extractors.gliner_exported import BACKENDS, has_bfloat16, open_exported
from joblens.extractors.patterns import PatternExtractor
from joblens.extractors.remembering import RememberingExtractor
from joblens.finetune.exporting import compare as compare_finds
from joblens.finetune.exporting import evenly, export, sentences_of
from joblens.records import Ad
from joblens.storage import replace_folder
from joblens.text import Span, chunks, sentences

REPOSITORY = Path(__file__).parents[1]
BUILD = REPOSITORY / "build" / "clean"
POLISH = "ads/pl_ads.parquet"
SAMPLE = "data/sample/ads.jsonl"
RUNS = 3
AGAIN = 900
"""Adverts that are cleaned once more with a hundredth new: all of the sample, and as many Polish ones."""
BATCH = 8  # what gliner takes when it is not told
THRESHOLD = 0.5  # of gliner, and of both where their entities are compared
Word = tuple[str, int, int]  # as it is read, its start and its end
COMPUTE = Compute(device="cpu", workers=1, encode_batch_size=16)


class Peer:
    """`GLiNER.inference` of the network in a folder, for the labels that the cleaning asks for.

    Args:
        folder: A cleaner of joblens.
        labels: What to look for.
    """

    def __init__(self, folder: Path, labels: Sequence[str]) -> None:
        self._model = load_bundle(folder).model
        processor = self._model.data_processor
        processor.words_splitter = _by_sentence(processor.words_splitter)
        self.labels = list(labels)

    def read(self, texts: list[str]) -> None:
        """Find the entities of texts as they are; what is too long is cut."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a text was cut; it is counted below
            self._model.inference(texts, self.labels, threshold=THRESHOLD, batch_size=BATCH)

    def spans(self, texts: list[str], label: str) -> list[list[Span]]:
        """Where each text has entities of one label."""
        found = self._model.inference(texts, [label], threshold=THRESHOLD, batch_size=BATCH)
        return [[(entity["start"], entity["end"]) for entity in entities] for entities in found]

    def words(self, texts: Sequence[str]) -> int:
        """How many words, by gliner's splitter, the texts have."""
        return sum(len(self._words(text)) for text in texts)

    def words_read(self, texts: Sequence[str]) -> int:
        """How many of them are left when gliner has cut the texts."""
        total = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            for text in texts:
                prepared = self._model.prepare_batch([text], self.labels)
                if prepared["input_x"]:
                    batch = self._model.collate_batch(prepared["input_x"], prepared["entity_types"])
                    total += int(batch["words_mask"].max())
        return total

    def windows(self, text: str) -> list[str]:
        """The text in as few pieces of whole sentences as gliner reads whole; longer sentences are cut."""
        tokenizer = self._model.data_processor.transformer_tokenizer
        room, most = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add(), self._most_words
        pieces: list[tuple[int, int, int, int]] = []  # start, end, words, subwords
        for start, end in sentences(text):
            split = list(self._model.data_processor.words_splitter(text[start:end]))
            words = [(first, last) for _, first, last in split]
            costs = [self._subwords(word) for word, _, _ in split]
            for first, last in chunks(costs, room, most=most):
                place = (start + words[first][0], start + words[last - 1][1])
                pieces.append((*place, last - first, sum(costs[first:last])))
        packed: list[Span] = []
        words_left = room_left = 0
        for start, end, count, cost in pieces:
            if count <= words_left and cost <= room_left:
                packed[-1] = (packed[-1][0], end)
            else:
                packed.append((start, end))
                words_left, room_left = most, room
            words_left, room_left = words_left - count, room_left - cost
        return [text[start:end] for start, end in packed]

    @property
    def _most_words(self) -> int:
        return int(self._model.config.max_len)

    def _words(self, text: str) -> list[Span]:
        return [(start, end) for _, start, end in self._model.data_processor.words_splitter(text)]

    def _subwords(self, word: str) -> int:
        tokenizer = self._model.data_processor.transformer_tokenizer
        return len(tokenizer([word], is_split_into_words=True, add_special_tokens=False)["input_ids"])


def _by_sentence(split: Callable[[str], Iterable[Word]]) -> Callable[[str], Iterator[Word]]:
    """A splitter that reads each sentence by itself, as the stage does: its language decides how."""

    def words(text: str) -> Iterator[Word]:
        for start, end in sentences(text):
            for word, first, last in split(text[start:end]):
                yield word, start + first, start + last

    return words


class Cleaner:
    """The cleaning as stage `clean` does it, remembering in a folder.

    Args:
        cleaning: With which model, and how it runs.
    """

    def __init__(self, cleaning: Cleaning) -> None:
        self._cleaning = cleaning
        self._extractor = load_gliner(cleaning, COMPUTE)

    def clean(self, ads: Sequence[Ad], memory: Path) -> None:
        """Clean adverts, and see that every word was read."""
        extractor = RememberingExtractor(self._extractor, memory)
        patterns = RememberingExtractor(PatternExtractor(), memory, unit="texts")
        cleaned = clean_ads(ads, self._cleaning, extractor, patterns=patterns)
        if any(ad.words_in != ad.words_read for ad in cleaned):
            raise SystemExit("not every word was read")


def seconds(work: Callable[[], None]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def joined(ads: Sequence[Ad]) -> list[str]:
    """Title and text of each advert as one."""
    return [f"{ad.title}\n{ad.text}" for ad in ads]


def cuts(ad: Ad) -> list[str]:
    """The sentences of title and text."""
    return [text[start:end] for text in (ad.title, ad.text) for start, end in sentences(text)]


def repeated(ads: Sequence[Ad]) -> float:
    """Share of sentences that stood in the adverts before."""
    every = [sentence for ad in ads for sentence in cuts(ad)]
    return 1 - len(set(every)) / len(every)


def without_repeats(ads: Sequence[Ad]) -> list[Ad]:
    """Adverts of the sentences that came in none before them, each once; without any, none is made."""
    seen: set[str] = set()
    fresh: list[Ad] = []
    for ad in ads:
        new = [sentence for sentence in dict.fromkeys(cuts(ad)) if sentence not in seen]
        seen.update(new)
        if new:
            fresh.append(Ad(ad.id, "", "\n".join(new)))
    return fresh


def compare(name: str, ads: Sequence[Ad], cleaners: Mapping[str, Cleaner], peer: Peer) -> None:
    """Print how long ours and both peers take for the adverts."""
    whole = joined(ads)
    windows = [window for text in whole for window in peer.windows(text)]
    words = peer.words(whole)
    read = dict.fromkeys(cleaners, words)
    read |= {"cut": peer.words_read(whole), "windows": peer.words_read(windows)}
    runs: dict[str, list[float]] = {label: [] for label in read}
    for _ in range(RUNS):
        for label, cleaner in cleaners.items():
            with tempfile.TemporaryDirectory() as memory:
                work = partial(cleaner.clean, ads, Path(memory))
                runs[label].append(seconds(work))
        runs["cut"].append(seconds(lambda: peer.read(whole)))
        runs["windows"].append(seconds(lambda: peer.read(windows)))
    median = {label: statistics.median(times) for label, times in runs.items()}
    print(f"\n{name}: {len(ads)} adverts, {words} words, {repeated(ads):.0%} of the sentences repeated")
    print(
        f"{'':14}{'adverts/s':>10}{'words read':>12}{'against cut':>13}{'a word':>9}"
        f"{'against windows':>17}  seconds"
    )
    for label, times in runs.items():
        ratios = median["cut"] / median[label], median["windows"] / median[label]
        a_word = ratios[0] * read[label] / read["cut"]
        every = " ".join(f"{one:.1f}" for one in times)
        print(
            f"{label:14}{len(ads) / median[label]:10.1f}{read[label]:12}{ratios[0]:12.2f}x{a_word:8.2f}x"
            f"{ratios[1]:16.2f}x  {every}",
            flush=True,
        )


def again(name: str, ads: Sequence[Ad], cleaner: Cleaner) -> None:
    """Print what the last hundredth of the adverts costs once the others are cleaned: the median of runs."""
    old = ads[: len(ads) - max(1, len(ads) // 100)]
    known = {sentence for ad in old for sentence in cuts(ad)}
    new = [sentence for ad in ads[len(old) :] for sentence in cuts(ad)]
    unknown = sum(sentence not in known for sentence in new)
    with tempfile.TemporaryDirectory() as folder:
        memory = Path(folder) / "of the others"
        full = seconds(lambda: cleaner.clean(old, memory))
        copies = [shutil.copytree(memory, Path(folder) / str(number)) for number in range(RUNS)]
        more = statistics.median(seconds(partial(cleaner.clean, ads, copy)) for copy in copies)
        same = statistics.median(seconds(partial(cleaner.clean, ads, copy)) for copy in copies)
    print(
        f"\n{name}: {len(old)} adverts take {full:.2f} s; with {len(ads) - len(old)} more, {unknown} of "
        f"whose {len(new)} sentences are new, {more:.2f} s, {more / full:.1%} of that (limit 5 %); "
        f"with nothing new {same:.2f} s",
        flush=True,
    )


def agreement_with_torch(name: str, ads: Sequence[Ad], settings: Mapping[str, Cleaning]) -> None:
    """Print how many entities of each other backend are those of torch, at the model's own thresholds."""
    texts = evenly(list(dict.fromkeys(sentence for ad in ads for sentence in cuts(ad))))
    in_torch = load_gliner(settings["torch"], COMPUTE)
    for backend in [backend for backend in settings if backend != "torch"]:
        found = compare_finds(backend, in_torch, load_gliner(settings[backend], COMPUTE), texts)
        print(
            f"\n{name}, {backend}: F1 {found.f1():.4f} with torch on {found.sentences} sentences; "
            f"{found.other.total()} entities of {found.torch.total()}, {found.both.total()} the same",
            flush=True,
        )


def agreement(ads: Sequence[Ad], settings: Mapping[str, Cleaning], peer: Peer) -> None:
    """Print how many entities of each backend are gliner's own, sentence by sentence, at one threshold.

    gliner is asked for one label at a time: asked for several it keeps one of all entities that overlap, and
    ours keeps one a label. The network has an encoder of its own for labels, so none of them sees another.
    Ours reads a sentence as a chain, gliner word by word; the first line lets ours do that too, so that it
    compares everything before.
    """
    texts = list(dict.fromkeys(sentence for ad in ads for sentence in cuts(ad)))
    theirs = {
        (row, start, end, label)
        for label in peer.labels
        for row, spans in enumerate(peer.spans(texts, label))
        for start, end in spans
    }
    print(f"\nagreement with gliner on {len(texts)} sentences at threshold {THRESHOLD}:")
    for backend, cleaning in settings.items():
        same = cleaning.model_copy(update={"threshold": THRESHOLD})
        for reading, extractor in (
            ("word by word", word_by_word(same)),
            ("as a chain", load_gliner(same, COMPUTE)),
        ):
            ours = {
                (row, entity.start, entity.end, entity.label)
                for row, entities in enumerate(extractor.extract(texts))
                for entity in entities
            }
            f1 = 2 * len(ours & theirs) / max(1, len(ours) + len(theirs))
            print(
                f"{backend}, read {reading}: F1 {f1:.4f}; {len(ours)} entities of ours, {len(theirs)} of "
                f"gliner's, {len(ours & theirs)} the same"
            )


def word_by_word(cleaning: Cleaning) -> GlinerExtractor:
    """Ours, reading scores as gliner does: start, end and inside of each word by themselves."""
    model, thresholds, fingerprint = open_model(cleaning)
    model.config.is_chain = False
    network = None
    if cleaning.backend != "torch":
        network, _ = open_exported(Path(cleaning.model or ""), cleaning.backend, labels_of(cleaning))
    return build(model, thresholds, fingerprint, cleaning, COMPUTE, network)


def sample_ads() -> list[Ad]:
    """The bundled synthetic adverts, reposts among them, in their order."""
    lines = (REPOSITORY / SAMPLE).read_text(encoding="utf-8").splitlines()
    return [Ad(ad["id"], ad["title"], ad["text"]) for ad in map(json.loads, lines)]


def polish_ads() -> list[Ad]:
    """The Polish adverts in the order of their file; none where they are not."""
    folder = os.environ.get("JOBLENS_REAL_DATA")
    if not folder:
        return []
    table = pl.read_parquet(Path(folder) / POLISH)
    return [
        Ad(row["id"], row["title"] or "", row["description"] or "") for row in table.iter_rows(named=True)
    ]


def with_exported(folder: Path, backend: str) -> Cleaning:
    """Settings of the cleaner in a folder for a backend; what it needs is written, unless it is there."""
    cleaning = Cleaning(extractor="gliner", model=str(folder), backend=backend)
    if backend == "torch":
        return cleaning
    copy = BUILD / f"{folder.name}-{fingerprint(folder)[:12]}"
    if not copy.is_dir():
        with replace_folder(copy) as temporary:
            shutil.copytree(folder, temporary, dirs_exist_ok=True)
    cleaning = cleaning.model_copy(update={"model": str(copy)})
    if not (copy / backend).is_dir():
        found = export(cleaning, sentences_of(REPOSITORY / SAMPLE))
        print(f"{backend} agrees with torch on F1 {found.f1():.4f} in {found.sentences} sentences")
    return cleaning


def installed_backends() -> list[str]:
    """torch, and OpenVINO in what it and the processor can do."""
    if importlib.util.find_spec("openvino") is None:
        print('OpenVINO is not installed and left out; `pip install "joblens[openvino]"` brings it')
        return ["torch"]
    return ["torch", "openvino", *(["openvino_bf16"] if has_bfloat16() else [])]


def measure(
    name: str, ads: Sequence[Ad], most: int | None, cleaners: Mapping[str, Cleaner], peer: Peer
) -> None:
    """Print the times of one corpus: with its repeats, without, and once a hundredth is new."""
    part = ads[:most]
    kept = f"first {len(part)} of {len(ads)}; of all, {repeated(ads):.0%} of the sentences are repeated"
    compare(f"{name} ({kept})", part, cleaners, peer)
    compare(f"{name}, no sentence twice", without_repeats(part)[: len(part) // 2], cleaners, peer)
    for label, cleaner in cleaners.items():
        again(f"{name}, 1 % new, {label}", ads[:AGAIN], cleaner)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--model", type=Path, default=REPOSITORY / "models/cleaner", help="a cleaner of joblens"
    )
    parser.add_argument("--ads", type=int, default=180, help="adverts of each corpus, from its first; 0: all")
    parser.add_argument(
        "--backend",
        choices=("torch", *BACKENDS),
        action="append",
        help="of ours, may come again; peers are in torch",
    )
    arguments = parser.parse_args()
    backends = arguments.backend or installed_backends()
    settings = {backend: with_exported(arguments.model, backend) for backend in backends}
    cleaners = {f"ours, {backend}": Cleaner(cleaning) for backend, cleaning in settings.items()}
    labels = labels_of(next(iter(settings.values())))  # those of all: settings differ in what runs them
    peer = Peer(arguments.model, labels)
    peer.read(["Kok"])  # the first call of a network is slower than the others
    corpora = {"sample with reposts": sample_ads(), "Polish adverts": polish_ads()}
    for name, ads in corpora.items():
        if not ads:
            print(f"\n{name}: JOBLENS_REAL_DATA names no folder with them")
            continue
        with spared_from_collections():  # as the stage does; for the peers as well
            measure(name, ads, arguments.ads or None, cleaners, peer)
        if "torch" in settings:
            agreement_with_torch(name, ads, settings)
    agreement(corpora["sample with reposts"][:100], settings, peer)


if __name__ == "__main__":
    main()
