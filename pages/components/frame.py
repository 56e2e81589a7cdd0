"""The frame around every page: title, navigation from the catalog, sidebar."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from cnnlab.catalog import SECTIONS
from pages.components import left_tabs, page_line, services, sidebar, state, teacher

CHAPTER = Path("pages") / "chapter"
WORKBENCH = Path("pages") / "workbench"
# Pages across sections: the name of the file, and what the sidebar calls it.
WORKBENCH_PAGES = {"compare": "Compare", "runs": "Runs"}
STYLE = Path(__file__).with_name("style.css")
# Our own: the browser would fetch Streamlit's symbols from elsewhere.
ICON = Path(__file__).parents[2] / "assets" / "icon.png"
# The line on the data sets fits with its question mark.
SIDEBAR_PX = 280


def show() -> None:
    """Run the page that the address names."""
    st.set_page_config(
        page_title="CNN Lab",
        page_icon=ICON,
        layout="wide",
        initial_sidebar_state=SIDEBAR_PX,
    )
    st.html(STYLE)
    # A tab that waits has its title and its looks, and is missed when it is closed meanwhile. A
    # script that was superseded ends at the first call to Streamlit after it.
    left_tabs.watch()
    with page_line.of_server().drawing():
        page = st.navigation(pages())
        services.run_manager().seen(state.visitor())
        sidebar.show()
        state.enter(page.url_path)
        page.run()


def pages() -> dict[str, list[Page]]:
    """The pages under their headings in the sidebar."""
    home = st.Page(
        CHAPTER / "home.py", title="CNN Lab", icon=":material/home:", url_path="", default=True
    )
    sections = [
        st.Page(CHAPTER / f"{slug}.py", title=section.heading, url_path=slug)
        for slug, section in SECTIONS.items()
    ]
    there = WORKBENCH_PAGES | ({"teacher": "Teacher"} if teacher.is_there() else {})
    workbench = [
        st.Page(WORKBENCH / f"{name}.py", title=title, url_path=name)
        for name, title in there.items()
    ]
    return {"": [home], "Chapter": sections, "Workbench": workbench}
