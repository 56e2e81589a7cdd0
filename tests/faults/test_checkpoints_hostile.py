"""Files of weights that lie: a sentence, no more memory than the file holds, nothing executed."""

import json
import pickle
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from cnnlab import catalog, checkpoints
from cnnlab.checkpoints import imagenet
from cnnlab.checkpoints.card import Card
from cnnlab.checkpoints.shipped import card_file
from cnnlab.errors import ConfigError, TrainingError, WeightsError
from cnnlab.training import RunConfig, checkpoint
from tests.memory import peak_mb

CONFIG = RunConfig(network="lenet", options="small")
Header = dict[str, Any]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Weights as a run leaves them."""
    path = tmp_path / "w.safetensors"
    model = checkpoint.fresh("lenet", CONFIG.options, CONFIG.image_size, 0)
    checkpoint.save(model, CONFIG, path)
    assert checkpoint.load(path)[1] == CONFIG
    return path


def refused(path: Path) -> None:
    with pytest.raises(TrainingError, match=r"The weights in .+ cannot be read") as caught:
        checkpoint.load(path)
    assert len(str(caught.value)) < 300


def parts(path: Path) -> tuple[Header, bytes]:
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def write(path: Path, header: Header | bytes, content: bytes, length: int | None = None) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + content)


@pytest.mark.parametrize("length", [0, 1, 7, 2**31, 2**40, 2**63, 2**64 - 1])
def test_a_header_that_lies_about_its_length(good: Path, length: int) -> None:
    write(good, *parts(good), length)
    refused(good)


def test_a_header_that_is_no_object(good: Path) -> None:
    _, content = parts(good)
    for text in (b"[]", b"null", b"1e999", b"{", b"[" * 100_000, b"\xff" * 50, b'{"a":' * 10_000):
        write(good, text, content)
        refused(good)


def overlapping(tensors: Header) -> None:
    first, second = list(tensors)[:2]
    tensors[first]["data_offsets"] = tensors[second]["data_offsets"]


def each(field: str, value: object) -> Callable[[Header], None]:
    def change(tensors: Header) -> None:
        for tensor in tensors.values():
            tensor[field] = value

    return change


LIES: dict[str, Callable[[Header], object]] = {
    "overlapping": overlapping,
    "beyond the end": each("data_offsets", [0, 2**62]),
    "backwards": each("data_offsets", [8, 0]),
    "negative": each("data_offsets", [-8, 8]),
    "huge shape": each("shape", [2**40, 2**40]),
    "empty shape": each("shape", []),
    "negative shape": each("shape", [-1]),
    "no such kind": each("dtype", "F31"),
    "another kind": each("dtype", "I32"),
    "one left out": lambda tensors: tensors.popitem(),
    "no tensor": lambda tensors: tensors.clear(),
    "a stranger": lambda tensors: tensors.update({"../x": tensors.popitem()[1]}),
    "a folder": lambda tensors: tensors.update({"a/b": tensors.popitem()[1]}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_about_its_tensors(good: Path, lie: str) -> None:
    header, content = parts(good)
    about = header.pop("__metadata__")
    LIES[lie](header)
    write(good, {"__metadata__": about, **header}, content)
    refused(good)


def test_a_million_tensors_are_not_even_listed(good: Path) -> None:
    header, content = parts(good)
    nothing = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    many = {str(number): nothing for number in range(1_000_000)}
    write(good, {"__metadata__": header["__metadata__"], **many}, content)
    begin_s = time.process_time()
    refused(good)
    assert time.process_time() - begin_s < 0.2


def tensors_of(path: Path) -> dict[str, Tensor]:
    return dict(checkpoint.load(path)[0].state_dict())


@pytest.mark.parametrize("dtype", [torch.float64, torch.int64, torch.bool, torch.complex64])
def test_numbers_of_another_kind(good: Path, dtype: torch.dtype) -> None:
    tensors = {name: tensor.to(dtype) for name, tensor in tensors_of(good).items()}
    save_file(tensors, good, metadata={"config": CONFIG.model_dump_json()})
    refused(good)


def widest() -> RunConfig:
    """A run of the largest network that may be described."""
    spec = catalog.network("vgg")
    return RunConfig(network="vgg", options=spec.presets["vgg19"], image_size=224)


@pytest.mark.parametrize(
    "config",
    [
        "",
        "no JSON",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        '{"network": "' + "x" * 100_000 + '"}',
        CONFIG.model_dump_json().replace('"lenet"', '"no such"'),
        CONFIG.model_dump_json().replace('"lr":', '"lr":1e999,"x":'),
        RunConfig(network="resnet").model_dump_json(),
        widest().model_dump_json(),
    ],
    ids=lambda text: text[:12],
)
def test_settings_that_lie_cost_no_memory(good: Path, config: str) -> None:
    """Also those of a network of 140 million parameters, with the tensors of a small one."""
    save_file(tensors_of(good), good, metadata={"config": config})
    before_mb = peak_mb()
    refused(good)
    assert peak_mb() - before_mb < 100


def test_every_cut_and_flipped_bit_of_the_header(good: Path) -> None:
    """Either the same network with other numbers, or a sentence."""
    raw = good.read_bytes()
    length = 8 + struct.unpack("<Q", raw[:8])[0]
    for at in range(0, length, 7):
        changed = bytearray(raw)
        changed[at] ^= 1 << at % 8
        for damaged in (bytes(changed), raw[:at]):
            good.write_bytes(damaged)
            try:
                model, _ = checkpoint.load(good)
            except TrainingError:
                continue
            else:
                assert len(damaged) == len(raw)
                assert checkpoint.parameters(model) > 0


# Pickles and cards


class Payload:
    """What is done by whoever opens the pickle without care."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("pickled", [True, False])
