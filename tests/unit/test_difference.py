"""Two networks held against each other: rows by name, what they cost, what is marked."""

from typing import Any, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnnlab import catalog, diagrams
from cnnlab.difference import Difference, Quantity, Side, difference, in_order, matched
from cnnlab.errors import ConfigError
from cnnlab.summary import Layer, layers
from tests.unit.knobs import random_options
from tests.unit.mermaid import drawn, drawn_with, parse

QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
OPPOSITE = {"added": "removed", "removed": "added", "changed": "changed", "same": "same"}


def held(name: str, before: dict[str, Any], **after: Any) -> Difference:
    return difference(drawn(name, **before), drawn(name, **after))


def side(cost: int) -> Side:
    return Side(Layer("", "Conv2d", (1, 1), (1, cost), cost, 2 * cost, 1, 4 * cost), "convolution")


tables = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 3).map(side))


@given(before=tables, after=tables)
def test_what_is_added_one_way_is_removed_the_other(
    before: dict[str, Side], after: dict[str, Side]
) -> None:
    there, back = (
        {row.name: row.change for row in matched(*two)}
        for two in ((before, after), (after, before))
    )
    assert there == {name: OPPOSITE[change] for name, change in back.items()}
    assert {name for name, change in there.items() if change == "added"} == after.keys() - before
    same = {name for name in before.keys() & after if before[name] == after[name]}
    assert {name for name, change in there.items() if change == "same"} == same


@given(before=tables, after=tables)
def test_every_name_stands_once_and_neither_order_is_lost(
    before: dict[str, Side], after: dict[str, Side]
) -> None:
    # Layers that both have run in the same order in most pairs of networks.
    before = {name: before[name] for name in sorted(before)}
    after = {name: after[name] for name in sorted(after)}
    names = in_order(list(before), list(after))
    assert sorted(names) == sorted(before.keys() | after.keys())
    for side_of in (before, after):
        assert [name for name in names if name in side_of] == list(side_of)


@pytest.mark.parametrize("name", catalog.NETWORKS)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_rows_add_up_to_the_totals_with_any_knobs(name: str, data: st.DataObject) -> None:
    try:
        before, after = (drawn_with(name, data.draw(random_options(name))) for _ in range(2))
    except ConfigError:
        assume(False)
    found = difference(before, after)
    for quantity in QUANTITIES:
        columns = zip(*(row.values(quantity) for row in found.rows), strict=True)
        sums = tuple(map(sum, columns))
        assert sums == found.totals(quantity)
        assert sums == tuple(
            sum(getattr(layer, quantity) for layer in layers(one).layers) for one in (before, after)
        )
    for row in diagrams.compared((name, before), (name, after), found.changes):
        for figure in row:
            parse(figure.source)


@pytest.mark.parametrize(("name", "preset"), [("vgg", "d2l"), ("densenet", "d2l"), ("nin", "d2l")])
def test_a_network_does_not_differ_from_itself(name: str, preset: str) -> None:
    found = difference(drawn(name, preset), drawn(name, preset))
    assert found.rows
    assert not found.differing
    (whole,) = diagrams.compared(
        (name, drawn(name, preset)), (name, drawn(name, preset)), found.changes
    )
    assert whole[0].source == whole[1].source == diagrams.network_diagram(drawn(name, preset))


def test_a_deeper_vgg_has_more_layers_and_changes_none() -> None:
    found = held("vgg", {"depth": 11}, depth=13)
    assert [(row.name, row.change) for row in found.differing] == [
        ("block1.conv2", "added"),
        ("block1.act2", "added"),
        ("block2.conv2", "added"),
        ("block2.act2", "added"),
    ]
    # 16×16 and 32×32 pairs of channels, nine weights each, and the biases.
    before, after = found.totals("params")
    assert after - before == 9 * 16**2 + 16 + 9 * 32**2 + 32


def test_wider_layers_are_changed_where_they_read_or_make_more() -> None:
    found = held("vgg", {}, hidden=512).changes
    changed = {name for name, change in found.items() if change == "changed"}
    assert changed == {"fc1", "act1", "drop1", "fc2", "act2", "drop2", "fc3"}


