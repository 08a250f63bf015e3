"""Page 3: what the model knows, how right it is, and what it mixes up."""

import streamlit as st

from joblens.serving.ui.answers import ModelAnswer
from joblens.serving.ui.client import Api, ApiProblem
from joblens.serving.ui.model_rendering import (
    confusion_table,
    coverage_curve,
    details_table,
    label_bars,
    mix_up_table,
    right_of_the_rest,
)
from joblens.serving.ui.rendering import block, tiles
from joblens.serving.ui.session import Session, plain, tell
from joblens.serving.ui.words import Words

TILES = {
    "accuracy": "metric_accuracy",
    "answered": "metric_answered",
    "precision_of_answered": "metric_precision",
    "macro_f1": "metric_macro_f1",
}
"""Figures of the card that are shown large, and what they are called."""


def show(words: Words, api: Api, session: Session) -> None:
    """Draw the page."""
    try:
        answer = api.model()
        session.labels = api.labels()
    except ApiProblem as problem:
        tell(words, problem)
        return
    st.subheader(plain(answer.model.name), anchor=False)
    facts = words("model_facts", labels=words.number(len(session.labels)), version=answer.model.version[:12])
    st.caption(plain(facts))
    metrics = answer.card.metrics
    figures = [(words.share(metrics[name]), words(key)) for name, key in TILES.items() if name in metrics]
    if figures:
        st.html(tiles(words, figures))
        st.caption(words("measured_on"))
    _coverage(words, answer)
    _confusion(words, session.labels, answer.card.confusion)
    if answer.card.train_ads_by_label:
        with st.expander(words("labels_head")):
            st.caption(words("labels_help"))
            st.html(block(words, label_bars(words, answer.card.train_ads_by_label)))
    with st.expander(words("details_head")):
        st.html(block(words, details_table(_details(words, answer))))


def _coverage(words: Words, answer: ModelAnswer) -> None:
    st.subheader(words("coverage_head"), anchor=False)
    curve = answer.accuracy_at_coverage
    if not curve:
        st.info(words("coverage_missing"))
        return
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with left:
        percent = st.slider(words("coverage_slider"), 0, 95, 15, step=5, format="%d %%", key="checked")
        checked = percent / 100
        key = "coverage_says" if checked else "coverage_says_none"
        share = words.share(right_of_the_rest(curve, checked))
        said = words(key, checked="\0", right="\1")
        said = said.replace("\0", words.share(checked)).replace("\1", f"<strong>{share}</strong>")
        st.html(block(words, f'<p class="jl-big" role="status">{said}</p>'))
    with right:
        st.html(block(words, coverage_curve(words, curve, checked)))


def _confusion(words: Words, labels: list[str], counts: list[list[int]]) -> None:
    st.subheader(words("confusion_head"), anchor=False)
    fits = len(counts) == len(labels) and all(len(row) == len(labels) for row in counts)
    if not counts or not fits:
        st.info(words("confusion_missing"))
        return
    st.html(block(words, mix_up_table(words, labels, counts)))
    with st.expander(words("confusion_all")):
        st.caption(words("confusion_help"))
        st.html(block(words, confusion_table(words, labels, counts)))


def _details(words: Words, answer: ModelAnswer) -> list[tuple[str, str]]:
    card, metrics = answer.card, answer.card.metrics
    found = [
        (words("detail_name"), answer.model.name),
        (words("detail_version"), answer.model.version),
        (words("detail_encoder"), answer.model.encoder),
        (words("detail_joblens"), card.joblens),
        (words("detail_abstain_below"), words.share(answer.calibration.abstain_below)),
    ]
    found += [
        (words(f"detail_{name}"), words.number(card.data[name]))
        for name in ("train", "validation", "test")
        if name in card.data
    ]
    if "ece" in metrics:
        found.append((words("detail_ece"), words.share(metrics["ece"], 1)))
    if "coverage" in metrics:
        found.append((words("detail_coverage"), words.share(metrics["coverage"], 1)))
    if "mean_set_size" in metrics:
        found.append((words("detail_mean_set_size"), words.decimal(metrics["mean_set_size"])))
    return [(name, value) for name, value in found if value]
