"""Names that runs get by themselves, and how runs of one name are told apart."""

from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from cnnlab.catalog import NETWORKS
from cnnlab.runs.comparison import flatten
from cnnlab.runs.naming import LONGEST, distinct_names, phrase, phrases, run_name
from cnnlab.runs.store import RunRecord, RunStore
from cnnlab.training.config import RunConfig


def small(network: str, **knobs: object) -> RunConfig:
    return RunConfig(network=network, options=NETWORKS[network].presets["small"].replace(**knobs))


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (small("lenet"), "LeNet, small"),
        (small("lenet", activation="sigmoid"), "LeNet, small, sigmoid, no batch norm"),
        (small("lenet", batch_norm=True), "LeNet, small, ReLU, batch norm"),
        (small("lenet").replace(lr=0.1, seed=3), "LeNet, small, learning rate 0.1, seed 3"),
        (small("lenet").replace(dataset="cifar10"), "LeNet, small, CIFAR-10"),
        (small("resnet", skip=False), "ResNet, small, no skip"),
        (small("nin").replace(optimizer="adamw"), "NiN, small, AdamW"),
    ],
)
def test_network_preset_and_what_was_changed(config: RunConfig, name: str) -> None:
    assert run_name(config) == name


@pytest.mark.parametrize("network", NETWORKS)
def test_a_preset_with_its_recipe_is_named_by_the_preset_alone(network: str) -> None:
    spec = NETWORKS[network]
    names = {
        preset: run_name(
            RunConfig(
                network=network,
                options=preset,
                **vars(spec.quick if preset == "small" else spec.book),
            )
        )
        for preset in spec.presets
    }
    assert len(set(names.values())) == len(names)
    assert names["small"] == f"{spec.title}, small"
    assert names["d2l"] == f"{spec.title}, the book's"
    assert all(" more" not in name for name in names.values())


def test_where_a_run_is_computed_is_not_told() -> None:
    config = small("vgg")
    elsewhere = config.replace(device="cpu", precision="float32", budget_s=10, evaluate="end")
    assert run_name(elsewhere) == run_name(config)


def test_names_are_bounded_and_count_what_they_leave_out() -> None:
    config = small("lenet", activation="tanh", padding=1, channels1=7, channels2=9, hidden1=33)
    config = config.replace(lr=0.123, epochs=7, batch_size=32, momentum=0.5, weight_decay=0.01)
    name = run_name(config)
    assert name.startswith("LeNet, small, tanh, no batch norm")
    told, more = name.removesuffix(" more").split(" and ")
    assert told.count(", ") + int(more) == 2 + 5 + 5
    assert len(name) <= LONGEST


def test_what_differs_in_words() -> None:
    base = small("lenet")
    other = small("lenet", activation="sigmoid", batch_norm=True).replace(
        lr=0.5, dataset="fashion_mnist", train_size=1000
    )
    assert phrases([base, other]) == [
        ["Shapes", "all pictures", "learning rate 0.02", "no batch norm", "ReLU"],
        ["Fashion-MNIST", "1,000 pictures", "learning rate 0.5", "batch norm", "sigmoid"],
    ]
    assert phrases([base, base]) == [[], []]


@pytest.mark.parametrize("network", NETWORKS)
def test_no_two_settings_of_a_run_read_the_same(network: str) -> None:
    config = small(network)
    # "auto" and "auto" are a device and a number format: neither is told without its other.
    names = [name for name in flatten(config) if name not in ("device", "precision")]
    assert len({phrase(config, name) for name in names}) == len(names)


@pytest.fixture
def record(tmp_path: Path) -> RunRecord:
    store = RunStore(tmp_path)
    run = store.add(RunConfig(network="lenet"), "me", "vgg", "LeNet")
    found = store.run(run)
    store.close()
    assert found
    return found


def named(record: RunRecord, key: str, seed: int = 0, **fields: Any) -> RunRecord:
    return replace(record, id=key, config=record.config.replace(seed=seed), **fields)


def test_runs_of_one_name_are_told_apart_by_seed_or_time(record: RunRecord) -> None:
    at = {"queued_s": 0.0}
    runs = [
        named(record, "a", 1, **at),
        named(record, "b", 2, **at),
        named(record, "c", 2, queued_s=61.0),
        named(record, "d", 1, name="another", **at),
    ]
    zone = timezone(timedelta(hours=2))
    assert distinct_names(runs, zone) == {
        "a": "LeNet · seed 1",
        "b": "LeNet · seed 2 · 1 Jan 02:00:00",
        "c": "LeNet · seed 2 · 1 Jan 02:01:01",
        "d": "another",
    }


def test_runs_that_share_everything_still_differ(record: RunRecord) -> None:
    names = distinct_names([named(record, "abcdef"), named(record, "bcdefg")])
    assert len(set(names.values())) == 2


def test_a_seed_that_all_share_is_not_told(record: RunRecord) -> None:
    runs = [named(record, "a", queued_s=0.0), named(record, "b", queued_s=60.0)]
    assert list(distinct_names(runs).values()) == [
        "LeNet · 1 Jan 00:00:00",
        "LeNet · 1 Jan 00:01:00",
    ]
