"""What tests of the Runs page do again and again."""

import math
from collections.abc import Sequence
from typing import Any

from streamlit.testing.v1 import AppTest

from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Evaluation, Progress
from pages.components import runs_table
from tests.conftest import ROOT

ME, SOMEBODY = "me", "somebody else"


def add(
    store: RunStore,
    name: str,
    accuracy: float = 0.5,
    visitor: str = ME,
    ending: str = "finished",
    page: str = "vgg",
    **config: Any,
) -> str:
    """A run with a curve of two points and an evaluation."""
    fields: dict[str, Any] = {"network": "lenet", "epochs": 2, "train_size": 1000, **config}
    run = store.add(RunConfig(**fields), visitor, page, name)
    train(store, run, accuracy, ending)
    return run


def train(
    store: RunStore, run: str, accuracy: float = 0.5, ending: str | None = "finished"
) -> None:
    """Give a run points and, where it has one, an ending."""
    points = [
        Progress(
            step=step,
            epoch=step,
            elapsed_s=step,
            train_loss=loss,
            train_accuracy=0.3,
            lr=0.1,
            images_per_s=1000,
            eta_s=0,
        )
        for step, loss in ((1, 2.0), (2, math.nan))
    ]
    test = Evaluation(step=2, epoch=2, elapsed_s=3, test_loss=1.0, test_accuracy=accuracy)
    store.append(run, [*points, test])
    if ending:
        store.ended(run, ending)


def add_group(
    store: RunStore, name: str, accuracies: Sequence[float | None], page: str = "vgg", **config: Any
) -> tuple[str, list[str]]:
    """A group with a seed for each accuracy; those without one still wait."""
    fields: dict[str, Any] = {"network": "lenet", "epochs": 2, "train_size": 1000, **config}
    configs = [RunConfig(**fields, seed=seed) for seed in range(len(accuracies))]
    names = [f"{name}, seed {config.seed}" for config in configs]
    group, runs = store.add_group(configs, ME, page, name, names)
    for run, accuracy in zip(runs, accuracies, strict=True):
        if accuracy is not None:
            train(store, run, accuracy)
    return group, runs


def open_runs(selected: list[str] | None = None, **query: str) -> AppTest:
    """The page as this test's visitor sees it."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if selected is not None:
        app.session_state[runs_table.SELECTED] = selected
    app.run()
    app.switch_page("pages/workbench/runs.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def listed(app: AppTest) -> list[str]:
    """The names in the list, from the top."""
    table = app.dataframe[0].value
    return [name.removeprefix("★ ") for name in table["name"]] if "name" in table else []