def test_what_has_no_weights_and_keeps_its_shape_is_changed_too() -> None:
    assert [
        (row.name, row.before and row.before.words, row.after and row.after.words)
        for row in held("alexnet", {"dropout": 0.5}, dropout=0.25).differing
    ] == [("drop6", "dropout 0.5", "dropout 0.25"), ("drop7", "dropout 0.5", "dropout 0.25")]


def test_a_skip_that_is_gone_is_an_addition_that_is_gone() -> None:
    found = held("resnet", {}, skip=False)
    gone = [row for row in found.differing if row.name.endswith(".add")]
    assert len(gone) == 8
    assert {row.change for row in gone} == {"removed"}
    # As in the layer table, what it makes is not kept as memory.
    assert all(row.values("activation_bytes") == (0, 0) for row in gone)
    rest = {row.name for row in found.differing} - {row.name for row in gone}
    assert rest == {f"stage{n}.block1.shortcut" for n in (2, 3, 4)}


def test_what_runs_several_times_has_a_row_for_each() -> None:
    found = held("densenet", {"layers": "2-2-2"}, layers="4-4-4")
    cats = {name: change for name, change in found.changes.items() if name.startswith("dense1.cat")}
    assert cats == {
        "dense1.cat": "same",
        "dense1.cat #2": "same",
        "dense1.cat #3": "added",
        "dense1.cat #4": "added",
    }


def marks(name: str, before: dict[str, Any], **after: Any) -> list[list[str]]:
    """The labels of marked boxes in the diagrams of both networks, one list for each."""
    two = drawn(name, **before), drawn(name, **after)
    rows = diagrams.compared((name, two[0]), (name, two[1]), difference(*two).changes)
    labels = [parse(figure.source).labels.values() for figure in rows[0]]
    return [[x for x in found if x[0] in "≠+−"] for found in labels]


def test_boxes_of_both_networks_are_marked_where_they_differ() -> None:
    before, after = marks("vgg", {"depth": 11}, depth=13)
    assert before == [
        "≠ VGG block 3×3 convolution, 16 channels, ReLU 2×2 max-pooling, stride 2",
        "≠ VGG block 3×3 convolution, 32 channels, ReLU 2×2 max-pooling, stride 2",
    ]
    assert [label[:20] for label in after] == ["≠ VGG block 2 × (3×3"] * 2


def test_a_box_of_its_own_is_new_or_gone() -> None:
    before, after = marks("vgg", {}, adaptive_pool=True)
    assert before == []
    assert after == ["+ Average pooling to 7×7"]
    before, after = marks("vgg", {"adaptive_pool": True})
    assert before == ["− Average pooling to 7×7"]
    assert after == []


def test_a_box_that_takes_in_a_new_layer_is_changed_on_both_sides() -> None:
    before, after = marks("lenet", {}, batch_norm=True)
    assert before[0] == "≠ 5×5 convolution, 6 channels, sigmoid"
    assert after[0] == "≠ 5×5 convolution, 6 channels, batch normalization, sigmoid"
    assert len(before) == len(after) == 4


def test_blocks_are_counted_together_only_where_they_met_the_same_fate() -> None:
    _, after = marks("resnet", {"depth": 10}, depth=18)
    # The second block of every stage is new.
    assert len(after) == 4
    assert all(label.startswith("+ Residual block") for label in after)


def test_a_block_in_detail_is_shown_beside_only_where_something_in_it_differs() -> None:
    two = drawn("googlenet"), drawn("googlenet", batch_norm=True)
    rows = diagrams.compared(("googlenet", two[0]), ("googlenet", two[1]), difference(*two).changes)
    assert [len(row) for row in rows] == [2, 2]
    assert [figure.title.split(":")[0] for figure in rows[1]] == ["Before", "Now"]
    two = drawn("vgg"), drawn("vgg", hidden=512)
    assert len(diagrams.compared(("vgg", two[0]), ("vgg", two[1]), difference(*two).changes)) == 1
