"""What real adverts suffer on their way: typing errors, odd spaces, emoji, remnants of HTML, reposting."""

from random import Random

from joblens.sources.sample import rates
from joblens.sources.sample.composing import Slots, sentence
from joblens.sources.sample.drafts import Draft, Line, Piece, fill
from joblens.sources.sample.vocabulary import Vocabulary

_EMOJI = ("😀", "🚀", "👷", "💪", "✨", "📞", "❤️", "👉")
_MAY_BE_MISTYPED = {None, "occupation", "skill", "task"}
_BOILERPLATE = {"company", "benefits", "qualities", "terms"}


def roughen(rng: Random, draft: Draft) -> Draft:
    """The draft with whatever noise it draws; personal data are never touched."""
    lines = list(draft.lines)
    if rng.random() < rates.TYPING_ERRORS:
        for _ in range(rng.randint(2, 7)):
            at = rng.randrange(len(lines))
            lines[at] = _mistype(rng, lines[at])
    if rng.random() < rates.SPACING:
        lines = [_respace(rng, line) for line in lines]
    if rng.random() < rates.EMOJI:
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(lines))
            lines[at] = _with_ending(lines[at], f" {rng.choice(_EMOJI)}")
    if rng.random() < rates.HTML:
        lines = [_in_html(rng, line) for line in lines]
    return Draft(draft.title, tuple(lines))


def repost(rng: Random, draft: Draft, slots: Slots, vocabulary: Vocabulary) -> Draft:
    """The same advert posted again: one or two of a new title, contact, deadline or a sentence less."""
    phrases = vocabulary.phrases[slots.language]
    title, lines = draft.title, list(draft.lines)
    for edit in rng.sample(("title", "contact", "apply", "shorter"), rng.randint(1, 2)):
        if edit == "title":
            title = (*fill(rng.choice(phrases["reposted"]), slots), *title)
        elif edit == "shorter":
            places = [at for at, line in enumerate(lines) if line.kind in _BOILERPLATE and line.joint == " "]
            if places:
                del lines[rng.choice(places)]
        else:
            slots.meet_person()
            for at, line in enumerate(lines):
                if line.kind == edit:
                    lines[at] = sentence(rng, phrases, slots, edit, line.joint)
                    break
    if rng.random() < 0.3:
        at = rng.randrange(len(lines))
        lines[at] = _mistype(rng, lines[at])
    edited = Draft(title, tuple(lines))
    if edited == draft:  # it had nothing to shorten, or nobody to replace
        return Draft((*fill(rng.choice(phrases["reposted"]), slots), *title), draft.lines)
    return edited


def _mistype(rng: Random, line: Line) -> Line:
    """Swap, drop or double one letter inside a word of the line."""
    pieces = list(line.pieces)
    at = rng.randrange(len(pieces))
    text, label = pieces[at]
    places = [i for i in range(1, len(text) - 2) if text[i - 1 : i + 2].isalpha()]
    if label not in _MAY_BE_MISTYPED or not places:
        return line
    i = rng.choice(places)
    wrong = rng.choice((text[i + 1] + text[i], text[i + 1], text[i] * 2 + text[i + 1]))
    pieces[at] = Piece(text[:i] + wrong + text[i + 2 :], label)
    return line._replace(pieces=tuple(pieces))


def _respace(rng: Random, line: Line) -> Line:
    """Double, drop or harden some of the spaces between words and lines; those inside entities stay."""
    joint = line.joint
    if joint == " ":
        joint = rng.choice((" ", "  ", "\n", "" if line.kind in _BOILERPLATE else " "))
    elif joint and rng.random() < 0.3:
        joint = rng.choice(("\n", "\n\n\n", " \n"))
    if rng.random() < 0.6:
        return line._replace(joint=joint)
    odd = rng.choice(("  ", "\u00a0"))
    pieces = tuple(
        piece if piece.label else Piece(piece.text.replace(" ", odd, 1), None) for piece in line.pieces
    )
    return Line(line.kind, joint, pieces)


def _with_ending(line: Line, ending: str) -> Line:
    return line._replace(pieces=(*line.pieces, Piece(ending, None)))


def _in_html(rng: Random, line: Line) -> Line:
    paragraph = rng.choice(("<br><br>", "<br />", "</p><p>"))
    joint = line.joint.replace("\n\n", paragraph).replace("\n", "<br>\n")
    if rng.random() < 0.15:
        line = _with_ending(line, "&nbsp;")
    return line._replace(joint=joint)
