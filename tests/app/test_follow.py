"""A picture that a run carries: chosen beside Start, drawn while the run goes on, played back."""

import json
from functools import cache
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import images
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Event, Finished, Started
from cnnlab.training.followed import followed
from cnnlab.training.probes.picture import PictureProbe
from pages.components import follow, picture_choice, seeds
from tests.app.conftest import Open
from tests.app.runs_page import ME, open_runs

PICTURE = images.decode(images.samples()[0].path.read_bytes())
CONFIG = followed(
    RunConfig(
        network="lenet",
        options={"batch_norm": True},
        train_size=64,
        batch_size=16,
        epochs=2,
        evaluate="end",
        image_size=16,
    ),
    PICTURE,
)
TITLE = "The picture, step by step"


@cache
def events() -> tuple[Event, ...]:
    """One run for all of these tests."""
    return tuple(train(CONFIG))


def added(store: RunStore, ending: str | None = "finished", steps: int = 100) -> str:
    """A run that was observed for so many steps, and ended thus."""
    started, *middle, last = events()
    assert isinstance(started, Started)
    assert isinstance(last, Finished)
    run = store.add(CONFIG, ME, "batch_norm", "LeNet")
    store.started(run, {"device": "cpu", "precision": "float32", "steps": started.steps})
    early = [e for e in middle if not isinstance(e, Started) and e.step <= steps]
    store.append(run, early)
    if ending:
        store.ended(run, ending, "It broke." if ending == "failed" else "")
    return run


def player(app: AppTest) -> dict[str, Any] | None:
    """The header of what the player was sent; None where there is none."""
    assert not app.exception, [box.value for box in app.exception]
    found = [element.proto.bytes for element in app.get("bidi_component")]
    if not found:
        return None
    (content,) = found
    assert len(content) <= 1_500_000
    length = int.from_bytes(content[:4], "little")
    header: dict[str, Any] = json.loads(content[4 : 4 + length])
    strips = [*header["layers"], *filter(None, [header["kernels"]])]
    for strip in strips:
        # All codes are there.
        each = strip["tiles"] * strip["height"] * strip["width"] * strip["colours"]
        assert 4 + length + strip["offset"] + each * len(strip["frames"]) <= len(content)
    return header


def said(app: AppTest) -> str:
    return "\n".join(block.value for block in app.caption)


