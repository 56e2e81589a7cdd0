"""The checkpoints of the course: each fits its card and is as good as it says."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from cnnlab import catalog, checkpoints, datasets
from cnnlab.checkpoints import making, recipes
from cnnlab.checkpoints.__main__ import main
from cnnlab.checkpoints.card import checksum
from cnnlab.checkpoints.making import accuracy
from cnnlab.checkpoints.recipes import RECIPES, Recipe
from cnnlab.checkpoints.shipped import FOLDER, Shipped, card_file
from cnnlab.errors import ConfigError, WeightsError
from cnnlab.training import RunConfig, checkpoint
from cnnlab.training.events import Failed
from tests.conftest import ROOT

SHIPPED = checkpoints.shipped()
LARGEST_BYTES, MOST_BYTES = 3_000_000, 25_000_000
# Of 1,000 pictures, four points are more than four standard deviations at 90%.
PICTURES, POINTS = 1000, 0.04
TINY = Recipe(
    "lenet", "small", "shapes", {"epochs": 1, "batch_size": 32, "train_size": 64, "lr": 0.01}
)
# Read before the tests get a folder of their own.
REAL_DATA = [Path(os.environ.get("CNNLAB_DATA", "")), ROOT.parent / "shared" / "data"]


@pytest.fixture
def one(tmp_path: Path) -> Shipped:
    """A checkpoint of the course, copied to where it can be damaged."""
    for path in (SHIPPED[0].path, card_file(SHIPPED[0].path)):
        shutil.copy(path, tmp_path)
    return checkpoints.shipped(folder=tmp_path)[0]


def with_pictures(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip a test where the pictures are not on this machine."""
    for folder in REAL_DATA:
        if datasets.state(name).status == "ready" or name == "shapes":
            return
        monkeypatch.setenv("CNNLAB_DATA", str(folder))
    if datasets.state(name).status != "ready":
        pytest.skip(f"{name} is not on this machine; name its folder with CNNLAB_DATA")


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda s: s.path.stem)
def test_each_file_fits_its_card_and_is_as_good_as_it_says(
    shipped: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shipped.load()
    assert checkpoint.parameters(model) == shipped.card.params
    assert not model.training
    with_pictures(shipped.dataset, monkeypatch)
    assert accuracy(model, shipped.config, PICTURES) == pytest.approx(
        shipped.test_accuracy, abs=POINTS
    )


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda s: s.path.stem)
def test_each_file_was_made_by_the_recipe_of_its_name(shipped: Shipped) -> None:
    assert shipped.config == RECIPES[shipped.path.stem].config
    assert shipped.path.stem == f"{shipped.network}-{shipped.preset}-{shipped.dataset}"
    assert shipped.options == catalog.network(shipped.network).preset(shipped.preset).replace(
        in_channels=shipped.options.in_channels, num_classes=shipped.options.num_classes
    )


def test_they_are_small_enough_to_come_with_the_project() -> None:
    sizes = [s.path.stat().st_size for s in SHIPPED]
    assert sizes
    assert max(sizes) <= LARGEST_BYTES
    assert sum(sizes) <= MOST_BYTES
    files = {path.name for path in FOLDER.iterdir()}
    assert files == {p.name for s in SHIPPED for p in (s.path, card_file(s.path))}


def test_found_by_the_knobs_whatever_pictures_they_are_set_to() -> None:
    small = catalog.network("lenet").preset("small")
    found = checkpoints.find("lenet", small.replace(in_channels=3), "fashion_mnist")
    assert found is not None
    assert (found.network, found.preset, found.dataset) == ("lenet", "small", "fashion_mnist")
    assert found.options == small
    assert found.title == "LeNet, small, on Fashion-MNIST"
    assert found in checkpoints.shipped("lenet")
    assert checkpoints.find("lenet", small.replace(dropout=0.5), "fashion_mnist") is None
    assert checkpoints.shipped("no such network") == ()


def test_there_are_none_where_only_the_library_is_installed(tmp_path: Path) -> None:
    assert checkpoints.shipped(folder=tmp_path / "absent") == ()


def foreign(path: Path) -> None:
    """Good weights of another run."""
    config = RunConfig(network="lenet", seed=7)
    fresh = checkpoint.fresh("lenet", config.options, config.image_size, seed=7)
    checkpoint.save(fresh, config, path, half=True)