def test_a_pickle_with_a_payload_executes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pickled: bool
) -> None:
    """Eight digits of a checksum can be made to fit; so the file is not trusted all the same."""
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(imagenet, "_is_right", lambda *_: True)
    asked, mark = imagenet.published("resnet", "resnet18"), tmp_path / "executed"
    asked.path.parent.mkdir(parents=True)
    if pickled:
        asked.path.write_bytes(pickle.dumps(Payload(mark), protocol=2))
    else:
        torch.save({"conv1.weight": Payload(mark)}, asked.path)
    with pytest.raises(WeightsError, match="cannot be read"):
        imagenet.load(asked)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Payload(mark)))
    assert mark.exists(), "the payload works"


@pytest.mark.parametrize("held", [[], None, 3, {"a": 1}, {1: torch.zeros(2)}, torch.zeros(3)])
def test_a_pickle_of_something_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, held: object
) -> None:
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(imagenet, "_is_right", lambda *_: True)
    asked = imagenet.published("resnet", "resnet18")
    asked.path.parent.mkdir(parents=True)
    torch.save(held, asked.path)
    with pytest.raises(WeightsError, match="cannot be read"):
        imagenet.load(asked)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("preset", "no such"),
        ("preset", "../small"),
        ("test_accuracy", float("nan")),
        ("test_accuracy", 1.5),
        ("training_s", float("inf")),
        ("params", 10**400),
        ("size_bytes", -1),
        ("sha256", "0" * 63),
        ("date", "yesterday"),
        ("config", "x" * 100_000),
    ],
)
def test_a_card_that_cannot_be_is_refused(tmp_path: Path, field: str, value: object) -> None:
    shipped = checkpoints.shipped()[0]
    (tmp_path / shipped.path.name).write_bytes(b"")
    fields = json.loads(shipped.card.model_dump_json())
    card_file(tmp_path / shipped.path.name).write_text(json.dumps({**fields, field: value}))
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        checkpoints.shipped(folder=tmp_path)
    assert len(str(caught.value)) < 600


def test_a_card_is_not_believed_about_its_file(tmp_path: Path) -> None:
    shipped = checkpoints.shipped()[0]
    for change in ({"size_bytes": 10**18}, {"sha256": "0" * 64}, {"config": CONFIG}):
        one = Card(**{**dict(shipped.card), **change})
        with pytest.raises(WeightsError, match="does not fit its card"):
            checkpoints.Shipped(shipped.path, one).load()
    with pytest.raises(ConfigError):
        Card.from_json("[" * 100_000)
    assert list(tmp_path.iterdir()) == []
