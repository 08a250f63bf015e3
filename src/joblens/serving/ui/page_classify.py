"""Page 1: one advert pasted, or a file of them."""

from typing import Any

import streamlit as st

from joblens.errors import DataError
from joblens.serving.ui.answers import Result
from joblens.serving.ui.batches import Batch
from joblens.serving.ui.client import Advert, Api, ApiProblem
from joblens.serving.ui.downloads import as_csv, as_json, result_rows
from joblens.serving.ui.rendering import advert_card, result_card, tiles, why_card
from joblens.serving.ui.session import Session, Sight, look, plain, tell
from joblens.serving.ui.uploads import ENDINGS, Upload, open_upload, read_adverts
from joblens.serving.ui.words import Words
from joblens.sources import Columns

LONGEST_TITLE = 1_000
LONGEST_TEXT = 100_000


def show(words: Words, api: Api, session: Session) -> None:
    """Draw the page."""
    one, file = st.tabs([words("tab_one"), words("tab_file")])
    with one:
        _paste(words, api, session)
    with file:
        _file(words, api, session)


def show_sight(words: Words, sight: Sight) -> None:
    """A result with the advert and the reasons, side by side where there is room."""
    left, right = st.columns([1, 1], gap="medium")
    with left:
        st.html(result_card(words, sight.result, sight.model.coverage))
        if sight.explanation is not None:
            st.html(why_card(words, sight.explanation))
    with right:
        st.html(advert_card(words, sight.advert, sight.readable))


def _paste(words: Words, api: Api, session: Session) -> None:
    with st.form("one", border=False):
        title = st.text_input(words("title"), max_chars=LONGEST_TITLE, placeholder=words("title_hint"))
        text = st.text_area(words("text"), max_chars=LONGEST_TEXT, height=220, placeholder=words("text_hint"))
        is_asked = st.form_submit_button(words("sort_one"), type="primary")
    if is_asked:
        session.one = None
        advert = Advert(text=text or "", title=title or "")
        if not (advert.text + advert.title).strip():
            st.warning(words("needs_text"), icon=":material/edit:")
            return
        try:
            with st.spinner(words("sorting_one")):
                answer = api.classify([advert])
                session.one = look(api, advert, answer.results[0], answer.model)
        except ApiProblem as problem:
            tell(words, problem)
    if session.one is not None:
        show_sight(words, session.one)


def _file(words: Words, api: Api, session: Session) -> None:
    given = st.file_uploader(words("upload"), type=ENDINGS, key="upload")
    if given is not None:
        try:
            upload = open_upload(given.name, given.getvalue())
            columns = _choose_columns(words, upload)
            _sort_file(words, api, session, upload, columns, str(given.file_id))
        except DataError as error:
            tell(words, error)
        except ApiProblem as problem:
            tell(words, problem)
    if session.batch is not None and session.batch.outcomes:
        _results(words, api, session, session.batch)


def _choose_columns(words: Words, upload: Upload) -> Columns:
    names = list(upload.columns)
    likely = upload.likely
    none = [None, *names]
    places = st.columns(3)

    def called(name: str | None) -> str:
        return words("column_none") if name is None else name

    with places[0]:
        text = st.selectbox(words("column_text"), names, index=names.index(likely.text))
    with places[1]:
        title = st.selectbox(words("column_title"), none, index=none.index(likely.title), format_func=called)
    with places[2]:
        id = st.selectbox(words("column_id"), none, index=none.index(likely.id), format_func=called)
    return Columns(text=text or likely.text, title=title, id=id, advice=words("column_text"))


