"""Why a guess: the entities and words of the advert that moved it, and the training adverts most like it.

What a word did is what happens to the guessed label when it is taken out wherever it stands: occlusion
(Zeiler & Fergus, "Visualizing and understanding convolutional networks", 2014; of words, Li, Monroe &
Jurafsky, "Understanding neural networks through representation erasure", 2016). That works with any network
and encoder. Words are those of the cleaned advert, so nothing is shown that the cleaning removed.
"""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import torch

from joblens.errors import DataError
from joblens.extractors.cleaning import clean_ads
from joblens.extractors.patterns import FINDERS, PatternExtractor
from joblens.inference.classify import Classifier
from joblens.inference.neighbours import NearAd, TrainingAds
from joblens.models.calibration import log_odds, probabilities
from joblens.records import Ad, CleanAd, Guess
from joblens.text import Span, join_title, word_count

if TYPE_CHECKING:
    from torch import Tensor

LEAST = 0.01
"""A phrase that changes the odds of the guess by less than one in a hundred is no evidence."""
SHORTLISTED = 4
"""For each phrase to be named, without so many the advert is read again, but its text's vector kept."""
CHECKED = 2
"""For each phrase to be named, without so many the advert is encoded when the network reads vectors alone."""

_WORD = re.compile(r"\w+[#+]*")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A word or an entity that speaks for the guess."""

    phrase: str
    """As it stands in the cleaned advert."""
    kind: str
    """`word`, or `occupation`, `skill`, `task` as the cleaning found it."""
    effect: float
    """How much lower the guess's probability is without the phrase; seldom 0 or a hair below."""
    odds: float
    """By how much the phrase multiplies the odds of the guess, before their last scaling; above 1."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an advert got its guess."""

    ad: CleanAd
    """As it was read."""
    guess: Guess
    evidence: tuple[Evidence, ...]
    """What speaks for the guess, most first; phrases share no place of the advert. It may be empty."""
    without: float
    """The probability of the guessed label when all that is named is taken out together."""
    nearest: tuple[NearAd, ...] = ()
    """Training adverts, nearest first; empty when there were none to look among."""


