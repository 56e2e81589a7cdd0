"""The weights of a run on disk: there and back, or a sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from cnnlab import catalog, features
from cnnlab.errors import TrainingError
from cnnlab.training import RunConfig, checkpoint

CONFIG = RunConfig(network="lenet", options={"dropout": 0.5})


@pytest.mark.parametrize("preset", ["small", "d2l_bn"])
def test_weights_there_and_back(tmp_path: Path, preset: str) -> None:
    config = RunConfig(network="lenet", options=preset)
    model = checkpoint.fresh("lenet", config.options, config.image_size, seed=1)
    checkpoint.save(model, config, tmp_path / "w.safetensors")
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]
    loaded, back = checkpoint.load(tmp_path / "w.safetensors")
    assert back == config
    assert checkpoint.parameters(loaded) == checkpoint.parameters(model)
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_fresh_weights_are_those_of_their_seed_and_leave_the_callers_numbers() -> None:
    state = torch.get_rng_state()
    one, same, other = (checkpoint.fresh("lenet", CONFIG.options, 32, seed) for seed in (1, 1, 2))
    assert torch.equal(state, torch.get_rng_state())
    drawn, again, others = (m.get_parameter("conv1.weight") for m in (one, same, other))
    assert torch.equal(drawn, again)
    assert not torch.equal(drawn, others)


@pytest.mark.parametrize("network", ["lenet", "vgg", "resnet", "densenet"])
def test_without_its_head_a_network_makes_the_same_maps(tmp_path: Path, network: str) -> None:
    config = RunConfig(network=network, options="small")
    whole = checkpoint.fresh(network, config.options, config.image_size, seed=1)
    checkpoint.save(whole, config, tmp_path / "w.safetensors")
    fresh = checkpoint.fresh(network, config.options, config.image_size, seed=1, head=False)
    loaded = checkpoint.load(tmp_path / "w.safetensors", head=False)[0]
    picture = torch.rand(1, config.options.in_channels, config.image_size, config.image_size)
    expected = features.extract(whole, picture)
    for model in (fresh, loaded):
        assert not [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
        maps = features.extract(model, picture)
        assert maps.keys() == expected.keys()
        assert all(torch.equal(maps[name], y) for name, y in expected.items())


def test_the_widest_vgg_without_its_head_is_small() -> None:
    spec = catalog.NETWORKS["vgg"]
    body = checkpoint.fresh("vgg", spec.presets["d2l_full"], 224, seed=0, head=False)
    assert checkpoint.parameters(body) < 10e6


def misnamed(path: Path) -> None:
    save_file({"other": torch.zeros(3)}, path, metadata={"config": CONFIG.model_dump_json()})


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"x" * 5000),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: save_file({"a": torch.zeros(3)}, path),
        lambda path: save_file({"a": torch.zeros(3)}, path, metadata={"config": "{}"}),
        misnamed,
    ],
    ids=["absent", "empty", "garbage", "cut", "no config", "wrong config", "wrong weights"],
)
def test_weights_that_cannot_be_read(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    path = tmp_path / "w.safetensors"
    checkpoint.save(checkpoint.fresh("lenet", CONFIG.options, CONFIG.image_size, 0), CONFIG, path)
    damage(path)
    with pytest.raises(TrainingError, match=r"The weights in w\.safetensors cannot be read"):
        checkpoint.load(path)
