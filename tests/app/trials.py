"""Experiments as a visitor has them, made up in the store."""

from streamlit.testing.v1 import AppTest

from cnnlab.experiments import SEEDS, Experiment
from cnnlab.runs.store import RunStore
from cnnlab.training.events import Evaluation, Measurement, Progress
from tests.app.runs_page import ME

USED = {"device": "cpu", "precision": "float32"}


def said(app: AppTest) -> str:
    assert not app.exception, [box.value for box in app.exception]
    boxes = (*app.markdown, *app.caption, *app.subheader, *app.error)
    bars = [bar.proto.text for bar in app.get("progress")]
    return " ".join([*(box.value for box in boxes), *bars])


def learn(store: RunStore, run: str, loss: float, **more: object) -> None:
    """A run that ends with this loss, and with more figures."""
    store.started(run, USED)
    shared = {"epoch": 1.0, "elapsed_s": 1.0}
    point = {"train_loss": loss, "train_accuracy": 0.5, "lr": 0.1, "images_per_s": 9.0, "eta_s": 0}
    store.append(run, [Progress(step=step, **shared, **point) for step in (1, 2, 3)])
    store.append(run, [Evaluation(step=3, **shared, test_loss=loss, test_accuracy=1 - loss / 3)])
    figures = {"test_accuracy": 1 - loss / 3, "train_accuracy": 1 - loss / 3, "train_loss": loss}
    store.ended(run, "finished", figures=figures | more)


def predicted_and_run(
    store: RunStore, experiment: Experiment, answer: str, ended: int, dataset: str = "shapes"
) -> None:
    """An experiment of which so many runs have ended; only its first arm gets below a loss of 2."""
    configs = experiment.configs(SEEDS, dataset)
    names = [f"run {number}" for number in range(len(configs))]
    group, runs = store.add_group(configs, ME, experiment.section, "An experiment", names)
    store.predictions.predict(ME, experiment.id, answer)
    store.predictions.begun(ME, experiment.id, group)
    for place, run in enumerate(runs[:ended]):
        learn(store, run, loss=0.5 if place % len(experiment.arms) == 0 else 2.5)


def timed(store: RunStore, run: str, activations_s: float) -> None:
    """A run that ends, with the time of its activations in its only observed step."""
    store.started(run, USED)
    place = {"step": 1, "epoch": 1.0, "elapsed_s": 1.0, "kind": "activation_cost"}
    half = activations_s / 2
    observed = ((None, {"pass_s": 0.02}), ("act1", {"forward_s": half, "backward_s": half}))
    store.append(run, [Measurement(layer=layer, values=v, **place) for layer, v in observed])
    store.ended(run, "finished", figures={})
