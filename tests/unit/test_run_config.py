"""A run's configuration: defaults that fit, bounds that hold, and the way to JSON and back."""

import json
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab import catalog
from cnnlab.datasets import DATASETS
from cnnlab.datasets.augment import Augment
from cnnlab.errors import ConfigError
from cnnlab.networks.lenet import LeNetOptions
from cnnlab.networks.vgg import VGGOptions
from cnnlab.training import RunConfig

LENET = RunConfig(network="lenet")
NO_NETWORK = r"There is no network .*; there are lenet, alexnet, .*densenet\."


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("network", catalog.NETWORKS)
def test_defaults_are_the_quick_recipe_and_fit_the_data(network: str, dataset: str) -> None:
    config = RunConfig(network=network, dataset=dataset)
    quick, data = catalog.NETWORKS[network].quick, DATASETS[dataset]
    for name in ("image_size", "batch_size", "lr", "epochs", "momentum", "optimizer", "init"):
        assert getattr(config, name) == getattr(quick, name), name
    assert config.options.in_channels == data.channels
    assert config.options.num_classes == data.num_classes
    assert config.training_images == (quick.train_size or data.train_size)
    model = catalog.NETWORKS[network].build(
        config.options, device="meta", image_size=config.image_size
    )
    shape = (1, data.channels, config.image_size, config.image_size)
    assert model.eval()(torch.empty(shape, device="meta")).shape == (1, data.num_classes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("train_size", 1),
        ("image_size", 7),
        ("image_size", 257),
        ("image_size", 32.0),
        ("image_size", "32"),
        ("batch_size", 1),
        ("batch_size", 1025),
        ("batch_size", 8.5),
        ("optimizer", "rmsprop"),
        ("lr", 0),
        ("lr", -0.1),
        ("lr", 10.1),
        ("lr", float("nan")),
        ("lr", "fast"),
        ("momentum", -0.1),
        ("momentum", 1),
        ("weight_decay", -1e-9),
        ("weight_decay", 0.11),
        ("schedule", "step"),
        ("init", "zeros"),
        ("init_scale", 0.09),
        ("init_scale", 11),
        ("epochs", 0),
        ("epochs", 201),
        ("budget_s", 0),
        ("budget_s", 86_401),
        ("seed", -1),
        ("seed", 2**31),
        ("precision", "float16"),
        ("device", 3),
        ("speed", 3),
    ],
)
def test_a_field_out_of_bounds_is_named_alone(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{field}: ") as caught:
        RunConfig(**{"network": "lenet", field: value})
    assert "options" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("train_size", (2_000, 10**9)),
        ("image_size", (16, 256)),
        ("batch_size", (2, 1024)),
        ("lr", (1e-9, 10)),
        ("momentum", (0, 0.99)),
        ("weight_decay", (0, 0.1)),
        ("init_scale", (0.1, 10)),
        ("epochs", (1, 200)),
        ("budget_s", (1e-9, 86_400)),
        ("seed", (0, 2**31 - 1)),
    ],
)
def test_the_bounds_themselves_are_allowed(field: str, values: tuple[Any, Any]) -> None:
    for value in values:
        assert getattr(LENET.replace(**{field: value}), field) == value


def test_several_complaints_at_once() -> None:
    with pytest.raises(ConfigError, match=r"lr: -1 was given.*epochs: 0 was given"):
        RunConfig(network="lenet", lr=-1, epochs=0)


@pytest.mark.parametrize("network", ["alexnet", "nin", "vgg"])
def test_a_picture_too_small_names_the_smallest_that_works(network: str) -> None:
    with pytest.raises(ConfigError, match=r"The smallest size that works is (\d+)×\1\.") as caught:
        RunConfig(network=network, image_size=8, options="d2l")
    smallest = int(str(caught.value).rsplit("×", 1)[1].rstrip("."))
    RunConfig(network=network, image_size=smallest, options="d2l")
    with pytest.raises(ConfigError, match="too small"):
        RunConfig(network=network, image_size=smallest - 1, options="d2l")


@pytest.mark.parametrize("network", ["transformer", "", 3])
def test_unknown_networks(network: str) -> None:
    with pytest.raises(ConfigError, match=NO_NETWORK):
        RunConfig(network=network)
    with pytest.raises(ConfigError, match=NO_NETWORK):
        RunConfig.model_validate({})


@pytest.mark.parametrize("dataset", ["imagenet", 3, ["shapes"]])
def test_unknown_data_sets(dataset: str) -> None:
    with pytest.raises(ConfigError, match=r"no data set .*; there are shapes, fashion_mnist"):
        RunConfig(network="lenet", dataset=dataset)


