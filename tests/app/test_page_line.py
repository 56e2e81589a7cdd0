"""Pages of all visitors are drawn in line."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import streamlit as st

from pages.components import page_line, sidebar
from pages.components.page_line import PageLine
from tests.app.conftest import Open
from tests.waiting import wait_until


def test_a_page_is_drawn_when_its_turn_comes(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits with its title."""
    line = PageLine(600)
    titles: list[str] = []
    configure = st.set_page_config

    def titled(**given: Any) -> None:
        titles.append(given["page_title"])
        configure(**given)

    monkeypatch.setattr(st, "set_page_config", titled)
    monkeypatch.setattr(page_line, "of_server", lambda: line)
    with ThreadPoolExecutor(1) as pool:
        with line.drawing():
            page = pool.submit(open_page)
            wait_until(lambda: titles and line._line)
            assert not page.done()
        app = page.result(200)
    assert app.title[0].value
    assert not app.exception
    monkeypatch.setattr(sidebar, "show", st.stop)
    assert not app.run().title
    assert line._holder is None, "a page that ends early gives its place up too"
