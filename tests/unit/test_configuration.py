"""A reader's choice: what a preset sets, what was changed, and the run that comes of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab import catalog
from cnnlab.configuration import (
    Configuration,
    from_line,
    from_text,
    names,
    preset_values,
    to_line,
    to_text,
)
from cnnlab.errors import ConfigError
from tests.unit.knobs import random_options

PRESETS = [(name, preset) for name, spec in catalog.NETWORKS.items() for preset in spec.presets]


@pytest.mark.parametrize(("network", "preset"), PRESETS)
def test_a_preset_gives_the_run_of_its_recipe(network: str, preset: str) -> None:
    spec = catalog.NETWORKS[network]
    run, recipe = Configuration(network, preset).run_config, spec.recipe(preset)
    for name in ("dataset", "image_size", "batch_size", "lr", "epochs", "momentum", "init"):
        assert getattr(run, name) == getattr(recipe, name), name
    assert run.options.replace(in_channels=1, num_classes=10) == spec.presets[preset].replace(
        in_channels=1, num_classes=10
    )


def test_the_book_trains_lenet_on_fashion_mnist_and_faster_with_batch_norm() -> None:
    plain, normed = (Configuration("lenet", preset).run_config for preset in ("d2l", "d2l_bn"))
    assert (plain.dataset, plain.lr, plain.batch_size, plain.epochs, plain.init) == (
        ("fashion_mnist", 0.9, 256, 10, "xavier")
    )
    assert normed == plain.replace(lr=1.0, options=normed.options)


def test_the_stand_in_is_small_and_has_the_same_changes() -> None:
    chosen = Configuration("resnet", "d2l", {"skip": False, "epochs": 5, "seed": 3}, exact=False)
    run = chosen.run_config
    small = catalog.NETWORKS["resnet"].presets["small"]
    assert run.options == small.replace(skip=False, in_channels=3)
    assert (run.dataset, run.epochs, run.seed, run.image_size) == ("shapes", 5, 3, 32)
    assert chosen.options.model_dump()["depth"] == 18  # what the other views show
    assert Configuration("resnet", "small", exact=False).run_config == (
        Configuration("resnet", "small").run_config
    )


def test_what_is_changed_is_what_differs_from_the_preset() -> None:
    chosen = Configuration("lenet", "d2l", {"dropout": 0.5, "activation": "sigmoid"})
    assert chosen.changed == {"dropout": 0.5}
    assert chosen.with_changes(dropout=0.0).changed == {}
    assert chosen.values["dropout"] == 0.5


@pytest.mark.parametrize("network", catalog.NETWORKS)
def test_every_value_survives_a_link(network: str) -> None:
    spec = catalog.NETWORKS[network]
    for preset in spec.presets:
        for name, value in preset_values(spec, preset).items():
            read = from_text(spec, name, to_text(value))
            assert (read, type(read)) == (value, type(value)), name


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("depth", "35", "depth: 35 was given; it can be 10, 18, 34, 50."),
        ("depth", "[1]", "depth: .1. was given; it can be 10, 18"),
        ("activation", "relux", "activation: 'relux' was given; it can be relu, sigmoid"),
        ("batch_size", "4000", "batch_size: 4000 was given; input should be less than or equal"),
        ("lr", "NaN", "lr: nan was given; input should be"),
        ("lr", "1e999", "lr: inf was given; input should be"),
        ("lr", "fast", "lr: 'fast' was given; input should be a valid number"),
        ("epochs", "[3]", "epochs: .3. was given; input should be a valid integer"),
        ("dataset", "mnist", "dataset: 'mnist' was given; it can be shapes, fashion_mnist"),
        ("device", "cuda:7", "device: 'cuda:7' was given; it can be auto, "),
        ("seed", "9" * 5000, "no value is that long"),
        ("image_size", "[" * 5000, "no value is that long"),
        ("growth_rate", "12", "ResNet has no setting 'growth_rate'; remove it."),
    ],
)
def test_a_value_that_cannot_be_is_answered(name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        from_text(catalog.NETWORKS["resnet"], name, text)
    assert len(str(caught.value)) < 250


def test_a_batch_of_four_is_a_batch_of_four() -> None:
    assert from_text(catalog.NETWORKS["resnet"], "batch_size", "4") == 4


@pytest.mark.parametrize(
    "bad",
    [
        {"network": "lenet5"},
        {"network": "lenet", "preset": "d3l"},
        {"network": "lenet", "changes": {"depth": 18}},
        {"network": "lenet", "changes": {"dropout": 2.0}},
    ],
)
def test_what_does_not_exist_cannot_be_chosen(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Configuration(**bad)  # type: ignore[arg-type]


def test_every_name_is_one_setting() -> None:
    for spec in catalog.NETWORKS.values():
        assert len(names(spec)) == len(set(names(spec)))


@pytest.mark.parametrize("name", catalog.NETWORKS)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_a_network_in_one_word_of_a_link_comes_back(name: str, data: st.DataObject) -> None:
    spec = catalog.NETWORKS[name]
    preset = data.draw(st.sampled_from(list(spec.presets)))
    options = data.draw(random_options(name))
    chosen = Configuration(name, preset, {"seed": 3, "image_size": 75, "lr": 0.1, **dict(options)})
    found = from_line(to_line(chosen))
    assert (found.options, found.image_size, found.preset) == (options, 75, preset)
    # How a run is done is no part of it.
    assert found.values["seed"] == 0
    # In whatever order the knobs were turned.
    turned = Configuration(name, preset, dict(reversed([*chosen.changes.items()])))
    assert to_line(turned) == to_line(chosen)
