"""A toy twin of the model: word lists and cues in Danish and English, no weights, the same answer everywhere.

It exists so that the whole pipeline runs in tests and tutorials within seconds; it does not replace a model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from joblens.extractors.patterns import RULES
from joblens.extractors.spans import longest_by_label
from joblens.records import Entity
from joblens.storage import content_hash
from joblens.text import sentences, words

_OCCUPATION_ENDS = (  # what Danish and English words for occupations end in
    "assistent assistenter medarbejder medarbejdere konsulent konsulenter lærer lærere leder ledere "
    "chef tekniker ingeniør ingeniører udvikler udviklere chauffør chauffører sygeplejerske "
    "sygeplejersker hjælper hjælpere pædagog pædagoger kok kokke tjener tømrer murer maler elektriker "
    "smed mekaniker frisør bager slagter gartner sælger sælgere bogholder sekretær jurist økonom læge "
    "læger vagt vagter elev elever operatør montør snedker syer kontorelev assistant assistants manager "
    "managers engineer engineers developer developers driver drivers nurse nurses teacher teachers "
    "technician electrician carpenter painter cook chef waiter cleaner cleaners accountant analyst "
    "consultant designer gardener mechanic operator guard salesperson secretary apprentice specialist "
    "supervisor"
).split()
_SKILLS = (
    "java python sql excel c# javascript sap photoshop truckcertifikat kørekort hygiejnebevis svejsning "
    "regnskab bogføring journalføring undervisning formidling projektledelse kundeservice dokumentation "
    "samarbejde engelsk dansk tysk accounting bookkeeping teamwork communication leadership welding "
    "marketing english danish german teaching"
).split()
_TASK_VERBS = (
    "udvikle lede planlægge undervise pleje rengøre servicere vedligeholde sælge køre pakke montere "
    "reparere svare rådgive udarbejde sikre koordinere bestille passe tilberede servere behandle "
    "dokumentere vejlede styre følge betjene develop lead plan teach care clean maintain sell drive "
    "pack assemble repair answer advise prepare ensure coordinate order serve treat document guide "
    "manage operate support write test design deliver"
).split()

_ENDS = tuple(_OCCUPATION_ENDS)
_REST = r"[^.,;:!?()\n]{2,60}"


def _any(phrases: Sequence[str]) -> str:
    return "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))


_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "occupation",
        re.compile(
            r"\b(?:som|søger en|søger et|as an?|looking for an?|hiring an?)\s(\w[\w-]{2,30})\b", re.IGNORECASE
        ),
    ),
    (
        "skill",
        re.compile(
            r"\b(?:erfaring med|kendskab til|kompetencer inden for|experience (?:with|in)|knowledge of)\s"
            rf"({_REST})",
            re.IGNORECASE,
        ),
    ),
    ("skill", re.compile(rf"(?<!\w)({_any(_SKILLS)})(?!\w)", re.IGNORECASE)),
    (
        "task",
        re.compile(
            rf"\A(?:[-•*▪●·–]\s?|du skal\s|you will\s|at\s|to\s)((?:{_any(_TASK_VERBS)})r?\b{_REST})",
            re.IGNORECASE,
        ),
    ),
    (
        "task",
        re.compile(rf"\b(?:ansvarlig for|opgaver er|responsible for|duties are)\s({_REST})", re.IGNORECASE),
    ),
    (
        "person",
        re.compile(
            r"\b(?:[Kk]ontakte?|[Cc]ontact|[Cc]all|[Rr]ing til)\s(?:[a-zæøå]{3,30}\s){0,2}"
            r"((?:[A-ZÆØÅ][\w'-]{1,30}\s){1,2}[A-ZÆØÅ][\w'-]{1,30})"
        ),
    ),
    (
        "organisation",
        re.compile(r"\b((?:[A-ZÆØÅ][\w&-]{1,30}\s){1,3}(?:A/S|ApS|I/S|Inc|Ltd|LLC|GmbH))(?!\w)"),
    ),
    (
        "address",
        re.compile(
            r"\b([A-ZÆØÅ]\w{1,30}(?:vej|gade|allé|stræde|plads|torv)\s\d{1,3}[A-Z]?(?:,\s\d{4}\s[A-ZÆØÅ]\w{1,30})?)"
        ),
    ),
)


class ToyExtractor:
    """Finds occupations, skills, tasks, people, organisations and addresses by rule."""

    name = "toy"

    def __init__(self, keep: Sequence[str], drop: Sequence[str]) -> None:
        self._labels = frozenset((*keep, *drop))
        rules = [f"{label} {pattern.pattern}" for label, pattern in _RULES]
        self.fingerprint = content_hash("toy", f"patterns {RULES}", *rules, *_ENDS, *sorted(self._labels))

    def extract(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The entities of each text in order; of overlapping ones with the same label the longest stays."""
        return [self._extract(text) for text in texts]

    def _extract(self, text: str) -> list[Entity]:
        found: list[Entity] = []
        for start, end in sentences(text):
            sentence = text[start:end]
            if "occupation" in self._labels:
                found += _occupations(sentence, start)
            for label, pattern in _RULES:
                if label in self._labels:
                    for match in pattern.finditer(sentence):
                        first, last = match.span(1)
                        phrase = sentence[first:last].rstrip()
                        found.append(Entity(start + first, start + first + len(phrase), label, phrase))
        return longest_by_label(found)


def _occupations(sentence: str, offset: int) -> list[Entity]:
    """The words that end like an occupation: "sygeplejerske", "butiksassistent"."""
    return [
        Entity(offset + start, offset + end, "occupation", sentence[start:end])
        for start, end in words(sentence)
        if sentence[start:end].casefold().endswith(_ENDS)
    ]