def test_options_as_model_mapping_or_name() -> None:
    knobs: dict[str, Any] = {"channels1": 12, "activation": "gelu"}
    as_model = RunConfig(network="lenet", options=LeNetOptions(**knobs))
    assert as_model == RunConfig(network="lenet", options=knobs)
    assert as_model.options == LeNetOptions(**knobs, in_channels=3)
    assert LENET.options == RunConfig(network="lenet", options="small").options
    named = RunConfig(network="lenet", options="d2l_bn").options
    assert named == catalog.network("lenet").preset("d2l_bn").replace(in_channels=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels1": 0}, "channels1: 0 was given"),
        ({"wings": 2}, "wings: there is no such field"),
        ("huge", r"no preset 'huge'; it has d2l, d2l_bn, small\."),
        (5, "options: int was given; LeNet takes LeNetOptions"),
        (VGGOptions(), "options: VGGOptions was given; LeNet takes LeNetOptions"),
    ],
)
def test_options_that_are_none(options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RunConfig(network="lenet", options=options)


def test_a_network_that_fills_the_memory_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"This VGG has .* million parameters; up to 300 million"):
        RunConfig(network="vgg", options={"hidden": 8192, "base_channels": 128}, image_size=256)


def test_a_batch_larger_than_the_training_set() -> None:
    assert RunConfig(network="lenet", train_size=64, batch_size=64).training_images == 64
    with pytest.raises(ConfigError, match=r"batch of 64 .* only 63 training pictures.*batch_size"):
        RunConfig(network="lenet", train_size=63, batch_size=64)


def test_more_pictures_than_there_are_means_all() -> None:
    assert LENET.replace(train_size=10**9).training_images == DATASETS["shapes"].train_size


def test_replace_checks_and_fits_again() -> None:
    changed = LENET.replace(dataset="fashion_mnist", image_size=28, lr=0.5)
    assert (changed.options.in_channels, changed.image_size) == (1, 28)
    assert changed.lr == 0.5
    assert LENET.options.in_channels == 3
    assert LENET.replace() == LENET
    with pytest.raises(ConfigError, match="lr: 11 was given"):
        LENET.replace(lr=11)
    with pytest.raises(ConfigError, match="options: LeNetOptions was given; VGG takes VGGOptions"):
        LENET.replace(network="vgg")


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        LENET.__setattr__("lr", 1)


@settings(deadline=None, max_examples=15)
@given(
    network=st.sampled_from(list(catalog.NETWORKS)),
    dataset=st.sampled_from(list(DATASETS)),
    lr=st.floats(1e-12, 10),
    seed=st.integers(0, 2**31 - 1),
    batch_size=st.integers(2, 1024),
    budget_s=st.none() | st.floats(1e-3, 86_400),
    flip=st.booleans(),
)
def test_json_and_back(
    network: str,
    dataset: str,
    lr: float,
    seed: int,
    batch_size: int,
    budget_s: float | None,
    flip: bool,
) -> None:
    config = RunConfig(
        network=network,
        dataset=dataset,
        lr=lr,
        seed=seed,
        batch_size=batch_size,
        budget_s=budget_s,
        augment=Augment(flip=flip),
    )
    back = RunConfig.from_json(config.model_dump_json())
    assert back == config
    assert hash(back) == hash(config)
    assert type(back.options) is type(config.options)
    assert RunConfig(**json.loads(config.model_dump_json())) == config


@pytest.mark.parametrize("network", ["lenet", "alexnet", "vgg"])
def test_a_run_stored_when_the_size_was_a_knob_of_the_network_is_read(network: str) -> None:
    config = RunConfig(network=network, options="d2l", image_size=96)
    stored = config.model_dump(mode="json")
    stored["options"]["image_size"] = 96
    assert RunConfig.from_json(json.dumps(stored)) == config


@pytest.mark.parametrize("network", catalog.NETWORKS)
def test_every_preset_goes_to_json_and_back(network: str) -> None:
    for preset in catalog.NETWORKS[network].presets:
        config = RunConfig(network=network, options=preset, image_size=224)
        assert RunConfig.from_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    "text", ["", "{", "null", "3", '"x"', "[]", "{}", '{"network": "lenet", "lr": 99}', b"\xff\xfe"]
)
def test_json_that_is_no_configuration(text: str) -> None:
    with pytest.raises(ConfigError):
        RunConfig.from_json(text)