def changed(path: Path) -> None:
    """One value is another one; the size is the same."""
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        changed,
        foreign,
    ],
    ids=["absent", "empty", "cut", "one bit", "of another run"],
)
def test_a_file_that_does_not_fit_its_card_is_refused(
    one: Shipped, damage: Callable[[Path], object]
) -> None:
    damage(one.path)
    with pytest.raises(WeightsError, match=r"does not fit its card: .+ Get both files again"):
        one.load()
    with pytest.raises(WeightsError, match="does not fit its card"):
        checkpoints.load(one.path)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_file_whose_settings_or_shapes_are_others_is_refused(one: Shipped, seed: int) -> None:
    """Also where somebody made the checksum fit."""
    tensors = load_file(one.path)
    if seed == 0:
        tensors["conv1.weight"] = torch.zeros(2, 1, 5, 5)
    config = one.config.replace(seed=seed)
    save_file(tensors, one.path, metadata={"config": config.model_dump_json()})
    card = one.card.replace(size_bytes=one.path.stat().st_size, sha256=checksum(one.path))
    reason = "it was trained with other settings" if seed else "it cannot be read"
    with pytest.raises(WeightsError, match=reason):
        Shipped(one.path, card).load()


@pytest.mark.parametrize("text", ["", "{}", "no card"])
def test_a_damaged_card_is_refused(one: Shipped, text: str) -> None:
    card_file(one.path).write_text(text, encoding="utf-8")
    with pytest.raises(WeightsError, match=r"The card lenet.+\.json cannot be read: "):
        checkpoints.shipped(folder=one.path.parent)


def test_loaded_by_its_path_it_is_the_same(one: Shipped) -> None:
    model, config = checkpoints.load(one.path, head=False)
    assert config == one.config
    assert not [m for m in model.modules() if isinstance(m, torch.nn.Linear)]


@pytest.mark.parametrize("network", ["lenet", "resnet"])
def test_half_precision_keeps_running_statistics_whole(tmp_path: Path, network: str) -> None:
    config = RunConfig(network=network, options="small")
    model = checkpoint.fresh(network, config.options, config.image_size, seed=1)
    checkpoint.save(model, config, tmp_path / "half.safetensors", half=True)
    kinds = {name: t.dtype for name, t in load_file(tmp_path / "half.safetensors").items()}
    statistics = {name for name in kinds if "running" in name}
    assert bool(statistics) == (network == "resnet")
    for name, dtype in kinds.items():
        whole = name in statistics or name.endswith("num_batches_tracked")
        assert (dtype == torch.float16) != whole
    loaded = checkpoint.load(tmp_path / "half.safetensors")[0]
    for name, tensor in model.state_dict().items():
        assert loaded.state_dict()[name].dtype == tensor.dtype
        torch.testing.assert_close(loaded.state_dict()[name], tensor, rtol=1e-3, atol=1e-5)


def test_made_and_made_again_only_where_it_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(RECIPES, TINY.name, TINY)
    assert main(["train", TINY.name], tmp_path) == 0
    made = checkpoints.shipped(folder=tmp_path)[0]
    assert made.config == TINY.config
    assert made.card.command == f"python -m cnnlab.checkpoints train {TINY.name}"
    assert main(["check", TINY.name], tmp_path) == 0
    capsys.readouterr()
    assert main(["train", TINY.name], tmp_path) == 0
    assert "there already" in capsys.readouterr().out
    changed(made.path)
    assert main(["check", TINY.name], tmp_path) == 1
    assert main(["train", TINY.name], tmp_path) == 0
    # The same settings on the same machine: the same weights, bit for bit.
    assert checkpoints.shipped(folder=tmp_path)[0].card.sha256 == made.card.sha256
    assert main(["list", TINY.name], tmp_path) == 0
    assert f"{made.test_accuracy:.2%} of 2,000" in capsys.readouterr().out


def test_what_cannot_be_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "lenet-huge-shapes"], tmp_path) == 1
    assert "There is no checkpoint 'lenet-huge-shapes'; there are lenet-" in capsys.readouterr().err
    assert main(["check", TINY.name], tmp_path) == 1
    assert "not trained by its recipe" in capsys.readouterr().out
    failed = Failed(message="The loss is no number any more.")
    monkeypatch.setattr(making, "train", lambda *_, **__: iter([failed]))
    assert main(["train", TINY.name], tmp_path) == 1
    said = capsys.readouterr().err
    assert said == f"{TINY.name} was not trained to its end: {failed.message}\n"
    assert list(tmp_path.iterdir()) == []


def test_every_recipe_is_a_run_that_can_start() -> None:
    for name, recipe in RECIPES.items():
        assert name.endswith(f"-{recipe.config.dataset}")
    presets = {(r.network, r.preset) for r in RECIPES.values()}
    assert {(network, "small") for network in catalog.NETWORKS} <= presets
    with pytest.raises(ConfigError, match="There is no checkpoint 'absent'; there are "):
        recipes.recipe("absent")
