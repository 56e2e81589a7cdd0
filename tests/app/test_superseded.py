"""A script that waits for others ends when its reader has asked for something else."""

import threading

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import state, turns
from pages.components.turns import Turns
from tests.waiting import wait_until


def test_streamlit_ends_a_script_that_only_asks() -> None:
    """No call that draws is needed: a script that waits has nothing to draw."""

    def script() -> None:
        import streamlit as st
        from streamlit.runtime.scriptrunner import get_script_run_ctx

        from pages.components import state

        st.title("before")
        state.end_if_superseded()
        st.title("nobody has asked for something else")
        context = get_script_run_ctx()
        assert context is not None
        assert context.script_requests is not None
        context.script_requests.request_stop()
        state.end_if_superseded()
        st.title("after")

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert [one.value for one in app.title] == ["before", "nobody has asked for something else"]


class Gone(BaseException):
    """What ends a script in Streamlit is no `Exception`."""


def test_who_stands_in_line_is_asked_although_the_place_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line, asked = Turns(1), list[int]()

    def gone_at_last() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise Gone

    monkeypatch.setattr(turns, "of_server", lambda: line)
    monkeypatch.setattr(state, "visitor", lambda: str(threading.get_ident()))
    monkeypatch.setattr(state, "end_if_superseded", gone_at_last)
    may_end = threading.Event()

    def work() -> None:
        with line.turn("ann", lambda _: None):
            assert may_end.wait(20)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: line._working)
    with pytest.raises(Gone), turns.own_turn():
        pytest.fail("another has the turn")
    may_end.set()
    thread.join(20)
    assert len(asked) == 3