def test_a_run_takes_the_chosen_picture_along(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[RunConfig] = []
    monkeypatch.setattr(seeds, "start", lambda config, _page: begun.append(config))
    app = open_page("batch_norm", "Train")
    assert [box.label for box in app.selectbox if box.key == "sample"] == []
    app.toggle(key=follow.KEY).set_value(True).run()
    assert not app.exception
    # A picture of the data, until the reader chooses another.
    assert app.selectbox(key="sample").value == picture_choice.first_sample("shapes")
    other = images.samples()[1].name
    app.selectbox(key="sample").set_value(other).run()
    app.button(key="start").click().run()
    assert [probe.kind for probe in begun[0].probes] == ["picture", "kernels"]
    given = begun[0].probes[0]
    assert isinstance(given, PictureProbe)
    wanted = followed(
        begun[0].replace(probes=()), images.decode(images.samples()[1].path.read_bytes())
    )
    assert given == wanted.probes[0]
    assert given != followed(begun[0].replace(probes=()), PICTURE).probes[0]
    app.toggle(key=follow.KEY).set_value(False).run()
    app.button(key="start").click().run()
    assert begun[1].probes == ()


def test_the_upload_of_feature_maps_is_followed_without_another_upload(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[RunConfig] = []
    monkeypatch.setattr(seeds, "start", lambda config, _page: begun.append(config))
    own = images.samples()[2].path.read_bytes()
    app = open_page("batch_norm", "Feature maps", picture_from="Upload")
    app.file_uploader(key="upload").set_value(("me.jpg", own, "image/jpeg")).run()
    # A view that is not open has no widgets, and what a file widget held is gone with it.
    app.query_params["view"] = "Train"
    app.run()
    app.toggle(key=follow.KEY).set_value(True).run()
    assert "chose before" in said(app)
    app.button(key="start").click().run()
    assert not app.exception
    assert begun[0] == followed(begun[0].replace(probes=()), images.decode(own))
    # Taken away, it is gone in every view.
    app.file_uploader(key="upload").set_value(("me.jpg", own, "image/jpeg")).run()
    assert "chose before" not in said(app)
    app.file_uploader(key="upload").set_value([]).run()
    assert "you see the sample" in said(app)


def test_whoever_shares_a_run_is_told_that_its_picture_goes_with_it(store: RunStore) -> None:
    app = open_runs([added(store)])
    app.button(key="runs.share").click().run()
    assert "The picture that was followed goes with it" in said(app)


def test_idle_nothing_is_drawn(open_page: Open, store: RunStore) -> None:
    assert store.runs(ME) == []
    app = open_page("batch_norm", "Train", follow=True)
    assert player(app) is None
    assert TITLE not in [box.label for box in app.expander]


def test_while_it_runs_the_newest_frame_is_sent(open_page: Open, store: RunStore) -> None:
    added(store, ending=None, steps=5)
    header = player(open_page("batch_norm", "Train"))
    assert header
    assert header["live"]
    assert header["steps"][-1] == 5 < header["end"]
    assert {tuple(layer["frames"]) for layer in header["layers"]} == {(len(header["steps"]) - 1,)}
    assert len(header["kernels"]["frames"]) == 2


def test_before_the_first_step_a_sentence(open_page: Open, store: RunStore) -> None:
    added(store, ending=None, steps=0)
    app = open_page("batch_norm", "Train")
    assert player(app) is None
    assert "appears with the first step" in said(app)


@pytest.mark.parametrize("ending", ["finished", "cancelled", "failed", "interrupted"])
def test_afterwards_all_steps_are_there(open_page: Open, store: RunStore, ending: str) -> None:
    added(store, ending, steps=100 if ending == "finished" else 6)
    header = player(open_page("batch_norm", "Train"))
    assert header
    assert not header["live"]
    assert len(header["steps"]) == (8 if ending == "finished" else 6)
    assert len(header["scores"]) == len(header["steps"])
    assert all(sum(shares) == pytest.approx(1, abs=0.01) for shares in header["scores"])
    assert len(header["names"]) == len(header["scores"][0]) == 10
    titles = [layer["title"].split(":")[0] for layer in header["layers"]]
    assert titles == ["conv1", "conv2", "fc2"]
    assert header["kernels"]["frames"] == list(range(len(header["steps"])))


def test_a_run_that_broke_off_at_once_has_nothing(open_page: Open, store: RunStore) -> None:
    added(store, "failed", steps=0)
    app = open_page("batch_norm", "Train")
    assert player(app) is None
    assert "ended before the picture" in said(app)


def test_the_page_of_runs_plays_it_too_when_it_is_opened(store: RunStore) -> None:
    run = added(store)
    app = open_runs([run])
    assert player(app) is None
    app.session_state["runs.follow.open"] = True
    header = player(app.run())
    assert header
    assert len(header["steps"]) == 8


def test_one_of_several_seeds_is_chosen(open_page: Open, store: RunStore) -> None:
    configs = [CONFIG, CONFIG.replace(seed=1)]
    _, runs = store.add_group(configs, ME, "batch_norm", "Two", ["a", "b"])
    _, *middle, _ = events()
    for run in runs:
        store.started(run, {"device": "cpu", "precision": "float32", "steps": 8})
        store.append(run, middle)
        store.ended(run, "finished")
    app = open_page("batch_norm", "Train")
    assert player(app) is not None
    app.selectbox(key="follow.run").set_value("Seed 1").run()
    header = player(app)
    assert header
    assert header["id"] == runs[1]
