"""Results as HTML. Whatever comes from a person, a file or the API is escaped here and nowhere else."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from joblens.serving.ui.answers import Explanation, Readable, Result, Span
from joblens.serving.ui.client import Advert
from joblens.serving.ui.words import Words

KEPT = ("occupation", "skill", "task")
"""Kinds that the model reads; any other is personal data."""

MOST_CHIPS = 8


def block(words: Words, *parts: str, box: str = "") -> str:
    """Parts as one piece in the page's language, in a box (`card`, `soft`) or none."""
    classes = {"": "jl", "card": "jl jl-card", "soft": "jl jl-card jl-soft"}[box]
    return f'<div class="{classes}" lang="{words.language}">{"".join(parts)}</div>'


def result_card(words: Words, result: Result, coverage: float) -> str:
    """The label, how sure it is, whether a person should look, and what else it may be."""
    share = words.share(result.probability)
    label = result.label or words("no_label")
    sure = words("sure", share=share) if result.label else ""
    parts = [
        f'<div class="jl-head"><div class="jl-label">{escape(label)}</div>',
        f'<div class="jl-sure">{escape(sure)}</div></div>',
        bar(result.probability, words("probability_of", label=label, share=share)) if result.label else "",
        _verdict(words, result),
        candidates(words, result),
        _prediction_set(words, result, coverage),
    ]
    return block(words, *parts, box="card")


def candidates(words: Words, result: Result) -> str:
    """The likeliest labels with their bars; nothing for an advert without text."""
    if not result.top:
        return ""
    rows = [
        f"<span>{escape(one.label)}</span>"
        + bar(one.probability, words("probability_of", label=one.label, share=words.share(one.probability)))
        + f'<span class="jl-number">{words.share(one.probability)}</span>'
        for one in result.top
    ]
    return (
        f'<div class="jl-part"><h3>{words("candidates")}</h3><div class="jl-rows">{"".join(rows)}</div></div>'
    )


def advert_card(words: Words, advert: Advert, readable: Readable | None) -> str:
    """The advert with what the model found in it; as it was given when the API could not tell."""
    if readable is None:
        title, text = escape(advert.title), escape(advert.text)
        head = words("advert_plain")
        foot = ""
    else:
        title = marked(words, readable.title, [span for span in readable.entities if span.field == "title"])
        text = marked(words, readable.text, [span for span in readable.entities if span.field == "text"])
        head = words("advert")
        foot = _legend(words, readable) + _counts(words, readable)
    body = "\n\n".join(part for part in (f"<b>{title}</b>" if title else "", text) if part)
    region = f'<div class="jl-advert" tabindex="0" role="region" aria-label="{escape(head)}">{body}</div>'
    return block(words, f"<h2>{head}</h2>", region, foot, box="card")


def marked(words: Words, text: str, spans: Sequence[Span]) -> str:
    """A text with its entities marked and its personal data struck out, escaped.

    A place that is both is struck out; of other spans that overlap the first one counts. What a mask stands
    for is said, never what stood there.
    """
    parts = []
    for span, start, end in _stretches(len(text), spans):
        inside = escape(text[start:end])
        if span is None:
            parts.append(inside)
        elif span.kind in KEPT:
            parts.append(f'<mark class="jl-{span.kind}" title="{words.kind(span.kind)}">{inside}</mark>')
        else:
            hidden = f'<span class="jl-hidden"> {words("removed")}</span>'
            parts.append(f'<del class="jl-pii">{words.kind(span.kind)}{hidden}</del>')
    return "".join(parts)


def _stretches(length: int, spans: Sequence[Span]) -> Iterator[tuple[Span | None, int, int]]:
    """The whole text, cut where its meaning changes: what it means, or None, start and end."""
    meaning: list[Span | None] = [None] * length
    first_last = sorted(spans, key=lambda span: (span.start, -span.end), reverse=True)
    for span in sorted(first_last, key=lambda span: span.kind not in KEPT):  # personal data over all else
        for place in range(max(span.start, 0), min(span.end, length)):
            meaning[place] = span
    start = 0
    for _, places in groupby(meaning, key=id):
        end = start + sum(1 for _ in places)
        yield meaning[start], start, end
        start = end


