"""What runs are called beside each other, and what is said of runs that are compared."""

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from cnnlab.catalog import NETWORKS
from cnnlab.runs.comparison import cautions, comparable, run_differences
from cnnlab.runs.labels import MOST_WORDS, distinct_names, labels
from cnnlab.runs.store import RunRecord, RunStore
from cnnlab.training.config import RunConfig

BASE = RunConfig(network="lenet")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    store = RunStore(tmp_path_factory.mktemp("home"))
    found = store.run(store.add(BASE, "me", "vgg", "LeNet"))
    store.close()
    assert found
    return found


def runs(record: RunRecord, *configs: RunConfig, **fields: Any) -> list[RunRecord]:
    return [
        replace(record, id=key, config=config, **fields)
        for key, config in zip("abcdefgh", configs, strict=False)
    ]


def knobs(**changed: object) -> RunConfig:
    return BASE.replace(options=BASE.options.replace(**changed))


def short(found: list[RunRecord]) -> list[str]:
    return [label.short for label in labels(found).values()]


def test_a_label_says_what_differs_and_nothing_else(record: RunRecord) -> None:
    assert short(runs(record, BASE, knobs(batch_norm=True))) == ["no batch norm", "batch norm"]
    assert short(runs(record, BASE, BASE.replace(lr=0.5))) == ["rate 0.02", "rate 0.5"]
    assert short(runs(record, BASE, BASE.replace(seed=4))) == ["seed 0", "seed 4"]


def test_a_run_alone_has_its_name(record: RunRecord) -> None:
    assert short(runs(record, BASE)) == ["LeNet"]
    assert labels([]) == {}


def test_at_most_four_words_and_the_rest_at_length(record: RunRecord) -> None:
    other = knobs(batch_norm=True, activation="sigmoid", channels1=9).replace(lr=0.5, epochs=7)
    found = labels(runs(record, BASE, other))
    assert found["b"].short == "batch norm, sigmoid"
    assert found["b"].long.endswith(
        "batch norm, sigmoid, first channels 9, learning rate 0.5, 7 epochs"
    )


def test_what_alike_labels_differ_in_comes_first(record: RunRecord) -> None:
    configs = [BASE, BASE.replace(lr=0.5), BASE.replace(lr=0.7), knobs(batch_norm=True)]
    assert short(runs(record, *configs))[1:3] == ["rate 0.5", "rate 0.7"]
    assert len(set(short(runs(record, *configs)))) == 4


def test_networks_are_told_apart_by_their_names_first(record: RunRecord) -> None:
    found = short(runs(record, BASE, RunConfig(network="resnet"), RunConfig(network="nin")))
    assert [label.split(",")[0] for label in found] == ["LeNet", "ResNet", "NiN"]
    assert all(len(label.replace(",", "").split()) <= MOST_WORDS for label in found)


def test_the_number_format_is_the_one_that_was_used(record: RunRecord) -> None:
    pair = runs(record, BASE, BASE)
    slow, fast = ({"precision": name, "device": "cpu"} for name in ("float32", "bfloat16"))
    pair = [replace(pair[0], environment=slow), replace(pair[1], environment=fast)]
    assert run_differences(pair) == [{"precision": "float32"}, {"precision": "bfloat16"}]
    assert short(pair) == ["float32", "bfloat16"]
    assert "bfloat16 and float32" in cautions(pair)[0]
    # What a run will be computed in is not known before it begins.
    waiting = [pair[0], replace(pair[1], environment={})]
    assert run_differences(waiting) == [{}, {}]
    assert cautions(waiting) == []


def test_optimizers_that_are_no_fair_pair(record: RunRecord) -> None:
    adam, adamw, sgd = (BASE.replace(optimizer=name) for name in ("adam", "adamw", "sgd"))
    assert "not a fair pair" in cautions(runs(record, adam, sgd))[0]
    assert cautions(runs(record, adam, adamw)) == []
    assert cautions(runs(record, sgd, sgd)) == []


@pytest.mark.parametrize(
    ("change", "same_task"),
    [
        ({"lr": 0.5, "seed": 3, "epochs": 9}, True),
        ({"dataset": "fashion_mnist"}, False),
        ({"image_size": 48}, False),
        ({"train_size": 1000}, False),
        ({"augment": {"flip": True}}, False),
    ],
)
def test_runs_of_one_network_on_the_same_pictures_are_compared(
    change: dict[str, Any], same_task: bool
) -> None:
    assert comparable(BASE, BASE.replace(**change)) is same_task
    assert not comparable(BASE, RunConfig(network="vgg", **change))


def test_all_pictures_are_as_many_as_there_are() -> None:
    assert comparable(BASE, BASE.replace(train_size=BASE.training_images))


@pytest.mark.parametrize("network", NETWORKS)
def test_no_label_is_too_long(record: RunRecord, network: str) -> None:
    base = RunConfig(network=network, image_size=128)
    for name, value in base.options:
        others = [p for p in NETWORKS[network].presets.values() if getattr(p, name) != value]
        for preset in others[:1]:
            changed = base.options.replace(**{name: getattr(preset, name)})
            for label in short(runs(record, base, base.replace(options=changed))):
                assert len(label.split()) <= MOST_WORDS, label


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
