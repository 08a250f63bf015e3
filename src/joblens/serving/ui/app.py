"""The script that Streamlit runs, once for each thing that a visitor does."""

import logging
from pathlib import Path

import streamlit as st

from joblens.serving.faults import type_and_place
from joblens.serving.ui import page_classify, page_model, page_review
from joblens.serving.ui.rendering import block
from joblens.serving.ui.session import LANGUAGES, api, first_language, language, session
from joblens.serving.ui.style import sheet
from joblens.serving.ui.words import Words

logger = logging.getLogger(__name__)

PAGES = {
    "classify": (page_classify.show, ":material/label:"),
    "review": (page_review.show, ":material/rule:"),
    "model": (page_model.show, ":material/insights:"),
}
"""What each page draws, by the end of its address, and its icon."""


def main() -> None:
    """Draw the frame and the page in it."""
    st.set_page_config(
        page_title="joblens",
        page_icon=str(Path(__file__).with_name("icon.svg")),
        layout="wide",
        initial_sidebar_state="collapsed",
    )
    words = Words(language())
    try:
        _draw(words)
    except Exception as error:  # noqa: BLE001 - Streamlit would log its text, which may quote an advert
        logger.error("the page failed: %s", type_and_place(error))
        st.error(words("failed_page"), icon=":material/error:")


def _draw(words: Words) -> None:
    st.html(sheet())
    _say_language(words)
    pages = {
        name: st.Page(_page(name, words), title=words(f"page_{name}"), icon=icon, url_path=name,
                      default=name == "classify")
        for name, (_, icon) in PAGES.items()
    }  # fmt: skip
    st.session_state["pages"] = pages
    chosen = st.navigation(list(pages.values()), position="hidden")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        head = f'<h1 class="jl-brand">joblens</h1><p class="jl-quiet">{words("tagline")}</p>'
        st.html(block(words, head), width="content")
        st.segmented_control(
            words("language"),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            default=first_language(),
            required=True,
            key="language",
            label_visibility="collapsed",
        )
    with st.container(horizontal=True, gap="small", key="pages-row"):
        for page in pages.values():
            st.page_link(page, width="content")
    chosen.run()


def _page(name: str, words: Words):  # type: ignore[no-untyped-def]
    show, _ = PAGES[name]

    def draw() -> None:
        show(words, api(), session())

    return draw


def _say_language(words: Words) -> None:
    """Tell screen readers which language the page is in; the script holds nothing that anybody typed."""
    st.html(
        f"<script>document.documentElement.lang = '{words.language}'</script>", unsafe_allow_javascript=True
    )


if __name__ == "__main__":
    main()
