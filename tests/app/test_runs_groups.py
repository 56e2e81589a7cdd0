"""The Runs page with groups: one line for many runs, and what can be done with it."""

import pytest

from cnnlab.runs.store import RunStore
from pages.components import runs, runs_table, services
from tests.app.runs_page import ME, add, add_group, listed, open_runs


def test_a_group_is_one_line_that_opens(store: RunStore) -> None:
    add(store, "single", 0.25)
    group, _ = add_group(store, "seeds", [0.5, 0.7, None])
    app = open_runs([group])
    table = app.dataframe[0].value
    assert list(table["name"]) == ["▸ seeds · 3 runs", "single"]
    assert list(table["status"]) == ["2 of 3", "Finished"]
    assert list(table["accuracy"]) == [60, 25]
    assert list(table["network"]) == ["LeNet", "LeNet"]
    app.button(key="runs.turn").click().run()
    table = app.dataframe[0].value
    names = ["▾ seeds · 3 runs", "\u2003seed 0", "\u2003seed 1", "\u2003seed 2", "single"]
    assert list(table["name"]) == names
    assert list(table["status"]) == ["2 of 3", "Finished", "Finished", "Waiting", "Finished"]
    assert app.session_state[runs_table.SELECTED] == [group]
    app.button(key="runs.turn").click().run()
    assert listed(app) == ["▸ seeds · 3 runs", "single"]


def test_a_group_is_found_by_what_one_of_its_runs_is(store: RunStore) -> None:
    add(store, "other")
    _, runs = add_group(store, "seeds", [0.5, None, None])
    store.ended(runs[1], "failed", "It was not to be.")
    app = open_runs()
    app.selectbox(key="runs.status").set_value("failed").run()
    assert listed(app) == ["▸ seeds · 3 runs"]
    app.selectbox(key="runs.status").set_value(None).run()
    app.text_input(key="runs.find").set_value("SEED 2").run()
    assert listed(app) == ["▸ seeds · 3 runs"]


def test_a_group_is_pinned_renamed_shared_and_deleted_as_one(store: RunStore) -> None:
    group, runs = add_group(store, "seeds", [0.5, 0.7])
    add(store, "single")
    app = open_runs([group])
    app.button(key="runs.pin").click().run()
    assert app.dataframe[0].value["name"][0] == "★ ▸ seeds · 2 runs"
    app.button(key="runs.rename").click().run()
    app.text_input(key=f"runs.name.{group}").set_value("sigmoid")
    app.button(key="runs.rename.save").click().run()
    assert listed(app) == ["▸ sigmoid · 2 runs", "single"]
    app.button(key="runs.share").click().run()
    token = app.code[0].value.partition("shared=")[2]
    assert [run.id for run in store.groups.by_token(token)] == runs
    app.button(key="runs.delete").click().run()
    assert any("sigmoid, all 2 runs" in block.value for block in app.markdown)
    app.button(key="runs.delete.sure").click().run()
    assert listed(app) == ["single"]
    assert store.groups.by_token(token) == []


def test_a_group_that_goes_on_is_stopped_before_it_is_deleted(store: RunStore) -> None:
    group, runs = add_group(store, "seeds", [0.5, None])
    app = open_runs([group])
    assert app.button(key="runs.delete").disabled
    app.button(key="runs.stop").click().run()
    # No manager of this server does the run: it says where it is, and ends nothing.
    assert "Another server" in app.toast[0].value
    store.ended(runs[1], "cancelled")
    app.run()
    assert not app.button(key="runs.delete").disabled
    assert list(app.dataframe[0].value["status"]) == ["1 of 2"]


def test_the_runs_of_a_ticked_group_are_ticked_with_it(store: RunStore) -> None:
    group, runs = add_group(store, "seeds", [0.5, 0.7])
    single = add(store, "single")
    app = open_runs([group, runs[1], single])
    app.session_state[runs_table.OPENED] = [group]
    app.run()
    app.session_state[runs_table.SELECTED] = [group, runs[1], single]
    app.button(key="runs.delete").click().run()
    app.button(key="runs.delete.sure").click().run()
    assert not app.toast
    assert not store.runs(ME)


def test_a_shared_group_is_read_only(store: RunStore) -> None:
    group, _ = add_group(store, "theirs", [0.5, 0.7])
    app = open_runs(shared=store.groups.share(group))
    assert app.title[0].value == "theirs"
    assert [button.label for button in app.button] == ["Your own runs"]
    assert app.get("plotly_chart")


def test_a_long_list_asks_the_store_for_all_of_it_at_once(store: RunStore) -> None:
    for number in range(6):
        add_group(store, f"group {number}", [0.5] * 3)
    app = open_runs([])
    asked: list[str] = []
    with services.store()._db.read() as db:
        db.set_trace_callback(asked.append)
    app.run()
    with services.store()._db.read() as db:
        db.set_trace_callback(None)
    assert len(listed(app)) == 6
    assert len(asked) <= 3


def test_where_the_list_ends_no_group_is_cut_in_two(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MOST", 4)
    for number in range(3):
        add_group(store, f"group {number}", [0.5] * 3)
    assert listed(open_runs()) == ["▸ group 2 · 3 runs", "▸ group 1 · 3 runs"]


def test_a_ticked_group_shows_its_progress_and_what_it_reached(store: RunStore) -> None:
    group, runs = add_group(store, "seeds", [0.5, 0.7, None, None])
    store.started(runs[2], {})
    app = open_runs([group])
    assert "2 of 4 runs done · 1 going on" in app.get("progress")[0].proto.text
    results = app.dataframe[1].value
    assert results["Test accuracy"].tolist() == ["60.0 ± 14.1 %"]
    assert results["Finished"].tolist() == ["2 of 4"]
    # A run that ends draws the whole page anew, with its line in the list.
    store.ended(runs[2], "cancelled")
    app.run()
    assert app.dataframe[0].value["status"].tolist() == ["3 of 4"]


def test_groups_and_single_runs_are_compared_by_their_means(store: RunStore) -> None:
    slow, _ = add_group(store, "slow", [0.5, 0.7], lr=0.125)
    fast, _ = add_group(store, "fast", [0.25, 0.5], lr=0.5)
    single = add(store, "single", 0.75, lr=0.25)
    app = open_runs([slow, fast, single])
    results = app.dataframe[1].value
    assert sorted(results["Runs"]) == ["rate 0.125", "rate 0.25", "rate 0.5"]
    found = dict(zip(results["Runs"], results["Test accuracy"], strict=True))
    assert found["rate 0.125"] == "60.0 ± 14.1 %"
    assert found["rate 0.25"] == "75.0 %"
    # Groups of one configuration are one arm: more seeds of the same.
    again, _ = add_group(store, "slow again", [0.3], lr=0.125)
    results = open_runs([slow, again]).dataframe[1].value
    assert results["Runs"].tolist() == ["All seeds"]
    assert results["Test accuracy"].tolist() == ["50.0 ± 20.0 %"]
