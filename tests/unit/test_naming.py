"""Names that runs get by themselves, and the phrases that they are made of."""

import pytest

from cnnlab.catalog import NETWORKS
from cnnlab.runs.comparison import flatten
from cnnlab.runs.naming import LONGEST, run_name
from cnnlab.runs.phrases import phrase, phrases
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
        (small("resnet", skip=False), "ResNet, small, no skip connections"),
        (small("lenet").replace(init_scale=0.1), "LeNet, small, initial weights × 0.1"),
        (
            small("lenet", norm="mean_only"),
            "LeNet, small, ReLU, no batch norm, batch norm: mean only",
        ),
        (
            small("resnet", order="pre-activation", shortcut="zero-padded"),
            "ResNet, small, zero-padded skip, pre-activation order",
        ),
        (
            small("densenet", join="add", transitions=False),
            "DenseNet, small, layers that add, no transitions",
        ),
        (small("nin").replace(optimizer="adamw"), "NiN, small, AdamW"),
    ],
)
def test_network_preset_and_what_was_changed(config: RunConfig, name: str) -> None:
    assert run_name(config) == name


@pytest.mark.parametrize("network", NETWORKS)
def test_a_preset_with_its_recipe_is_named_by_the_preset_alone(network: str) -> None:
    spec = NETWORKS[network]
    names = {
        preset: run_name(RunConfig(network=network, options=preset, **vars(spec.recipe(preset))))
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
