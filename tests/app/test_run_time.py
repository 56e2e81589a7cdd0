"""How long a run takes is said before it starts, and a long one comes with a way out."""

import dataclasses
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from cnnlab.training import RunConfig
from cnnlab.training.estimate import Estimate
from pages.components import curves, run_time, services
from tests.app.conftest import Open

SLOW = Estimate(precision="float32", step_s=2.0, test_image_s=0.001)
Says = Callable[[Estimate | None], None]
FAST = Estimate(precision="bfloat16", step_s=0.01, test_image_s=0.0001, gain=1.84)


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """Let the machine have a speed."""

    def set_to(found: Estimate | None) -> None:
        monkeypatch.setattr(services.run_manager(), "estimate", lambda _config: found)

    return set_to


def captions(app: AppTest) -> str:
    return " ".join(box.value for box in app.caption)


def offers(app: AppTest) -> list[Button]:
    return [button for button in app.button if button.key == "use_small"]


def test_a_short_run(open_page: Open, says: Says) -> None:
    says(FAST)
    app = open_page("vgg", "Train")
    # 3 epochs of 187 steps of 10 ms, and tests of 2,000 pictures of 0.1 ms.
    assert "About **7 s**, computed in bfloat16, 1.8 times as fast here as float32" in captions(app)
    assert not app.warning
    assert not offers(app)


def test_a_long_run_offers_the_small_preset(open_page: Open, says: Says) -> None:
    says(SLOW)
    app = open_page("vgg", "Train", link={"preset": "d2l", "exact": "true", "dataset": "shapes"})
    assert "min**, computed in float32" in app.warning[0].value
    assert "It would be stopped after 30 min." in app.warning[0].value
    (button,) = offers(app)
    button.click()
    app.run()
    chosen = [app.selectbox(key=f"vgg.vgg.{name}").value for name in ("preset", "epochs")]
    assert chosen == ["Quick stand-in", "3"]
    assert app.number_input(key="vgg.vgg.hidden").value == 256
    assert not offers(app)
    assert "Fewer epochs or training pictures" in app.warning[0].value


def test_what_cannot_work_is_said_before_it_is_started(open_page: Open, says: Says) -> None:
    says(Estimate(problem="The device ran out of memory. Use a smaller batch."))
    app = open_page("vgg", "Train")
    assert "ran out of memory" in app.warning[0].value


def test_a_speed_that_is_not_known_yet(open_page: Open, says: Says) -> None:
    says(None)
    app = open_page("vgg", "Train")
    assert "measured as soon as the machine is free" in captions(app)


def test_a_time_taken_beside_other_work_says_so(open_page: Open, says: Says) -> None:
    says(FAST.model_copy(update={"busy": True}))
    assert "Measured beside other work" in captions(open_page("vgg", "Train"))
    says(FAST)
    assert "beside other work" not in captions(open_page("vgg", "Train"))


@pytest.mark.parametrize(
    ("first", "then", "reruns"),
    [
        (None, None, 0),
        (None, FAST, 1),
        (None, SLOW.model_copy(update={"busy": True}), 1),
        (FAST.model_copy(update={"busy": True}), FAST.model_copy(update={"busy": True}), 0),
        (FAST.model_copy(update={"busy": True}), FAST, 1),
        (FAST, FAST, 0),
    ],
)
def test_the_time_is_asked_for_until_it_will_stay(
    monkeypatch: pytest.MonkeyPatch,
    says: Says,
    first: Estimate | None,
    then: Estimate | None,
    reruns: int,
) -> None:
    """A line that was drawn with one answer and finds another draws its page once more."""
    done: list[bool] = []
    monkeypatch.setattr("pages.components.run_time.st.rerun", lambda: done.append(True))
    says(then)
    run_time.line(RunConfig(network="vgg"), None, run_time.next_tick_s(first))
    assert len(done) == reruns


def test_a_run_that_ends_while_the_page_is_drawn_leaves_no_stuck_buttons(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The buttons are drawn with a run that has ended when the curves are drawn."""
    store = services.store()
    run = store.add(RunConfig(network="vgg"), "ann", "vgg", "VGG, run 1")
    store.ended(run, "cancelled")
    record = store.run(run)
    assert record
    answers = [dataclasses.replace(record, status="running")]
    monkeypatch.setattr(curves, "active_run", lambda _section: answers.pop() if answers else None)
    app = open_page("vgg", "Train")
    assert not answers
    buttons = {button.key: button for button in app.button}
    assert not buttons["start"].disabled
    assert buttons["stop"].disabled
