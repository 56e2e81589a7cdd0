"""Every page and every view in every state that a visitor's runs can be in."""

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.catalog import SECTIONS
from cnnlab.runs.naming import run_name
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from tests.app.conftest import Open
from tests.app.runs_page import ME, listed, open_runs, train

# The page whose views are opened in all states; the others take turns.
PAGE = "nin"
VIEWS = {"Read": "Sources:", "Architecture": "flowchart", "Feature maps": "the network sees"}
USED = {"device": "cpu", "precision": "float32"}


def add(store: RunStore, slug: str, seed: int = 0) -> str:
    """A run of a page, as it waits in the queue."""
    config = RunConfig(network=SECTIONS[slug].networks[0], seed=seed)
    return store.add(config, ME, slug, run_name(config))


def run(store: RunStore, slug: str, seed: int = 0) -> str:
    """A run that goes on."""
    name = add(store, slug, seed)
    store.started(name, USED)
    train(store, name, ending=None)
    return name


def end(store: RunStore, slug: str, status: str, message: str = "", seed: int = 0) -> None:
    """A run that has ended; what it learned is kept where there is something to keep."""
    name = run(store, slug, seed)
    kept = str(store.weights_path(name)) if status in ("finished", "cancelled") else None
    store.ended(name, status, message, kept)


def add_group(store: RunStore, slug: str) -> None:
    """A group of three, of which one is done and one goes on."""
    configs = [RunConfig(network=SECTIONS[slug].networks[0], seed=seed) for seed in range(3)]
    _, (done, going, _) = store.add_group(configs, ME, slug, "Three seeds", ["a", "b", "c"])
    train(store, done)
    store.started(going, USED)


def add_hundred(store: RunStore, slug: str) -> None:
    for seed in range(100):
        store.ended(add(store, slug, seed), "finished")


# How the store gets there, what Train says then, and what the Runs page lists.
State = tuple[Callable[[RunStore, str], object], str, str]
STATES: dict[str, State] = {
    "nothing": (lambda _store, _slug: None, "Press Start", "Train a network on any page"),
    "queued": (add, "Starting…", "Waiting"),
    "running": (run, "1,000 images/s", "Running"),
    "finished": (lambda store, slug: end(store, slug, "finished"), "· Finished", "Finished"),
    "failed": (
        lambda store, slug: end(store, slug, "failed", "The loss ran away."),
        "The loss ran away.",
        "Failed",
    ),
    "cancelled": (lambda store, slug: end(store, slug, "cancelled"), "· Stopped", "Stopped"),
    "interrupted": (
        lambda store, slug: end(store, slug, "interrupted", "The server was stopped."),
        "Interrupted: the server was stopped",
        "Interrupted",
    ),
    "group": (add_group, "1 of 3 runs done", "1 of 3"),
    "hundred": (add_hundred, "· Finished", "Finished"),
}


@pytest.fixture(params=STATES)
def state(request: pytest.FixtureRequest, store: RunStore) -> Iterator[str]:
    """The name of a state; the store is in it, for the page whose views are all opened."""
    STATES[request.param][0](store, PAGE)
    yield request.param
    clear(store)


def clear(store: RunStore) -> None:
    """No run of the visitor."""
    for found in store.runs(ME):
        store.delete(found.id)


def said(app: AppTest) -> str:
    """All sentences of a page, and no exception among them."""
    assert not app.exception, [box.value for box in app.exception]
    boxes = (*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.success)
    bars = [bar.proto.text for bar in app.get("progress")]
    pictures = [str(picture.proto.imgs[0].alt) for picture in app.image]
    return " ".join([*(box.value for box in boxes), *bars, *pictures])


def test_train_and_runs(state: str, store: RunStore, open_page: Open) -> None:
    _, sentence, status = STATES[state]
    app = open_page(PAGE, "Train")
    assert sentence in said(app)
    active = state in ("queued", "running", "group")
    assert app.button(key="start").disabled is active
    assert app.button(key="stop").disabled is not active
    app = open_runs([found.id for found in store.runs(ME)])
    if state == "nothing":
        assert status in said(app)
    else:
        assert status in list(app.dataframe[0].value["status"])
        assert len(listed(app)) == (100 if state == "hundred" else 1)


@pytest.mark.parametrize(("view", "sentence"), VIEWS.items())
def test_the_other_views(store: RunStore, open_page: Open, view: str, sentence: str) -> None:
    app = open_page(PAGE, view)
    for state, (build, *_) in STATES.items():
        build(store, PAGE)
        assert sentence in said(app.run()), state
        if view == "Feature maps":
            weights = next(box for box in app.selectbox if box.label == "Weights")
            # The last run stands above what comes with the course.
            has_own = not weights.options[0].startswith("Trained on")
            assert has_own is (state in ("finished", "cancelled")), state
        clear(store)


@pytest.mark.parametrize(
    ("slug", "state"), list(zip((s for s in SECTIONS if s != PAGE), list(STATES)[1:], strict=False))
)
def test_the_other_pages(store: RunStore, open_page: Open, slug: str, state: str) -> None:
    build, sentence, _ = STATES[state]
    build(store, slug)
    assert sentence in said(open_page(slug, "Train"))
