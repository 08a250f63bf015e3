"""Page 2: the most doubtful adverts of the file, one at a time, by mouse or keyboard."""

from time import monotonic

import streamlit as st

from joblens.serving.ui.answers import Result
from joblens.serving.ui.batches import Batch
from joblens.serving.ui.client import Api, ApiProblem
from joblens.serving.ui.downloads import as_csv
from joblens.serving.ui.rendering import advert_card
from joblens.serving.ui.reviewing import Review, decisions, doubtful
from joblens.serving.ui.session import Session, look, plain, tell
from joblens.serving.ui.words import Words


def show(words: Words, api: Api, session: Session) -> None:
    """Draw the page."""
    batch = session.batch
    if batch is None or not any(isinstance(outcome, Result) for outcome in batch.outcomes):
        st.info(words("review_empty"), icon=":material/inbox:")
        if st.button(words("review_go"), type="primary"):
            st.switch_page(st.session_state["pages"]["classify"])
        return
    if session.review is None:
        session.review = Review(doubtful(batch.outcomes))
    review = session.review
    _progress(words, review)
    if review.row is None:
        _end(words, api, session, batch)
        _held(words, api, session, batch, review)
    else:
        _table(words, api, session, batch, review, review.row)
    _foot(words, session, batch, review)


def _progress(words: Words, review: Review) -> None:
    count = len(review.order)
    said = words(
        "review_progress",
        place=words.number(min(review.place + 1, count)),
        count=words.number(count),
        done=words.number(review.decided),
    )
    st.progress(review.decided / count, said)


def _held(words: Words, api: Api, session: Session, batch: Batch, review: Review) -> None:
    """What was decided last, as long as it can be taken back; sends it when that time is over."""

    @st.fragment(run_every=2 if review.waiting and review.problem is None else None)
    def draw() -> None:
        before = len(review.waiting)
        if review.waiting and review.problem is None:
            review.send(api, batch, now=monotonic(), reviewer=session.reviewer)
            if review.problem is not None or (before and not review.waiting):
                st.rerun()
        if review.problem is not None:
            tell(words, review.problem)
        with st.container(horizontal=True, vertical_alignment="center"):
            if review.waiting:
                said = words("held", label=review.waiting[-1].label)
                if len(review.waiting) > 1:
                    said += " " + words("unsent", count=words.number(len(review.waiting)))
                st.markdown(plain(said))
                if st.button(words("undo"), shortcut="U", key="undo", icon=":material/undo:"):
                    review.undo()
                    st.rerun()  # the whole page, not this part of it
                if review.problem is not None and st.button(words("try_again"), key="again"):
                    review.send(api, batch, now=monotonic(), all_of_them=True, reviewer=session.reviewer)
                    st.rerun()
            elif review.sent:
                count = len(review.sent)
                st.markdown(
                    words("sent_one") if count == 1 else words("sent_some", count=words.number(count))
                )

    draw()


def _table(words: Words, api: Api, session: Session, batch: Batch, review: Review, row: int) -> None:
    """The advert at hand, the guess, and the keys."""
    outcome, model = batch.outcomes[row], batch.model
    assert isinstance(outcome, Result)
    assert model is not None
    if row not in session.seen:
        with st.spinner(words("sorting_one")):
            session.seen[row] = look(api, batch.adverts[row], outcome, model)
    sight = session.seen[row]
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.html(advert_card(words, sight.advert, sight.readable))
    with right:
        st.subheader(words("decide"), anchor=False)
        for place, candidate in enumerate(outcome.top[:3], start=1):
            st.button(
                plain(f"{candidate.label} · {words.share(candidate.probability)}"),
                key=f"choose-{place}",
                shortcut=str(place),
                type="primary" if place == 1 else "secondary",
                width="stretch",
                wrap=True,
                on_click=_decide,
                args=(session, review, candidate.label),
            )
        _other(words, api, session, review, row, [candidate.label for candidate in outcome.top[:3]])
        st.button(words("skip"), key="skip", shortcut="S", on_click=review.skip, icon=":material/skip_next:")
        st.caption(words("keys_hint"))
        _held(words, api, session, batch, review)


def _other(words: Words, api: Api, session: Session, review: Review, row: int, shown: list[str]) -> None:
    """Any other label of the model."""
    if not session.labels:
        try:
            session.labels = api.labels()
        except ApiProblem as problem:
            tell(words, problem)
            return
    others = [label for label in session.labels if label not in shown]
    chosen = st.selectbox(
        words("other_label"), others, index=None, placeholder=words("other_hint"), key=f"other-{row}"
    )
    st.button(
        words("save_other"),
        key="save",
        disabled=chosen is None,
        on_click=_decide,
        args=(session, review, chosen or ""),
        width="stretch",
    )


def _decide(session: Session, review: Review, label: str) -> None:
    review.decide(label, monotonic())


def _end(words: Words, api: Api, session: Session, batch: Batch) -> None:
    st.success(words("review_done"), icon=":material/done_all:")
    if st.button(words("review_again")):
        session.send_rest(api)
        session.review = Review(doubtful(batch.outcomes))
        st.rerun()


def _foot(words: Words, session: Session, batch: Batch, review: Review) -> None:
    st.divider()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        session.reviewer = (
            st.text_input(
                words("reviewer"), value=session.reviewer, max_chars=20, width=260, autocomplete="off"
            )
            or ""
        )
        rows = decisions(review, batch)
        if rows:
            st.download_button(
                words("download_decisions"), as_csv(rows), "joblens-decisions.csv", "text/csv",
                on_click="ignore", icon=":material/download:",
            )  # fmt: skip