def _sort_file(
    words: Words, api: Api, session: Session, upload: Upload, columns: Columns, file_id: str
) -> None:
    """Offer to sort the file, or what is left of it, and do it group by group."""
    same = (file_id, columns.text, columns.title, columns.id)
    if st.session_state.get("read_as") != same:
        st.session_state["read_as"] = same
        st.session_state["adverts"] = read_adverts(upload, columns)
    adverts: list[Advert] = st.session_state["adverts"]
    batch = session.batch if st.session_state.get("sorted_as") == same else None
    left = len(adverts) - (len(batch.outcomes) if batch else 0)
    if left == 0:
        return
    key = "sort_rest" if batch else "sort_file"
    if not st.button(words(key, count=words.adverts(left)), type="primary", key="sort"):
        return
    if batch is None:
        st.session_state["sorted_as"] = same
        batch = Batch(upload.name, adverts)
        session.send_rest(api)
        session.take(batch)
    whole = words.number(len(adverts))
    progress = st.progress(0.0, words("progress", done=words.number(len(batch.outcomes)), count=whole))
    for done in batch.proceed(api):
        progress.progress(done / len(adverts), words("progress", done=words.number(done), count=whole))
    st.rerun()  # so that the button is gone


def _results(words: Words, api: Api, session: Session, batch: Batch) -> None:
    st.subheader(plain(words("results_of", name=batch.name)), anchor=False)
    figures = [
        (words.number(len(batch.outcomes) - batch.refused), words("sorted_count")),
        (words.number(batch.unsure), words("unsure_count")),
    ]
    if batch.refused:
        figures.append((words.number(batch.refused), words("refused_count")))
    st.html(tiles(words, figures))
    rows = result_rows(batch)
    with st.container(horizontal=True):
        st.download_button(
            words("download_csv"), as_csv(rows), "joblens.csv", "text/csv", on_click="ignore",
            icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            words("download_json"), as_json(rows), "joblens.json", "application/json", on_click="ignore",
            icon=":material/download:",
        )  # fmt: skip
        if st.button(words("to_review"), icon=":material/rule:", disabled=not batch.outcomes):
            st.switch_page(st.session_state["pages"]["review"])
    if st.toggle(words("only_unsure"), key="only_unsure"):
        rows = [row for row in rows if row["unsure"]]
        if not rows:
            st.info(words("none_unsure"), icon=":material/check:")
            return
    st.caption(words("pick_row"))
    chosen = _table(words, rows, has_ids=any(row["id"] for row in rows))
    if chosen is not None:
        _details(words, api, session, batch, rows[chosen]["row"] - 1)


def _table(words: Words, rows: list[dict[str, Any]], *, has_ids: bool) -> int | None:
    """The table; which of `rows` is chosen."""
    import polars as pl

    names = ["row", "title", "label", "probability", "unsure", *(["id"] if has_ids else [])]
    if any(row["problem"] for row in rows):
        names.append("problem")
    schema = {"row": pl.Int64, "probability": pl.Int64, "unsure": pl.Boolean}
    shown = [{**row, "probability": words.percent(row["probability"])} for row in rows]
    frame = pl.DataFrame(
        {name: [row[name] for row in shown] for name in names},
        schema={name: schema.get(name, pl.String) for name in names},
        strict=False,
    )
    config: dict[str, Any] = {name: words(f"field_{name}") for name in names}
    config["row"] = st.column_config.NumberColumn(words("field_row"), width=44, format="%d")
    config["probability"] = st.column_config.ProgressColumn(
        words("field_probability"), min_value=0, max_value=100, format="%d %%", width=100
    )
    config["unsure"] = st.column_config.CheckboxColumn(words("field_unsure"), width=80)
    config["id"] = st.column_config.TextColumn(words("field_id"), width=105)
    config["label"] = st.column_config.TextColumn(words("field_label"), width=280)
    config["title"] = st.column_config.TextColumn(words("field_title"), width=255)
    event: Any = st.dataframe(
        frame,
        column_config=config,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="results",
        height=min(420, 38 + 35 * len(rows)),
    )
    chosen = list(event.selection.rows)
    return chosen[0] if chosen and chosen[0] < len(rows) else None


def _details(words: Words, api: Api, session: Session, batch: Batch, row: int) -> None:
    outcome = batch.outcomes[row]
    if not isinstance(outcome, Result) or batch.model is None:
        st.error(words(f"problem_{outcome.kind}" if not isinstance(outcome, Result) else "problem_failed"))
        return
    if row not in session.seen:
        with st.spinner(words("sorting_one")):
            session.seen[row] = look(api, batch.adverts[row], outcome, batch.model)
    show_sight(words, session.seen[row])
