"""The Runs page: list, filter, change, compare, share."""

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.runs import export
from cnnlab.runs.entries import Entry
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from pages.components import runs_actions, runs_table
from pages.components.markdown import escaped
from tests.app.runs_page import ME, SOMEBODY, add, listed, open_runs
from tests.present import present


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_an_empty_page_says_what_to_do(store: RunStore) -> None:
    assert not store.runs(ME)
    app = open_runs()
    assert "Train a network on any page" in app.info[0].value
    assert not app.dataframe


def test_the_list_has_own_runs_only_the_newest_first(store: RunStore) -> None:
    add(store, "first", 0.25)
    add(store, "second", 0.75, network="resnet", ending="cancelled")
    add(store, "not mine", visitor=SOMEBODY)
    app = open_runs()
    assert listed(app) == ["second", "first"]
    table = app.dataframe[0].value
    assert list(table["network"]) == ["ResNet", "LeNet"]
    assert list(table["status"]) == ["Stopped", "Finished"]
    assert list(table["accuracy"]) == [75, 25]
    assert list(table["epochs"]) == [2, 2]
    assert list(table["seconds"]) == [3, 3]


def test_filters(store: RunStore) -> None:
    add(store, "Small steps")
    add(store, "big steps", network="resnet")
    add(store, "other", ending="failed")
    app = open_runs()
    app.text_input(key="runs.find").set_value("STEPS").run()
    assert listed(app) == ["big steps", "Small steps"]
    app.selectbox(key="runs.network").set_value("resnet").run()
    assert listed(app) == ["big steps"]
    app.selectbox(key="runs.status").set_value("failed").run()
    assert not app.exception
    assert "Clear a filter" in app.info[0].value
    assert app.button(key="runs.delete").disabled


def test_pinned_runs_stay_at_the_top_and_ticks_stay_with_their_runs(store: RunStore) -> None:
    old = add(store, "old")
    add(store, "new")
    app = open_runs([old])
    app.button(key="runs.pin").click().run()
    assert listed(app) == ["old", "new"]
    assert app.session_state[runs_table.SELECTED] == [old]
    assert app.button(key="runs.pin").label == "Unpin"
    app.button(key="runs.pin").click().run()
    assert listed(app) == ["new", "old"]
    assert app.session_state[runs_table.SELECTED] == [old]


def test_rename(store: RunStore) -> None:
    run = add(store, "dull")
    app = open_runs([run])
    app.button(key="runs.rename").click().run()
    app.text_input(key=f"runs.name.{run}").set_value("telling")
    app.button(key="runs.rename.save").click().run()
    assert listed(app) == ["telling"]


def test_an_empty_name_is_refused(store: RunStore) -> None:
    run = add(store, "dull")
    app = open_runs([run])
    app.button(key="runs.rename").click().run()
    app.text_input(key=f"runs.name.{run}").set_value("  ")
    app.button(key="runs.rename.save").click().run()
    assert "1 to 80 characters" in app.toast[0].value
    record = store.run(run)
    assert record is not None
    assert record.name == "dull"


def test_deleting_asks_first(store: RunStore) -> None:
    runs = [add(store, name) for name in ("one", "two", "three")]
    app = open_runs(runs[:2])
    app.button(key="runs.delete").click().run()
    assert len(store.runs(ME)) == 3
    app.button(key="runs.delete.keep").click().run()
    assert listed(app) == ["three", "two", "one"]
    app.button(key="runs.delete").click().run()
    app.button(key="runs.delete.sure").click().run()
    assert listed(app) == ["three"]
    assert [run.name for run in store.runs(ME)] == ["three"]


def test_one_run_shows_its_settings(store: RunStore) -> None:
    add(store, "one", lr=0.125)
    app = open_runs()
    assert any("0.125" in table.value.to_string() for table in app.table)


def test_compared_runs_show_what_differs(store: RunStore) -> None:
    runs = [add(store, "slow", 0.25, lr=0.125), add(store, "fast", 0.75, lr=0.5)]
    app = open_runs(runs)
    table = app.dataframe[1].value.set_index("Run")
    assert set(table.columns) == {"Test accuracy", "Learning rate"}
    assert table.loc["slow"].to_dict() == {"Test accuracy": 25, "Learning rate": "0.125"}
    assert table.loc["fast"].to_dict() == {"Test accuracy": 75, "Learning rate": "0.5"}
    assert app.button(key="runs.rename").disabled


