"""A trained bundle at work: texts in, guesses out, along the same path as the pipeline."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch

from joblens.config import Cleaning, Compute, Embedding
from joblens.encoders import Encoder, build_encoder, encode_ads
from joblens.encoders.titled import TitledEncoder
from joblens.errors import BundleError, DataError, short
from joblens.extractors import Extractor, build_extractor
from joblens.extractors.cleaning import Part, clean_ads, read_ads
from joblens.extractors.memory import MemoryExtractor
from joblens.extractors.patterns import PatternExtractor
from joblens.models.bundle import CLEANER, TITLES, Bundle, own_folder, read_bundle
from joblens.models.bundle.replacing import bundle_version
from joblens.models.calibration import abstains, prediction_sets, probabilities
from joblens.models.wide_deep import Inputs, WideDeep, logits_of
from joblens.records import Ad, CleanAd, Guess
from joblens.sources.html import html_to_text
from joblens.text import join_title, normalise, word_count

if TYPE_CHECKING:
    from torch import Tensor

NO_TEXT = "no text"
"""The reason of a guess for an advert without anything to read."""

TOP = 3


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """N adverts as they were read, and what was guessed."""

    ads: list[CleanAd]
    guesses: list[Guess]
    vectors: "Tensor"
    """(n, D) of the n <= N adverts that have words, in their order."""


class Classifier:
    """A bundle with the extractor and encoder it was trained with.

    The same text gives the same guess. Threads may share one: they take turns at the models.

        from joblens import Classifier

        classifier = Classifier.load("models/classifier")
        (guess,) = classifier.predict(["We are looking for a nurse for our ward."])
        print(guess.label, guess.probability)
    """

    def __init__(
        self, bundle: Bundle, extractor: Extractor, encoder: Encoder, *, name: str, version: str
    ) -> None:
        """Put the parts together; `load` reads them from a folder.

        Raises:
            BundleError: The encoder or the extractor is not the one that the bundle was trained with.
        """
        if encoder.fingerprint != bundle.encoder_fingerprint:
            raise BundleError(
                f"bundle {name!r} was trained with encoder {bundle.encoder_fingerprint[:12]}, this is "
                f"{encoder.fingerprint[:12]} ({bundle.embedding.model}); install the joblens version and the "
                "weights it was trained with, or train again with `dvc repro`"
            )
        if extractor.fingerprint != bundle.extractor_fingerprint:
            raise BundleError(
                f"bundle {name!r} was trained with extractor {bundle.extractor_fingerprint[:12]}, this is "
                f"{extractor.fingerprint[:12]} ({extractor.name}); install the joblens version and "
                "the model it was trained with, or train again with `dvc repro`"
            )
        self.bundle = bundle
        self.name = name
        self.version = version
        self._extractor = extractor
        self._encoder = encoder
        self._text_encoder = encoder.text if isinstance(encoder, TitledEncoder) else encoder
        self._turn = threading.Lock()  # tokenizers must not be shared between threads

    @classmethod
    def load(
        cls, folder: str | Path, *, device: str = "auto", encode_batch_size: int = 32, remember: int = 0
    ) -> Self:
        """Read a bundle and build what it needs.

        Args:
            folder: The bundle that `train` wrote.
            device: `auto`, `cpu` or `gpu`; changes speed, not answers.
            encode_batch_size: Texts encoded at once; changes speed and memory, not answers.
            remember: How many of the sentences read last are not read again when they come again.

        Raises:
            BundleError: The bundle is missing, damaged, made for another encoder or extractor, or replaced
                while it is read.
            ModelError: The encoder's or extractor's weights are missing or not the expected ones.
            DeviceError: The asked-for device is not there.
        """
        folder = Path(folder)
        version = bundle_version(folder)
        bundle = read_bundle(folder)
        compute = Compute.model_validate(
            {"device": device, "workers": 1, "encode_batch_size": encode_batch_size}
        )
        cleaning, embedding = _with_own_models(bundle, folder)
        extractor = build_extractor(cleaning, compute)
        encoder = build_encoder(embedding, compute)
        if bundle_version(folder) != version:
            raise BundleError(f"the bundle {folder} was replaced while it was read; start again")
        return cls(
            bundle,
            MemoryExtractor(extractor, remember) if remember else extractor,
            encoder,
            name=folder.resolve().name,
            version=version,
        )

    def predict(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> list[Guess]:
        """One guess for each text, in their order.

        An advert that has no words, or none left after cleaning, gets no label: its guess is abstained with
        the reason `no text`, an empty label, probability 0, an empty top and every label in its prediction
        set.

        Args:
            texts: Adverts as they are. HTML becomes plain text when the bundle was trained so (`data.html`);
                else tags are read as words.
            titles: Their titles; None, or None for one of them, where there is none. They are read only when
                the bundle was trained with titles.

        Raises:
            DataError: A text is None, NaN or not a string, or there are more or fewer titles than texts.
        """
        return self.guess(self.clean(texts, titles))

    def clean(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> list[CleanAd]:
        """Adverts as the network reads them, in their order; see `predict` for the arguments and errors."""
        ads = _ads(texts, titles, uses_title=self.bundle.uses_title, is_html=self.bundle.html)
        with self._turn, torch.inference_mode():
            return clean_ads(ads, self.bundle.cleaning, self._extractor)

    def parts(
        self, texts: Sequence[str], titles: Sequence[str | None] | None = None
    ) -> list[tuple[Part, Part]]:
        """Title and text of each advert with all that the extractor and the patterns found in them.

        Titles are read even where the bundle leaves them out. See `predict` for the arguments and errors.
        """
        ads = _ads(texts, titles, uses_title=True, is_html=self.bundle.html)
        with self._turn, torch.inference_mode():
            return read_ads(ads, self.bundle.cleaning, self._extractor, PatternExtractor())

    def guess(self, ads: Sequence[CleanAd]) -> list[Guess]:
        """One guess for each advert that `clean` gave, in their order; see `predict`."""
        return self._answers(list(ads)).guesses

    def answers(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Answers:
        """The guesses of `predict`, with the cleaned adverts and the vectors that they were made from."""
        return self._answers(self.clean(texts, titles))

    def _answers(self, ads: list[CleanAd]) -> Answers:
        read = [join_title(ad.title, ad.clean_text) for ad in ads]
        rows = [row for row, text in enumerate(read) if word_count(text)]
        guesses = [Guess("", 0.0, (), self.bundle.labels, abstained=True, reason=NO_TEXT)] * len(ads)
        if not rows:
            return Answers(ads, guesses, torch.empty(0, self.bundle.embedding.width))
        inputs = self.inputs([ads[row].title for row in rows], [ads[row].clean_text for row in rows])
        for row, guess in zip(rows, self.answer(self.logits(inputs)), strict=True):
            guesses[row] = guess
        return Answers(ads, guesses, inputs.vectors)

    @property
    def reads_words(self) -> bool:
        """Whether words of the text count by themselves too, beside what `text_vectors` gives."""
        return self.bundle.embedding.words_weight > 0 or isinstance(self.bundle.network, WideDeep)

    def text_vectors(self, titles: Sequence[str], texts: Sequence[str]) -> "Tensor":
        """Vectors of N cleaned titles and texts read as one, without other sides: (N, D of the text side)."""
        joined = [join_title(title, text) for title, text in zip(titles, texts, strict=True)]
        with self._turn, torch.inference_mode():
            return self._text_encoder.encode(joined)

    def inputs(
        self, titles: Sequence[str], texts: Sequence[str], text_vectors: "Tensor | None" = None
    ) -> Inputs:
        """What the network reads of N cleaned adverts.

        Args:
            titles: Their titles, empty where there is none.
            texts: Their cleaned texts.
            text_vectors: (N, D of the text side) in place of their own, which are most of the work.
        """
        known = None if text_vectors is None else (lambda *_: text_vectors)
        with self._turn, torch.inference_mode():
            vectors = encode_ads(self._encoder, titles, texts, known)
        return Inputs(
            vectors, titles, [join_title(title, text) for title, text in zip(titles, texts, strict=True)]
        )

    def logits(self, inputs: Inputs) -> "Tensor":
        """(N, C) logits as the network gives them, before calibration."""
        with self._turn:
            return logits_of(self.bundle.network, inputs)

    def answer(self, logits: "Tensor") -> list[Guess]:
        """A calibrated guess for each row of (N, C) logits."""
        scaled = probabilities(logits, self.bundle.calibration)  # (N, C)
        sets = prediction_sets(scaled, self.bundle.calibration)
        unsure = abstains(scaled, self.bundle.calibration).tolist()
        return [self._guess(*row) for row in zip(scaled, sets, unsure, strict=True)]

    def _guess(self, row: "Tensor", inside: Sequence[int], is_unsure: bool) -> Guess:
        """One row of probabilities (C,) with its prediction set as a guess."""
        labels = self.bundle.labels
        likeliest = row.argsort(descending=True, stable=True)[:TOP].tolist()  # ties go to the lower index
        top = tuple((labels[index], float(row[index])) for index in likeliest)
        label, probability = top[0]
        reason = None
        if is_unsure:
            threshold = self.bundle.calibration.abstain_below
            reason = (
                f"probability {probability:.3f} is below {threshold:.3f}, where the model starts to answer"
            )
        return Guess(
            label=label,
            probability=probability,
            top=top,
            prediction_set=tuple(labels[index] for index in inside),
            abstained=is_unsure,
            reason=reason,
            crossing=crossing(inside, self.bundle),
        )


def crossing(inside: Sequence[int], bundle: Bundle) -> str | None:
    """What to say of a prediction set that holds a label which cuts across the others, and another.

    It names the likeliest such label and the likeliest other one. None when there is no such pair, or when a
    set says nothing because the bundle puts every label into each.

    Args:
        inside: The set's class indices, likeliest first.
        bundle: Knows the labels, and which of them cut across.
    """
    across = next((index for index in inside if index in bundle.crosscutting), None)
    if across is None or len(inside) < 2 or bundle.calibration.set_threshold == 0:
        return None
    other = next(index for index in inside if index != across)
    first, second = sorted((across, other), key=list(inside).index)
    return f"{bundle.labels[first]} and {bundle.labels[second]} cut across each other: both may be right"


def _ads(
    texts: Sequence[str], titles: Sequence[str | None] | None, *, uses_title: bool, is_html: bool
) -> list[Ad]:
    """Adverts as `ingest` makes them; their titles are empty when they are not to be used."""
    if isinstance(texts, str):
        raise DataError("texts is one string, expected a list of them; put it in a list: predict([text])")
    texts = list(texts)
    titles = [None] * len(texts) if titles is None else list(titles)
    if len(titles) != len(texts):
        raise DataError(
            f"there are {len(titles)} titles for {len(texts)} texts; "
            "give one for each, None where there is none"
        )
    ads = []
    for row, (title, text) in enumerate(zip(titles, texts, strict=True)):
        read_title = _readable("" if title is None else title, row, "title", is_html)
        read_text = _readable(text, row, "text", is_html)
        ads.append(Ad(id=str(row), title=read_title if uses_title else "", text=read_text))
    return ads


def _readable(value: object, row: int, field: str, is_html: bool) -> str:
    if not isinstance(value, str):
        is_nan = isinstance(value, float) and isnan(value)
        found = "None" if value is None else "NaN" if is_nan else type(value).__name__
        raise DataError(
            f"{field} {row} is {found}, expected a string; leave the row out or give it an empty string"
        )
    return normalise(html_to_text(value) if is_html else value)


def _with_own_models(bundle: Bundle, folder: Path) -> tuple[Cleaning, Embedding]:
    """The bundle's cleaning and embedding, with the folders of the models it brings along."""
    cleaning, embedding = bundle.cleaning, bundle.embedding
    cleaner, titles = own_folder(folder, CLEANER), own_folder(folder, TITLES)
    if cleaner:
        cleaning = cleaning.model_copy(update={"model": str(cleaner)})
    if titles:
        key = "titles" if embedding.titles else "model"
        embedding = embedding.model_copy(update={key: str(titles)})
    for key, value in (
        ("cleaning.model", cleaning.model),
        ("embedding.model", embedding.model),
        ("embedding.titles", embedding.titles),
    ):
        if value and value not in (str(cleaner), str(titles)) and ".." in Path(value).parts:
            raise BundleError(
                f"bundle {folder.resolve().name!r} names {key} {short(value)}, a path that climbs out of "
                "the folder where it is used; train with a whole path, or one below the project's folder"
            )
    return cleaning, embedding
