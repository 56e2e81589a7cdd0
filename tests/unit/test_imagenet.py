"""ImageNet weights, with generated ones in the cache folder: fetched, checked, and theirs."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn
from torchvision.models import get_model, get_weight

from cnnlab import budget, catalog, features, images
from cnnlab.checkpoints import imagenet
from cnnlab.checkpoints.__main__ import main
from cnnlab.checkpoints.imagenet import Published
from cnnlab.errors import WeightsError
from tests.mirror import Mirror, nobody_there, serving
from tests.present import present
from tests.unit.test_torchvision_logits import TWINS, random_tensor

CAT = images.decode(images.SAMPLES[0].path.read_bytes())
# Theirs as their own loader leaves it: with what it changes for the published weights.
THEIRS: dict[str, dict[str, Any]] = {
    "resnet18": {},
    "densenet121": {},
    "googlenet": {"aux_logits": True, "init_weights": False, "transform_input": True},
}


def generated(asked: Published) -> nn.Module:
    """torchvision's own network with random weights, as a file of the published kind.

    Old files name some tensors otherwise, and count no batches.
    """
    torch.manual_seed(3)
    reference: nn.Module = get_model(asked.model, weights=None, **THEIRS[asked.model])
    state = {name: random_tensor(name, t) for name, t in reference.state_dict().items()}
    reference.load_state_dict(state)
    written = {
        name.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2.")
        if asked.model == "densenet121" and "denselayer" in name
        else name: tensor
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
    asked.path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(written, asked.path)
    return reference.eval()


def with_checksum(asked: Published) -> Published:
    digits = hashlib.sha256(asked.path.read_bytes()).hexdigest()[:8]
    return replace(asked, sha256_begin=digits)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Published:
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path))
    return imagenet.published("resnet", "resnet18")


@pytest.fixture
def small(asked: Published) -> Published:
    """A file that is the right one, and holds no weights of a network."""
    asked.path.parent.mkdir(parents=True)
    torch.save({"a": torch.zeros(3)}, asked.path)
    return with_checksum(asked)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    # A proxy of the machine would not reach this server.
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Mirror()) as mirror:
        yield mirror


@pytest.mark.parametrize(
    ("network", "preset"),
    [("resnet", "resnet18"), ("googlenet", "torchvision"), ("densenet", "densenet121")],
)
def test_the_top_classes_are_those_of_torchvision(
    network: str, preset: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path))
    published = imagenet.published(network, preset)
    reference = generated(published)
    published = with_checksum(published)
    model, weights = imagenet.load(published), get_weight(imagenet.WEIGHTS[network, preset])
    batch = published.batch(CAT)
    assert batch.shape == (1, 3, 224, 224)
    assert 0 <= float(batch.min()) < float(batch.max()) <= 1
    with torch.no_grad():
        theirs, ours = reference(weights.transforms()(CAT)[None]), model(batch)
    spread = float(theirs.std())
    torch.testing.assert_close(ours / spread, theirs / spread, rtol=0, atol=1e-3)
    top = published.top(ours)
    order = theirs[0].argsort(descending=True)[:5].tolist()
    assert [name for name, _ in top] == [weights.meta["categories"][index] for index in order]
    assert top[0][1] == pytest.approx(float(theirs.softmax(1).max()), rel=1e-2)
    maps = features.extract(imagenet.load(published, head=False), batch)
    inside = features.extract(model, batch)
    assert all(torch.equal(maps[name], inside[name]) for name in maps)


def test_seen_in_a_terminal(
    asked: Published, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generated(asked)
    here = with_checksum(asked)
    monkeypatch.setattr(imagenet, "published", lambda *_: here)
    assert main(["imagenet", "resnet-resnet18", str(images.SAMPLES[0].path)]) == 0
    first, *classes = capsys.readouterr().out.splitlines()
    assert first == f"resnet-resnet18: {here.path}, 69.8% of ImageNet's validation pictures"
    assert len(classes) == 5
    assert all(line.partition("%  ")[2] in here.class_names for line in classes)
    assert main(["imagenet", "resnet-resnet18", "no such file"]) == 1
    assert "no such file cannot be read" in capsys.readouterr().err
    offline = replace(asked, url=nobody_there() + "absent.pth")
    monkeypatch.setattr(imagenet, "published", lambda *_: offline)
    assert main(["imagenet", "resnet-resnet18"]) == 1
    assert "could not be downloaded" in capsys.readouterr().err


def test_every_preset_that_is_torchvisions_model_has_weights() -> None:
    assert set(imagenet.WEIGHTS) == {twin[:2] for twin in TWINS}
    for network, preset in imagenet.WEIGHTS:
        found = imagenet.published(network, preset)
        assert found.model in torchvision.models.list_models()
        assert len(found.sha256_begin) == 8
        int(found.sha256_begin, 16)
        assert len(found.class_names) == found.options.num_classes
        assert found.path.name in found.url
        # Four bytes a parameter, and the auxiliary heads of GoogLeNet.
        params = sum(
            p.numel()
            for p in catalog.network(network).build(found.options, device="meta").parameters()
        )
        assert 3.8 * params < found.size_bytes < (8 if network == "googlenet" else 4.2) * params


def test_found_by_the_knobs() -> None:
    spec = catalog.network("resnet")
    published = present(imagenet.find("resnet", spec.preset("resnet34")))
    assert published is imagenet.published("resnet", "resnet34")
    grey = spec.preset("resnet34").replace(in_channels=1, num_classes=10)
    assert imagenet.find("resnet", grey) is published
    assert imagenet.find("resnet", spec.preset("small")) is None
    assert imagenet.find("lenet", catalog.network("lenet").preset("d2l")) is None
    with pytest.raises(WeightsError, match="no ImageNet weights for lenet d2l; there are for alex"):
        imagenet.published("lenet", "d2l")


def test_fetched_once_with_progress(small: Published, mirror: Mirror) -> None:
    raw = small.path.read_bytes()
    small.path.unlink()
    assert not small.is_here
    mirror.files[small.path.name] = raw
    asked = replace(small, url=f"{mirror.url}{small.path.name}")
    told: list[tuple[int, int | None]] = []
    imagenet.fetch(asked, lambda done, total: told.append((done, total)))
    assert told[-1] == (len(raw), len(raw))
    assert asked.is_here
    imagenet.fetch(asked)
    assert mirror.asked[asked.path.name] == 1


@pytest.mark.parametrize("wrong", ["offline", "another file", "cut"])
def test_what_cannot_be_fetched(wrong: str, small: Published, mirror: Mirror) -> None:
    raw, name = small.path.read_bytes(), small.path.name
    small.path.unlink()
    mirror.files[name] = raw if wrong == "cut" else raw + b"x"
    mirror.cut.update({name} if wrong == "cut" else set())
    url = f"{mirror.url}{name}"
    asked = replace(small, url=f"{nobody_there()}{name}" if wrong == "offline" else url)
    with pytest.raises(WeightsError) as caught:
        imagenet.fetch(asked)
    message = str(caught.value)
    assert message.startswith("The ImageNet weights of resnet18 could not be downloaded (47 MB): ")
    assert "Check the connection" in message
    assert f"put {name} into {small.path.parent} yourself" in message
    assert list(small.path.parent.iterdir()) == []


def test_a_folder_that_cannot_be_written(small: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_CACHE", str(small.path))
    with pytest.raises(WeightsError, match="could not be downloaded"):
        imagenet.fetch(small)


def test_weights_that_are_not_here(asked: Published) -> None:
    with pytest.raises(WeightsError, match=r"not on this machine\. Download them first"):
        imagenet.load(asked)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "its checksum is another"),
        (lambda path: path.write_bytes(b""), "its checksum is another"),
    ],
)
def test_a_damaged_file_is_refused(
    small: Published, damage: Callable[[Path], object], reason: str
) -> None:
    damage(small.path)
    with pytest.raises(WeightsError, match=reason):
        imagenet.load(small)


class Unwelcome:
    """Runs a function when it is read, as a pickle can."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return (print, ("this must not run",))


@pytest.mark.parametrize("content", [{"a": torch.zeros(3)}, [1, 2], Unwelcome()])
def test_a_file_that_holds_something_else_is_refused(
    asked: Published, content: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even one whose checksum fits."""
    asked.path.parent.mkdir(parents=True)
    torch.save(content, asked.path)
    with pytest.raises(WeightsError, match=r"cannot be read \(.+\)\. Delete it"):
        imagenet.load(with_checksum(asked))
    assert capsys.readouterr().out == ""


def test_weights_for_which_there_is_no_memory(
    small: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "memory_bytes", lambda: 400 * 2**20)
    with pytest.raises(WeightsError, match=r"need 54 MB of memory, and a page may take 50 MB"):
        imagenet.load(small)


def test_a_grey_picture_is_seen_in_three_channels(asked: Published) -> None:
    batch = asked.batch(Image.new("L", (300, 500), 128))
    assert batch.shape == (1, 3, 224, 224)
    values: Tensor = batch.unique()
    torch.testing.assert_close(values, torch.tensor([128 / 255]))