def test_networks_with_other_knobs_can_be_compared(store: RunStore) -> None:
    runs = [add(store, network, network=network) for network in ("lenet", "resnet", "densenet")]
    app = open_runs(runs)
    table = app.dataframe[1].value.set_index("Run")
    assert table.loc["densenet", "Growth rate"]
    assert not table.loc["lenet", "Growth rate"]


@pytest.mark.parametrize("axis", ["epoch", "step", "seconds"])
def test_axes(store: RunStore, axis: str) -> None:
    runs = [add(store, "one"), add(store, "two")]
    app = open_runs(runs)
    app.segmented_control(key="runs.axis").set_value(axis).run()
    assert not app.exception
    figure = app.get("plotly_chart")[0].proto.spec
    assert f'"text":"{axis}"' in figure


def test_more_runs_than_colours(store: RunStore) -> None:
    app = open_runs([add(store, f"run {number}") for number in range(10)])
    assert any("the first 8 are drawn" in caption.value for caption in app.caption)
    assert len(app.dataframe[1].value) == 8


def test_a_run_without_points(store: RunStore) -> None:
    run = store.add(RunConfig(network="lenet"), ME, "vgg", "at once")
    store.ended(run, "failed", "It was not to be.")
    app = open_runs()
    assert app.error[0].value == "It was not to be."
    assert any("Nothing was measured" in caption.value for caption in app.caption)


def test_a_shared_run_is_read_only(store: RunStore) -> None:
    run = add(store, "theirs", visitor=SOMEBODY, lr=0.125)
    app = open_runs(shared=store.share(run))
    assert app.title[0].value == "theirs"
    assert any("0.125" in table.value.to_string() for table in app.table)
    assert labels(app) == ["Your own runs"]
    assert not app.dataframe
    assert len(app.get("plotly_chart")) == 2
    app.button(key="runs.own").click().run()
    assert "Train a network on any page" in app.info[0].value


def test_the_title_of_a_shared_run_is_text(store: RunStore) -> None:
    run = add(store, "![x](http://a/b.png) [here](http://a) <b>", visitor=SOMEBODY)
    app = open_runs(shared=store.share(run))
    assert app.title[0].value == escaped("![x](http://a/b.png) [here](http://a) <b>")
    assert "](" not in app.title[0].value.replace(r"\](", "")


@pytest.mark.parametrize("token", ["wrong", "", "' OR 1=1 --"])
def test_a_wrong_link_shows_no_run(store: RunStore, token: str) -> None:
    run = add(store, "theirs", visitor=SOMEBODY)
    store.share(run)
    app = open_runs(shared=token)
    assert not app.get("plotly_chart")
    assert [*app.warning, *app.info]


def test_sharing_gives_a_link_that_works(store: RunStore) -> None:
    run = add(store, "mine")
    app = open_runs([run])
    app.button(key="runs.share").click().run()
    record = store.run(run)
    assert record is not None
    assert record.token
    assert app.code[0].value.endswith(f"/runs?shared={record.token}")


def test_a_link_can_be_withdrawn(store: RunStore) -> None:
    run = add(store, "mine")
    app = open_runs([run])
    app.button(key="runs.share").click().run()
    token = present(present(store.run(run)).token)
    app.button(key="runs.withdraw").click().run()
    assert not app.exception
    assert present(store.run(run)).token is None
    assert store.by_token(token) is None


def test_nobody_changes_or_shares_a_run_of_somebody_else(store: RunStore) -> None:
    """Also where a page holds on to a run that is not its visitor's."""

    def page(run: str) -> None:
        from cnnlab.runs import entries
        from pages.components import runs_actions as actions
        from pages.components.services import store

        record = store().run(run)
        assert record is not None
        entry = entries.Entry((record,))
        actions.pin([entry], True)
        actions.save_name(entry)
        actions.share(entry)

    run = add(store, "theirs", visitor=SOMEBODY)
    before = present(store.run(run))
    app = AppTest.from_function(page, args=(run,))
    app.session_state[runs_actions.name_key(Entry((before,)))] = "mine"
    app.run()
    refusals = [*app.toast, *app.error]
    assert len(refusals) == 3
    assert all("not yours" in box.value for box in refusals)
    assert store.run(run) == before


def test_event_files_are_offered_where_they_can_be_written(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "one")
    for there in (False, True):
        monkeypatch.setattr(export, "has_tensorboard", lambda there=there: there)
        offered = [button.proto.label for button in open_runs().get("download_button")]
        assert offered == ["CSV", "JSON", *(["TensorBoard"] if there else [])]
