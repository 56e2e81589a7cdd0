"""The Teacher page: there only where a password was set, open only to those who know it."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig
from pages.components import services, teacher
from tests.app.runs_page import ME, SOMEBODY
from tests.conftest import ROOT
from tests.present import present
from tests.waiting import wait_until

CONFIG = RunConfig(network="lenet", train_size=256, epochs=1)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, store: RunStore) -> Iterator[RunManager]:  # noqa: ARG001
    """The app's own, its line paused, so that what is sent there waits."""
    monkeypatch.setenv(teacher.VARIABLE, "chalk and cheese")
    monkeypatch.setattr(teacher, "WAIT_S", 0)
    manager = services.run_manager()
    manager.pause(True)
    yield manager
    for one in manager.line():
        manager.stop(one.run.id, one.run.visitor)
    manager.pause(False)


def open_teacher() -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.run()
    app.switch_page("pages/workbench/teacher.py")
    return app.run()


def give(app: AppTest, password: str) -> AppTest:
    app.text_input(key="teacher.password").set_value(password)
    app.button(key="teacher.open").click().run()
    assert not app.exception
    return app


def test_without_a_password_there_is_no_such_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(teacher.VARIABLE, raising=False)
    assert not teacher.is_there()
    assert not teacher.is_open()
    monkeypatch.setenv(teacher.VARIABLE, "")
    assert not teacher.is_there()


def test_a_wrong_password_opens_nothing(manager: RunManager) -> None:
    manager.submit(CONFIG, SOMEBODY, "lenet", "theirs")
    app = open_teacher()
    assert not app.dataframe
    give(app, "chalk")
    assert "not the password" in app.error[0].value
    assert not app.dataframe
    assert not app.toggle


def test_the_line_of_all_visitors_is_seen_and_the_pause_ended(
    manager: RunManager, store: RunStore
) -> None:
    theirs = manager.submit(CONFIG, SOMEBODY, "lenet", "theirs")
    app = give(open_teacher(), "chalk and cheese")
    assert list(app.dataframe[0].value["Run"]) == ["theirs"]
    assert list(app.dataframe[0].value["State"]) == ["Waiting"]
    # Nobody's name is in it: whoever has it has the visitor's runs.
    assert SOMEBODY not in app.dataframe[0].value.to_string()
    assert any("paused" in warning.value for warning in app.sidebar.warning)
    app.toggle(key="teacher.pause").set_value(False).run()
    assert not app.exception
    assert not manager.paused
    wait_until(lambda: present(store.run(theirs)).status == "finished", timeout_s=120)


def test_runs_are_stopped_and_let_go_first(
    manager: RunManager, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = manager.submit(CONFIG, ME, "lenet", "first")
    second = manager.submit(CONFIG, SOMEBODY, "lenet", "second")
    app = give(open_teacher(), "chalk and cheese")
    assert app.button(key="teacher.stop").disabled
    # As if the last row were ticked.
    monkeypatch.setattr(teacher, "listed", lambda line: line[-1:])
    app.run()
    app.button(key="teacher.first").click().run()
    assert [one.run.id for one in manager.line()] == [second, first]
    app.button(key="teacher.stop").click().run()
    assert not app.exception
    assert present(store.run(first)).status == "cancelled"
    assert present(store.run(first)).message == teacher.STOPPED
    # A password that was changed closes the tabs that had the old one.
    monkeypatch.setenv(teacher.VARIABLE, "another")
    teacher_was_here = app.run()
    assert not teacher_was_here.toggle