def why_card(words: Words, explanation: Explanation) -> str:
    """The phrases that moved the guess, and similar adverts when the API knows some."""
    found = explanation.evidence
    most = max((one.effect for one in found), default=0.0)
    rows = []
    for one in found:
        points = words("points", points=words.decimal(100 * one.effect, 1))
        kind = f'<span class="jl-quiet">{escape(words.kind(one.kind))}</span>'
        rows.append(
            f"<span>{escape(one.phrase)} {kind}</span>"
            + bar(one.effect / most if most > 0 else 0, f"{one.phrase}: {points}")
            + f'<span class="jl-number">{points}</span>'
        )
    body = f'<div class="jl-rows">{"".join(rows)}</div>' if rows else f"<p>{words('no_evidence')}</p>"
    help_line = f'<p class="jl-quiet">{words("why_help")}</p>' if rows else ""
    return block(words, f"<h2>{words('why')}</h2>", help_line, body, _similar(words, explanation), box="card")


def bar(share: float, name: str) -> str:
    """A bar filled to a fraction, with its meaning in words for those who do not see it."""
    width = 100 * min(max(share, 0.0), 1.0)
    filled = f'<span style="width:{width:.1f}%"></span>'
    return f'<span class="jl-bar" role="img" aria-label="{escape(name)}">{filled}</span>'


def tiles(words: Words, pairs: Iterable[tuple[str, str]]) -> str:
    """Figures with what they count, side by side."""
    shown = (
        f'<div class="jl-tile"><strong>{escape(figure)}</strong><span>{escape(what)}</span></div>'
        for figure, what in pairs
    )
    return block(words, f'<div class="jl-tiles">{"".join(shown)}</div>')


def chips(labels: Sequence[str]) -> str:
    """Labels in a row; of many, the first few and how many more."""
    shown = [f'<li class="jl-chip">{escape(label)}</li>' for label in labels[:MOST_CHIPS]]
    if len(labels) > MOST_CHIPS:
        shown.append(f'<li class="jl-chip">+ {len(labels) - MOST_CHIPS}</li>')
    return f'<ul class="jl-chips">{"".join(shown)}</ul>'


def _verdict(words: Words, result: Result) -> str:
    if result.abstained and not result.label:
        text = words("abstained_no_text")
    elif result.abstained:
        text = words("abstained", share=words.share(result.probability))
    else:
        text = words("answered")
    crossing = f" {words('crossing')}" if result.crossing else ""
    return f'<p class="jl-note {"jl-warn" if result.abstained else "jl-ok"}">{text}{crossing}</p>'


def _prediction_set(words: Words, result: Result, coverage: float) -> str:
    if not result.label or not result.prediction_set:
        return ""
    head = words("prediction_set", share=words.share(coverage))
    return f'<div class="jl-part"><h3>{head}</h3>{chips(result.prediction_set)}</div>'


def _legend(words: Words, readable: Readable) -> str:
    there = {span.kind for span in readable.entities}
    shown = [
        f'<li class="jl-chip jl-{kind}">{escape(words.kind(kind))}</li>' for kind in KEPT if kind in there
    ]
    if there - set(KEPT):
        shown.append(f'<li class="jl-chip jl-pii">{escape(words("kind_pii"))}</li>')
    return f'<ul class="jl-chips">{"".join(shown)}</ul>' if shown else ""


def _counts(words: Words, readable: Readable) -> str:
    read = words("read", read=words.number(readable.words_read), words=words.number(readable.words_in))
    removed = readable.pii_removed
    said = {0: words("pii_none"), 1: words("pii_one")}.get(removed) or words("pii_some", count=removed)
    return f'<p class="jl-quiet" style="margin:.6rem 0 0">{read}, {said}</p>'


def _similar(words: Words, explanation: Explanation) -> str:
    if not explanation.nearest:
        return ""
    rows = "".join(
        f"<span>{escape(near.id)}</span>"
        + bar(near.cosine, f"{near.id}: {words.decimal(near.cosine)}")
        + f'<span class="jl-number">{words.decimal(near.cosine)}</span>'
        for near in explanation.nearest
    )
    return (
        f'<div class="jl-part"><h3>{words("nearest")}</h3><p class="jl-quiet">{words("nearest_help")}</p>'
        f'<div class="jl-rows">{rows}</div></div>'
    )
