"""The grid of learning rates on the page of batch normalization, in each of its states."""

import math

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.experiments import rate_grid
from cnnlab.experiments.rate_grid import CELLS, Cell
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.endings import RAN_AWAY
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import Progress
from pages.components import rate_grid as card
from pages.components import services
from tests.app.conftest import Open
from tests.app.runs_page import ME

SPEED = Estimate(precision="float32", step_s=0.01, test_image_s=0.0)
LOSSES = {"learns": 1.0, "slow": 2.0, "stuck": math.log(10)}


@pytest.fixture(autouse=True)
def speeds(monkeypatch: pytest.MonkeyPatch, store: RunStore) -> None:
    """Nothing is measured, and no grid is left of another test."""
    monkeypatch.setattr(services.run_manager(), "estimate", lambda _config: SPEED)
    for run in store.runs(ME, page=card.PAGE):
        store.delete(run.id)


def said(app: AppTest) -> str:
    assert not app.exception, [box.value for box in app.exception]
    bars = [bar.proto.text for bar in app.get("progress")]
    return " ".join([*(box.value for box in (*app.markdown, *app.caption, *app.error)), *bars])


def helps(app: AppTest) -> dict[str, str]:
    """What the cells say, by their keys."""
    cells = [button for button in app.button if str(button.key).startswith("rate_cell.")]
    assert len(cells) == len(CELLS)
    return {str(button.key).removeprefix("rate_cell."): button.help for button in cells}


def add_grid(store: RunStore, size: int = 32) -> dict[Cell, str]:
    """A grid whose runs wait."""
    configs = rate_grid.configs(size, "shapes")
    names = [cell.name for cell in CELLS]
    _, runs = store.add_group(configs, ME, card.PAGE, card.NAME.format(size), names)
    return dict(zip(CELLS, runs, strict=True))


def end(store: RunStore, run: str, came_to: str) -> None:
    """Let a run come to this."""
    store.started(run, {"device": "cpu", "precision": "float32"})
    if came_to == "diverged":
        store.ended(run, "failed", message=f"{RAN_AWAY} nan at step 7.")
        return
    shared = {"epoch": 1.0, "elapsed_s": 1.0, "lr": 0.1, "images_per_s": 9.0, "eta_s": 0.0}
    loss = LOSSES[came_to]
    store.append(
        run, [Progress(step=n, train_loss=loss, train_accuracy=0.5, **shared) for n in (1, 2)]
    )
    store.ended(run, "finished", figures={"test_accuracy": 0.5})


def test_before_it_is_started(open_page: Open) -> None:
    app = open_page("batch_norm", "Read")
    # Sixteen times 500 steps of 10 ms, and how many go beside each other is the machine's affair.
    assert "for 16 cells of 500 steps on this machine" in said(app)
    assert "Cells fill in as runs end." in said(app)
    assert "below 1.73" in said(app)
    assert not app.button(key="rate_grid_start").disabled
    assert app.button(key="rate_grid_stop").disabled
    assert all(app.button(key=f"rate_cell.{key}").disabled for key in helps(app))


def test_a_speed_that_is_not_known_yet(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.run_manager(), "estimate", lambda _config: None)
    app = open_page("batch_norm", "Read")
    assert "is measured as soon as the machine is free" in said(app)
    assert not app.button(key="rate_grid_start").disabled


def test_it_is_started_as_one_group_and_stopped(
    open_page: Open, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted: list[tuple[list[RunConfig], str, str]] = []
    stopped: list[str] = []

    def submit(configs: list[RunConfig], visitor: str, page: str, name: str) -> str:
        submitted.append((configs, visitor, page))
        names = [cell.name for cell in CELLS]
        return store.add_group(configs, visitor, page, name, names)[0]

    manager = services.run_manager()
    monkeypatch.setattr(manager, "submit_group", submit)
    monkeypatch.setattr(manager, "stop_group", lambda group, *_: stopped.append(group))
    app = open_page("batch_norm", "Read")
    app.segmented_control(key="rate_grid.size").set_value(8).run()
    app.button(key="rate_grid_start").click().run()
    assert submitted == [(rate_grid.configs(8, "shapes"), ME, card.PAGE)]
    assert "0 of 16 runs done" in said(app)
    assert app.button(key="rate_grid_start").disabled
    assert set(helps(app).values()) == {f"{cell.name}: waiting" for cell in CELLS}
    app.button(key="rate_grid_stop").click().run()
    assert stopped == [store.runs(ME, page=card.PAGE)[0].group_id]
    # The grid of another size is another grid, which can be started.
    app.segmented_control(key="rate_grid.size").set_value(32).run()
    assert not app.button(key="rate_grid_start").disabled


def test_cells_come_in_one_after_the_other(open_page: Open, store: RunStore) -> None:
    runs = add_grid(store)
    end(store, runs[Cell(True, 0.1)], "learns")
    end(store, runs[Cell(False, 0.1)], "diverged")
    store.started(runs[Cell(True, 0.3)], {"device": "cpu", "precision": "float32"})
    app = open_page("batch_norm", "Read")
    found = helps(app)
    assert found["True.0.1"] == "with batch norm at 0.1: learns"
    assert found["False.0.1"] == "without batch norm at 0.1: diverged"
    assert found["True.0.3"] == "with batch norm at 0.3: running"
    assert found["False.10"] == "without batch norm at 10: waiting"
    assert "2 of 16 runs done" in said(app)
    assert "Largest rate that learns" not in said(app)


def test_the_whole_grid_and_the_curve_of_a_cell(open_page: Open, store: RunStore) -> None:
    for cell, run in add_grid(store).items():
        high = 3.0 if cell.batch_norm else 0.1
        end(store, run, "slow" if cell.lr < 0.03 else "learns" if cell.lr <= high else "stuck")
    app = open_page("batch_norm", "Read")
    assert "with batch norm **3**, without **0.1**. A factor of 30." in said(app)
    assert "With batch norm at 0.1: learns" in said(app)
    app.button(key="rate_cell.False.10").click().run()
    assert "**Without batch norm at 10: stuck**, test accuracy 50%." in said(app)
    assert app.button(key="rate_grid_start").label == "Start again"