def explain(
    classifier: Classifier,
    title: str | None,
    text: str,
    most: int = 5,
    *,
    training: TrainingAds | None = None,
    count: int = 3,
) -> Explanation:
    """The guess for one advert, with what moved it.

    Args:
        classifier: A trained bundle.
        title: Of the advert as it is; None where there is none.
        text: Of the advert as it is.
        most: How many words and entities to name at most.
        training: Among them similar ones are looked for.
        count: How many of those to name.

    Raises:
        NothingToRead: The advert has no words, or none left after cleaning.
        DataError: `most` or `count` is less than 1.
    """
    if most < 1:
        raise DataError(f"most is {most}, expected at least 1 word to name")
    occlusion = Occlusion(classifier, title, text)
    evidence, without = occlusion.evidence(most)
    nearest = () if training is None else training.nearest(occlusion.vector, count)
    return Explanation(occlusion.ad, occlusion.guess, evidence, without, nearest)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A word or an entity with the places where it stands in a cleaned advert."""

    text: str
    kind: str
    in_title: tuple[Span, ...]
    in_text: tuple[Span, ...]

    @property
    def count(self) -> int:
        """How often it stands there."""
        return len(self.in_title) + len(self.in_text)

    def overlaps(self, other: "Phrase") -> bool:
        """Whether a place of one is in a place of the other."""
        return any(
            start < other_end and other_start < end
            for spans, others in ((self.in_title, other.in_title), (self.in_text, other.in_text))
            for start, end in spans
            for other_start, other_end in others
        )


class NothingToRead(DataError):
    """The advert has no words, or none left after cleaning."""


class Occlusion:
    """An advert, the guess for it, and what is left of the guess when phrases are taken out."""

    def __init__(self, classifier: Classifier, title: str | None, text: str) -> None:
        """Clean the advert and guess.

        Raises:
            NothingToRead: The advert has no words, or none left after cleaning.
        """
        self._classifier = classifier
        (self.ad,) = classifier.clean([text], [title])
        titles, texts = [self.ad.title], [self.ad.clean_text]
        if not word_count(join_title(self.ad.title, self.ad.clean_text)):
            left = " left after cleaning" if self.ad.words_in else ""
            raise NothingToRead(
                f"the advert has no words{left}, expected a text or a title that says something"
            )
        self._side = classifier.text_vectors(titles, texts)  # (1, D of the text side)
        inputs = classifier.inputs(titles, texts, self._side)
        self.vector = inputs.vectors
        """(1, D), of the whole advert."""
        (self.guess,) = classifier.answer(classifier.logits(inputs))
        self._label = classifier.bundle.labels.index(self.guess.label)
        self.phrases = phrases_of(self.ad, _masks(classifier), _allowed(classifier, self.ad))

    def probabilities(self, removed: Sequence[Sequence[Phrase]]) -> list[float]:
        """The probability of the guessed label without these phrases, once for each group of them."""
        found = self._asked([self._without(phrases) for phrases in removed])[1].tolist()
        return [float(value) for value in found]

    def evidence(self, most: int) -> tuple[tuple[Evidence, ...], float]:
        """What speaks for the guess, most first, at most so many, and the probability without all of that."""
        whole, likely = self._asked([(self.ad.title, self.ad.clean_text)], self._side)
        tried = self._promising(most, whole)
        if not tried:
            return (), float(likely)
        odds, left = self._asked([self._without([phrase]) for phrase in tried])
        drops = whole - odds  # (n,)
        named: list[Phrase] = []
        found: list[Evidence] = []
        for place in drops.argsort(descending=True, stable=True).tolist():
            phrase, drop = tried[place], drops[place]
            if not drop >= LEAST or len(named) == most:  # not a number either, when there is one label
                break
            if not any(phrase.overlaps(other) for other in named):
                named.append(phrase)
                effect = float(likely - left[place])
                found.append(Evidence(phrase.text, phrase.kind, effect, float(drop.exp())))
        return tuple(found), self.probabilities([named])[0] if named else float(likely)

    def _promising(self, most: int, whole: "Tensor") -> list[Phrase]:
        """The phrases worth encoding the advert without, which is what costs time.

        First those that alone, as a text, make the guess likeliest, the more so the more often they stand in
        the advert; up to half of them are of the title, which counts more than the text. Of these the ones
        that the rest of the network misses most while the text's vector stays what it is, `most` that do not
        overlap; without a rest, all.
        """
        if not self.phrases:
            return []
        reads_words = self._classifier.reads_words
        side = self._side if reads_words else None  # else nothing would change
        alone, _ = self._asked([("", phrase.text) for phrase in self.phrases], side)  # (n,)
        times = torch.tensor([1 + log(phrase.count) for phrase in self.phrases])
        order = ((alone - alone.mean()) * times).argsort(descending=True, stable=True).tolist()
        ranked = [self.phrases[place] for place in order]
        size = (SHORTLISTED if reads_words else CHECKED) * most
        listed = [phrase for phrase in ranked if phrase.in_title][: size // 2]
        listed += [phrase for phrase in ranked if phrase not in listed][: size - len(listed)]
        if not reads_words:
            return listed
        drops = whole - self._asked([self._without([phrase]) for phrase in listed], self._side)[0]  # (n,)
        chosen: list[Phrase] = []
        for place in drops.argsort(descending=True, stable=True).tolist():
            if len(chosen) < most and not any(listed[place].overlaps(other) for other in chosen):
                chosen.append(listed[place])
        return chosen

    def _asked(
        self, ads: "Sequence[tuple[str, str]]", side: "Tensor | None" = None
    ) -> "tuple[Tensor, Tensor]":
        """What the network says of the guessed label for n (title, text).

        Returns:
            (n,) float64, logarithms of its odds at the calibrated temperature, which change evenly as the
            advert does; and (n,) float64, its calibrated probabilities.

        Args:
            ads: Adverts as they are after cleaning.
            side: (n or 1, D of the text side) to take for their texts' vectors; None encodes the texts.
        """
        titles, texts = [title for title, _ in ads], [text for _, text in ads]
        vectors = None if side is None else side.expand(len(ads), -1)
        logits = self._classifier.logits(self._classifier.inputs(titles, texts, vectors)).double()  # (n, C)
        calibration = self._classifier.bundle.calibration
        odds = log_odds(logits / calibration.temperature, torch.full((len(ads),), self._label))
        return odds, probabilities(logits, calibration)[:, self._label]

    def _without(self, phrases: Sequence[Phrase]) -> tuple[str, str]:
        """Title and text without the phrases, wherever they stand."""
        return (
            cut_out(self.ad.title, (span for phrase in phrases for span in phrase.in_title)),
            cut_out(self.ad.clean_text, (span for phrase in phrases for span in phrase.in_text)),
        )


def phrases_of(ad: CleanAd, masks: re.Pattern[str], allowed: Set[str] | None) -> list[Phrase]:
    """What may be named of a cleaned advert: its entities, then its other words, each once whatever its case.

    A word has at least two characters and a letter among them. What stands in a mask is no word.

    Args:
        ad: The advert.
        masks: What stands where something personal was.
        allowed: Words that may be named, in lower case; None: all.
    """
    title, text = (
        masks.sub(lambda mask: "\0" * len(mask.group()), part) for part in (ad.title, ad.clean_text)
    )
    found: dict[str, Phrase] = {}
    kinds = (("occupation", ad.occupation), ("skill", ad.skills), ("task", ad.tasks))
    for kind, entity in ((kind, entity) for kind, entities in kinds for entity in entities):
        inside = r"\s+".join(map(re.escape, entity.split()))
        pattern = re.compile(rf"(?<!\w){inside}(?!\w)", re.IGNORECASE)
        in_title, in_text = (tuple(match.span() for match in pattern.finditer(p)) for p in (title, text))
        if (in_title or in_text) and _says_something(entity):
            found.setdefault(entity.casefold(), Phrase(entity, kind, in_title, in_text))
    words: dict[str, list[tuple[str, int, Span]]] = {}
    for place, part in enumerate((title, text)):
        for match in _WORD.finditer(part):
            if _says_something(match.group()):
                words.setdefault(match.group().casefold(), []).append((match.group(), place, match.span()))
    for key, places in words.items():
        in_title, in_text = (tuple(span for _, at, span in places if at == part) for part in (0, 1))
        found.setdefault(key, Phrase(places[0][0], "word", in_title, in_text))
    return [phrase for phrase in found.values() if allowed is None or _words(phrase.text) <= allowed]


def _masks(classifier: Classifier) -> re.Pattern[str]:
    labels = sorted({*FINDERS, *classifier.bundle.cleaning.drop})
    return re.compile(rf"\[(?:{'|'.join(map(re.escape, labels))})\]")


def _allowed(classifier: Classifier, ad: CleanAd) -> set[str] | None:
    """The words that are not personal, when the cleaning let everything through; None when it did not."""
    cleaning = classifier.bundle.cleaning
    if cleaning.extractor != "none":
        return None
    masked = clean_ads(
        [Ad(id=ad.id, title=ad.title, text=ad.clean_text)],
        cleaning.model_copy(update={"extractor": "patterns"}),
        PatternExtractor(),
    )[0]
    return _words(_masks(classifier).sub(" ", f"{masked.title}\n{masked.clean_text}"))


def _words(text: str) -> set[str]:
    return {match.group().casefold() for match in _WORD.finditer(text)}


def _says_something(phrase: str) -> bool:
    return len(phrase) > 1 and any(letter.isalpha() for letter in phrase)


def cut_out(text: str, spans: Iterable[Span]) -> str:
    """The text without what lies in the spans, which may overlap."""
    kept: list[str] = []
    last = 0
    for start, end in sorted(spans):
        kept.append(text[last : max(last, start)])
        last = max(last, end)
    return "".join(kept) + text[last:]
