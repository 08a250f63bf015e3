"""Names of people that need no model: told by a cue, by an address beside them, or by their own shape.

A name is one to five capitalised tokens (`name_runs`). Five kinds of evidence make one:

* a cue before it (`name_cues`): a signature, a field such as "Kontaktperson:", "ring til", "Mr.";
* what somebody is before it ("direktør Mette Holm", "our manager Mette"; `name_roles`);
* an e-mail address, a telephone number or a personal number beside it, or a mailbox or a page that is spelled
  like it (`name_handles`);
* its shape (`name_shapes`): a middle initial ("Jens P. Hansen"), a patronymic ("Sørensen");
* a list in which another name stands (`name_lists`).

Initials count behind a signature, and in a field with a number beside them. Ordinary words are in
`not_names`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise

from joblens.extractors.identifiers import find_cpr
from joblens.extractors.letters import BEGIN, GLUED, LOWERS, UPPERS, S
from joblens.extractors.name_cues import (
    AND,
    ANSWERING,
    ASKING,
    ASKING_FOR,
    BEFORE_CONTACT,
    CLOSING,
    DIRECT,
    FIELD,
    HONORIFIC,
    REACHED,
    SAYING,
    SIGNATURE,
)
from joblens.extractors.name_handles import are_initials_of, handles_of, is_spelled
from joblens.extractors.name_lists import listed_with
from joblens.extractors.name_roles import has_companion, is_behind_role, is_role, team_owners
from joblens.extractors.name_runs import CAPITAL, Run, is_initial, read_run, with_particles
from joblens.extractors.name_shapes import NO_PERSON, RUSSIAN, has_shape
from joblens.extractors.name_spreading import latin, lower_words, signed_initials
from joblens.extractors.not_names import FIRM_FORMS, ROLES, is_ordinary
from joblens.extractors.phones import find_phones
from joblens.extractors.web import find_emails
from joblens.text import Span

_LISTED = 8
"""Names that one cue may list at most; a longer list has cues of its own."""
_SIGNATURE = re.compile(rf"{BEGIN}(?i:{SIGNATURE})[ \u00a0]?[,.!:;–-]{{0,3}}\s{{0,4}}")
_FIELD = re.compile(rf"{BEGIN}(?i:{FIELD})\s{{0,3}}")
_ASKING = re.compile(rf"{BEGIN}(?i:{ASKING})(?::?(?:{S}[–—-])?[ \u00a0\n]{{1,2}}|{GLUED})")
_ASKING_FOR = re.compile(ASKING_FOR, re.IGNORECASE)
_SAYING = re.compile(rf"{BEGIN}(?i:{SAYING}):?[ \u00a0]")
_HONORIFIC = re.compile(rf"(?<![^\W\d_])(?<!&)(?:{HONORIFIC})[ \u00a0]{{1,2}}")
_DIRECT = re.compile(rf"{BEGIN}(?i:{DIRECT})(?:(?<=v/)|[ \u00a0]{{1,2}}[\"“”»']?)")
_NAMING = re.compile(
    r"says|siger|dice|fortæller|säger|mówi|говорит|my name is|jeg hedder|mit navn er|jag heter"
    r"|me llamo|меня зовут|ich heiße|nazywam się",
    re.IGNORECASE,
)
_CLOSING = re.compile(CLOSING, re.IGNORECASE)
_CUES = (_SIGNATURE, _FIELD, _ASKING, _DIRECT, _SAYING, _CLOSING, _HONORIFIC)
_ADDRESSED = re.compile(r"(?:fao|att?)", re.IGNORECASE)
_ASKED = re.compile(r"(?:\b(?i:ask for|contact|call)|\bMrs? [A-Z]\w{1,30} (?:and|or)) \Z")
_WEAK_TITLES = frozenset(
    ("Ms", "D.", "Professor", "Profesor", "Lektor", "Adjunkt", "professor", "lektor", "adjunkt")
)
_ROLE_WORD = re.compile(r"[^\W\d_][\w'/-]{0,40}|&")
_ROLE_GAP = re.compile(r"[ \u00a0]{1,2}(?:[-–&] )?|, ?|: ?|\n")
_ROLE_BEHIND = re.compile(
    r"(?:, ?|[ \n]| ?[-–(] ?)([^,;@()0-9\t]{2,40}?)(?:[,:(\t]| tlf| på| at| on|\n| ?[-–|] | ?\Z)"
)
_SIGNED_INITIALS = re.compile(
    rf"([{UPPERS}]{{2,4}}|[{UPPERS}]\.(?:{S}?[{UPPERS}]\.){{1,3}}|(?<=\n)[{LOWERS}]{{2,4}})(?={S}*(?:\n|\Z))"
    rf"|([b-df-hj-np-tv-xz]{{2,4}})(?={S}{{1,2}}[{UPPERS}])"  # the line break behind them is lost
)
_FIELD_INITIALS = re.compile(
    rf"([{UPPERS}]{{2,4}}|(?:[{UPPERS}]\.){{2,3}}|[{LOWERS}]{{2,3}}(?=, | / ))(?={S}?[,/(–-])"
)
_SLASH = re.compile(rf"(?:\A|(?<=\n)|(?<=[.!?] ))/ ?(?=[{UPPERS}])")
_RUSSIAN_NEXT = re.compile(r"[0-9], [А-ЯЁ][а-яё]{2,20}\Z")
_RUSSIAN_FLAT = re.compile(r"(?<!\w)кв\. ?[0-9]{1,4}[а-я]?, [А-ЯЁ][а-яё]{2,20}\Z")
_RUSSIAN_BEFORE = re.compile(r"(?<!\w)([А-ЯЁ][а-яё]{2,20}) \Z")
_NUMBER_BEHIND = re.compile(r" \((?=[(+0-9])(?:\([+0-9]{2,5}\))?[+0-9 /.-]{6,24}\)")
_MASKED = re.compile(r"\[person\]")
_NO_INITIALS = frozenset("btw tbh pt ps nb mvh vvs td tlf kl nr".split())
_LINE_END = re.compile(rf"{S}*(?:\n|\Z)")
_COMMA = re.compile(r", ?")
_STOP_AFTER = re.compile(r"[.;)\n]|\Z")
_OPENING = re.compile(r" ?(?:\(|[-–,]? ?(?:v/|att\.?:?|ved|hos)) ?")
_NO_ROLE = frozenset(
    "z ze w we o na do dla od center centre i på med fra hos om til ved under inden efter som der at er in"
    " from with by to on during if when is are y con en por para que os us mig me dem them ham hende eller or"
    " kunder в с по на и или".split()
)
_OF = frozenset("of for af de del für vor i".split())


class _Reader:
    """One text with its capitalised runs, its lower-case words, and where its addresses and numbers stand."""

    def __init__(self, text: str, contacts: Iterable[Span]) -> None:
        self.text = text
        self.lower = lower_words(text)
        self.contacts = sorted(contacts)
        self.runs: list[Run] = []
        place = 0
        while capital := CAPITAL.search(text, place):
            run = read_run(text, capital.start())
            place = capital.end()
            if run:
                self.runs.append(run)
                place = run.end
        self.handles = handles_of(text, self.contacts)
        self.cued: set[int] = set()
        """Where runs begin that stand behind a cue."""
        self.by_start = {run.start: run for run in self.runs}

    def persons(self) -> Iterator[Run]:
        """Runs with evidence; some more than once."""
        for cue in _CUES:
            for match in cue.finditer(self.text):
                yield from self._after_cue(match, cue)
        yield from self._beside_contacts()
        yield from self._inverted()
        for run in self.runs:
            if (
                has_shape(self.text, run, self.lower)
                or self._answers(run)
                or self._is_apposed(run)
                or self._is_spelled(run)
                or self._has_companion(run)
            ):
                yield run
        yield from filter(self._is_likely, team_owners(self.text))
        for slash in _SLASH.finditer(self.text):
            signed = self.by_start.get(slash.end())
            if signed and _LINE_END.match(self.text, signed.end) and self._is_likely(signed):
                yield signed

    def with_lists(self) -> set[Run]:
        """Runs with evidence, and those in one list with them or with a person who is masked already."""
        found = set(self.persons())
        likely = [
            run
            for run in self.runs
            if run in found or (self._is_likely(run) and (run.is_full or not run.is_shouted))
        ]
        masked = {Run(*mask.span(), (mask.group(),)) for mask in _MASKED.finditer(self.text)}
        if masked:
            likely = sorted({*likely, *masked}, key=lambda run: run.start)
        return found | set(listed_with(self.text, likely, found | masked))

    def _after_cue(self, match: re.Match[str], cue: re.Pattern[str]) -> Iterator[Run]:
        """The name behind a cue, and those that are listed with it ("Mette Holm eller Jens Dam")."""
        run = self._next_run(match.end(), 0 if cue in (_HONORIFIC, _DIRECT) else 5)
        if run and cue is not _HONORIFIC:
            self.cued.add(run.start)
        is_name = run is not None and self._is_name(run, cue, match.group())
        if cue in (_SIGNATURE, _FIELD) and not (is_name and run and run.start == match.end()):
            initials = self._initials(match.end(), cue)
            if initials:
                yield initials
        if run is None or not is_name:
            return
        yield run
        for _ in range(_LISTED):
            brackets = _NUMBER_BEHIND.match(self.text, run.end)  # "Hugo (+56 9 7023 8577) o Lateef (...)"
            joint = AND.match(self.text, brackets.end() if brackets else run.end)
            if joint is None or ("," in joint.group() and cue is _SIGNATURE):
                return
            following = self._next_run(joint.end(), 3)
            is_enough = cue is _SIGNATURE or (
                following and (following.is_full or self._is_reached(following))
            )
            if following is None or not is_enough:
                return
            if "," in joint.group() and not (
                self._is_reached(following) or AND.match(self.text, following.end)
            ):
                return
            if not self._is_likely(following):
                return
            run = following
            yield run

    def _next_run(self, place: int, steps: int) -> Run | None:
        """The run at `place`, or behind a role that stands before it ("vores HR-chef Mette Holm")."""
        was_of = is_firm = has_role = False
        for _ in range(steps + 1):
            run = self.by_start.get(place) or self._inner_run(place)
            if run:
                return None if was_of or is_firm else run
            word = _ROLE_WORD.match(self.text, place)
            if word is None or word.group().casefold() in _NO_ROLE:
                return None
            was_of = word.group().casefold() in _OF
            has_role |= word.group().casefold() in ROLES
            is_firm = word.group().casefold() in FIRM_FORMS and not has_role
            gap = _ROLE_GAP.match(self.text, word.end())
            if gap is None:
                return None
            place = gap.end()
        return None

    def _inner_run(self, place: int) -> Run | None:
        """The rest of a run whose first words belong to the cue: "Att Mette Holm"."""
        index = bisect_right(self.runs, place, key=lambda run: run.start) - 1
        if index >= 0 and self.runs[index].start < place < self.runs[index].end:
            return read_run(self.text, place)
        return None

    def _is_name(self, run: Run, cue: re.Pattern[str], said: str) -> bool:
        """Whether the run after the cue is a name: how much it needs besides depends on the cue."""
        if not self._is_likely(run):
            return False
        if cue is _HONORIFIC:
            is_asked = not said.isupper() and _ASKED.search(
                self.text, max(0, run.start - len(said) - 48), run.start - len(said)
            )
            is_alone_enough = len(run.words[0]) > 2 and (
                is_asked or (said.strip() not in _WEAK_TITLES and not said.isupper())
            )
            return run.is_full or bool(is_alone_enough and not run.is_shouted)
        if cue is _SIGNATURE:
            return True
        if cue is _FIELD:
            return run.is_full or (self._is_reached(run) and not run.is_shouted)
        if cue is _CLOSING:
            return (
                run.is_full
                and (_LINE_END.match(self.text, run.end) or AND.match(self.text, run.end)) is not None
            )
        if cue is _SAYING:
            is_enough = run.is_full or (_NAMING.match(said) and _STOP_AFTER.match(self.text, run.end))
            return bool(is_enough) and not run.is_shouted
        if _ASKING_FOR.match(said) and _STOP_AFTER.match(self.text, run.end):
            return True
        if cue is _DIRECT and _ADDRESSED.match(said):
            return self._is_reached(run) or run.is_full
        return self._is_reached(run) or (run.is_full and not run.is_shouted)

    def _is_likely(self, run: Run) -> bool:
        """Whether its words are not the text's ordinary words."""
        if NO_PERSON.search(self.text, max(0, run.start - 5), run.end):
            return False
        if not run.is_full:
            return run.words[0].casefold() not in self.lower
        spelled = [word for word in run.words if not is_initial(word)]
        return any(word.casefold() not in self.lower for word in spelled)

    def _is_reached(self, run: Run) -> bool:
        """Whether it is said how the person is reached: a number or an address follows."""
        if REACHED.match(self.text, run.end):
            return True
        index = bisect_left(self.contacts, (run.end, 0))
        return (
            index < len(self.contacts)
            and BEFORE_CONTACT.fullmatch(self.text, run.end, min(self.contacts[index][0], run.end + 60))
            is not None
        )

    def _beside_contacts(self) -> Iterator[Run]:
        """Names before an address or a number ("Mette Holm, tlf. ..."), or behind one in brackets."""
        ends = [run.end for run in self.runs]
        for start, end in self.contacts:
            index = bisect_right(ends, start) - 1
            if index > 0 and _COMMA.fullmatch(self.text, ends[index - 1], self.runs[index].start):
                index -= self._is_likely(self.runs[index - 1])  # "Mette Holm, Sandlund Sogn, tlf. ..."
            if index >= 0 and self._leads_to(self.runs[index], start):
                yield self.runs[index]
            opening = _OPENING.match(self.text, end)
            run = self.by_start.get(opening.end()) if opening else None
            if run and run.is_full and self._is_likely(run):
                yield run
            listed = _COMMA.match(self.text, end)
            run = self.by_start.get(listed.end()) if listed else None
            is_russian = run is not None and "\u0400" <= self.text[run.start] <= "\u04ff"
            if run and (len(run.words) in (2, 3) or is_russian) and self._is_listed(run):
                yield run

    def _is_listed(self, run: Run) -> bool:
        """Whether the run behind "tlf. 23 45 67 89, " ends what is said, as a name would."""
        ends = _STOP_AFTER.match(self.text, run.end) is not None
        return ends and not run.is_shouted and self._is_likely(run)

    def _leads_to(self, run: Run, start: int) -> bool:
        """Whether the run is the name that belongs to the address or number at `start`."""
        if start - run.end > 70 or not self._is_likely(run):
            return False
        between = self.text[run.end : start]
        role = _ROLE_BEHIND.match(between)
        if role and (
            any(is_ordinary(word) or is_role(word) for word in role.group(1).split())
            or role.group(1)[:1].isupper()
        ):
            between = between[role.end(1) :]
        if BEFORE_CONTACT.fullmatch(between) is None:
            return False
        return run.is_full or self._is_spelled_in(run.words[0], start) or self._is_next_called(run)

    def _is_next_called(self, run: Run) -> bool:
        """Whether it is a Russian given name behind another with its number: "Карп 8 (495) ..., Софон".

        Behind the number of a flat, where somebody lives, it is one as well.
        """
        if _RUSSIAN_FLAT.search(self.text, max(0, run.start - 12), run.end):
            return True
        if _RUSSIAN_NEXT.search(self.text, max(0, run.start - 4), run.end) is None:
            return False
        index = bisect_left(self.contacts, (run.start, 0)) - 1
        start = self.contacts[index][0] if index >= 0 else 0
        before = _RUSSIAN_BEFORE.search(self.text, max(0, start - 24), start)
        return before is not None and not is_ordinary(before.group(1))

    def _is_spelled(self, run: Run) -> bool:
        return run.is_full and self._is_likely(run) and is_spelled(run, self.handles)

    def _is_spelled_in(self, name: str, start: int) -> bool:
        """Whether the e-mail address at `start` begins with the name."""
        return len(name) > 2 and any(
            self.text[start : start + 40].casefold().startswith(spelling) for spelling in latin(name)
        )

    def _initials(self, place: int, cue: re.Pattern[str]) -> Run | None:
        """Initials as a signature, or in a field with an address or a number behind them."""
        match = (_SIGNED_INITIALS if cue is _SIGNATURE else _FIELD_INITIALS).match(self.text, place)
        if match is None:
            return None
        letters = match.group()
        is_word = is_ordinary(letters) or letters in _NO_INITIALS
        if is_word and not are_initials_of(self.text, match.end(), letters):
            return None
        run = Run(*match.span(), (letters,))
        return run if cue is _SIGNATURE or self._is_reached(run) else None

    def _inverted(self) -> Iterator[Run]:
        """A surname and, behind a comma, the given name, after a cue: "Kontakt Holm, Mette (23 45 67 89)"."""
        for family, name in pairwise(self.runs):
            if (
                family.start in self.cued
                and len(family.words) == 1
                and len(name.words) < 3
                and _COMMA.fullmatch(self.text, family.end, name.start)
                and (self._is_reached(name) or _STOP_AFTER.match(self.text, name.end))
                and self._is_likely(family)
                and self._is_likely(name)
            ):
                yield Run(family.start, name.end, family.words + name.words)

    def _is_apposed(self, run: Run) -> bool:
        return (
            self._is_likely(run)
            and not run.is_shouted
            and is_behind_role(self.text, run, self._is_reached(run))
        )

    def _has_companion(self, run: Run) -> bool:
        """Whether it is a genitive before somebody who goes with a person: "Nicolines makker"."""
        return not run.is_shouted and self._is_likely(run) and has_companion(self.text, run)

    def _answers(self, run: Run) -> bool:
        is_answering = ANSWERING.match(self.text, run.end) or (
            self.text.startswith(" tilbage", run.end) and self.text.endswith("vender ", 0, run.start)
        )
        return bool(is_answering) and self._is_likely(run)


def find_persons(text: str, contacts: Iterable[Span] | None = None) -> Iterator[Span]:
    """People's names, in order and apart.

    Args:
        text: Any text.
        contacts: Where e-mail addresses, telephone and personal numbers stand; None means look for them.
    """
    if contacts is None:
        contacts = [*find_emails(text), *find_phones(text), *find_cpr(text)]
    reader = _Reader(text, contacts)
    found = {(run.start, run.end) for run in reader.with_lists()}
    found |= {match.span() for match in RUSSIAN.finditer(text)}
    found |= set(signed_initials(text, found))
    last = 0
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if start >= last:
            yield max(last, with_particles(text, start)), end
            last = end
