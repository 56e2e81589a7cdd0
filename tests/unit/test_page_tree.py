"""The page as a client without a browser keeps it: what is there, what was replaced, what left."""

import random

import pytest
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider

from benchmarks.page_tree import Node, PageTree, other_value, shown
from benchmarks.remembered import KEPT_RUNS, Remembered

WHOLE = ForwardMsg.FINISHED_SUCCESSFULLY
PART = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY


def begins(run: str) -> ForwardMsg:
    message = ForwardMsg()
    message.new_session.initialize.session_id = "tab"
    message.metadata.run.script_run_id = run
    return message


def ends(status: ForwardMsg.ScriptFinishedStatus.ValueType, *fragments: str) -> ForwardMsg:
    message = ForwardMsg(script_finished=status)
    message.metadata.run.fragment_ids.extend(fragments)
    return message


def button(place: int, key: str, fragment: str = "", disabled: bool = False) -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path.extend([0, place])
    message.delta.fragment_id = fragment
    message.delta.new_element.button.id = f"$$ID-0123-{key}"
    message.delta.new_element.button.disabled = disabled
    return message


def keys(page: PageTree) -> set[str]:
    return {node.key for node in page.widgets("")}


@pytest.fixture
def page() -> PageTree:
    """Two buttons of the page, and one of a part of it."""
    found = PageTree()
    for message in (begins("1"), button(0, "start"), button(1, "stop"), button(2, "more", "part")):
        found.take(message)
    found.take(ends(WHOLE))
    return found


def test_a_widget_is_found_by_its_key(page: PageTree) -> None:
    found = page.widget("button", "more")
    assert found is not None
    assert (found.key, found.fragment) == ("more", "part")
    assert page.widget("button", "nothing") is None
    assert page.widget("slider", "start") is None


def test_a_greyed_out_widget_cannot_be_used(page: PageTree) -> None:
    page.take(button(0, "start", disabled=True))
    assert page.widget("button", "start") is None
    assert keys(page) == {"stop", "more"}


def test_what_a_run_does_not_draw_again_leaves_when_it_is_over(page: PageTree) -> None:
    page.take(begins("2"))
    page.take(button(0, "other"))
    assert keys(page) == {"other", "stop", "more"}  # still there while the page is drawn
    page.take(ends(WHOLE))
    assert keys(page) == {"other"}


def test_a_run_of_a_part_leaves_the_rest(page: PageTree) -> None:
    page.take(begins("2"))
    page.take(button(3, "less", "part"))
    page.take(ends(PART, "part"))
    assert keys(page) == {"start", "stop", "less"}


def test_an_interrupted_run_drops_nothing(page: PageTree) -> None:
    page.take(begins("2"))
    page.take(ends(ForwardMsg.FINISHED_EARLY_FOR_RERUN))
    assert keys(page) == {"start", "stop", "more"}


def test_an_element_in_the_place_of_a_container_drops_what_was_in_it(page: PageTree) -> None:
    inner = button(1, "inner")
    inner.metadata.delta_path[:] = [0, 1, 0]
    page.take(inner)
    page.take(button(1, "outer"))
    assert "inner" not in keys(page)


def test_exceptions_and_red_boxes_are_complaints(page: PageTree) -> None:
    for place, kind in ((5, Alert.ERROR), (6, Alert.WARNING)):
        message = button(place, "")
        message.delta.new_element.alert.body = "too small"
        message.delta.new_element.alert.format = kind
        page.take(message)
    message = button(7, "")
    message.delta.new_element.exception.type = "KeyError"
    page.take(message)
    assert page.complaints() == ["too small", "exception: KeyError "]


def slider(**bounds: float) -> Node:
    found = Slider(default=[3.0], step=2, **bounds)  # type: ignore[arg-type]
    return Node("slider", found, "", "")


def test_a_slider_moves_a_step_within_its_bounds() -> None:
    chance = random.Random(0)
    held = shown(slider(min=3, max=9))
    assert held == 3
    assert {other_value(slider(min=3, max=9), held, chance) for _ in range(9)} == {5}
    assert {other_value(slider(min=1, max=9), held, chance) for _ in range(20)} == {1, 5}
    assert other_value(slider(min=3, max=3), held, chance) is None


def test_a_value_goes_back_in_the_field_of_its_widget() -> None:
    assert list(slider().state(5.0).double_array_value.data) == [5]
    message = button(0, "start")
    pressed = Node("button", message.delta.new_element.button, "", "").state(True)
    assert (pressed.id, pressed.trigger_value) == ("$$ID-0123-start", True)


def test_a_large_message_is_remembered_as_long_as_it_is_used() -> None:
    remembered = Remembered()
    sent = button(0, "start")
    sent.hash, sent.metadata.cacheable = "abc", True
    remembered.whole(sent)
    again = ForwardMsg(ref_hash="abc")
    again.metadata.delta_path.extend([0, 4])
    found = remembered.whole(again)
    assert found.delta == sent.delta
    assert list(found.metadata.delta_path) == [0, 4]
    for _ in range(KEPT_RUNS):
        remembered.finished(is_whole=True)
    remembered.finished(is_whole=False)
    assert list(remembered) == ["abc"]
    remembered.finished(is_whole=True)
    assert list(remembered) == []
