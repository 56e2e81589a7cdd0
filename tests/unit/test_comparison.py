"""What a reader compares and takes away: differing fields, and the layer table as CSV."""

import csv
import io

import pytest

from cnnlab import catalog
from cnnlab.datasets.augment import Augment
from cnnlab.layer_csv import COLUMNS, layer_table_csv, shape_text
from cnnlab.runs.comparison import differences, flatten
from cnnlab.summary import summarize
from cnnlab.training import RunConfig

BASE = RunConfig(network="lenet")


def test_runs_that_are_the_same_do_not_differ() -> None:
    assert differences([]) == []
    assert differences([BASE]) == [{}]
    assert differences([BASE, RunConfig(network="lenet")]) == [{}, {}]


def test_fields_knobs_and_augmentation_by_their_short_names() -> None:
    other = BASE.replace(lr=0.1, augment=Augment(flip=True), options={"batch_norm": True})
    # Plain data start from the book's network, which differs from the small one in two knobs more.
    assert differences([BASE, other]) == [
        {"lr": 0.02, "flip": False, "batch_norm": False, "activation": "relu", "pooling": "max"},
        {
            "lr": 0.1,
            "flip": True,
            "batch_norm": True,
            "activation": "sigmoid",
            "pooling": "average",
        },
    ]


def test_three_runs_of_which_one_differs() -> None:
    other = BASE.replace(seed=7)
    assert differences([BASE, other, BASE]) == [{"seed": 0}, {"seed": 7}, {"seed": 0}]


def test_what_the_data_decide_is_not_told_twice() -> None:
    other = BASE.replace(dataset="fashion_mnist", image_size=28)
    assert differences([BASE, other]) == [
        {"dataset": "shapes", "image_size": 32},
        {"dataset": "fashion_mnist", "image_size": 28},
    ]
    assert flatten(other)["image_size"] == 28


def test_knobs_that_only_one_network_has() -> None:
    mine, theirs = differences([BASE, RunConfig(network="resnet")])
    assert (mine["network"], theirs["network"]) == ("lenet", "resnet")
    assert mine["channels1"] == 6
    assert "channels1" not in theirs
    assert "skip" in theirs
    assert "skip" not in mine


@pytest.mark.parametrize("name", catalog.NETWORKS)
def test_the_layer_table_comes_back_from_csv(name: str) -> None:
    spec = catalog.NETWORKS[name]
    size = spec.book.image_size
    table = summarize(spec.build(device="meta"), (2, 1, size, size))
    header, *rows = csv.reader(io.StringIO(layer_table_csv(table)))
    assert tuple(header) == COLUMNS
    for row, layer in zip(rows, table.layers, strict=True):
        cells = dict(zip(header, row, strict=True))
        for column in ("input_shape", "output_shape"):
            assert tuple(map(int, cells.pop(column).split("x"))) == getattr(layer, column)
        for column in ("name", "kind"):
            assert cells.pop(column) == getattr(layer, column)
        assert {column: int(cell) for column, cell in cells.items()} == {
            column: getattr(layer, column) for column in cells
        }


def test_shapes_in_one_word() -> None:
    assert shape_text((1, 64, 28, 28)) == "1x64x28x28"
    assert shape_text((28, 28), "×") == "28×28"
