"""The layer table against independent counts, and the model left as it was."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import get_model_weights

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.summary import summarize
from tests.unit.knobs import PRESETS, image_size, meet_inside, options_of, random_options, thin

DEVICES = ["cpu", "meta", *(["cuda"] if torch.cuda.is_available() else [])]
PUBLISHED = [
    ("alexnet", "torchvision", "alexnet"),
    ("vgg", "vgg11", "vgg11"),
    ("vgg", "vgg13", "vgg13"),
    ("vgg", "vgg16", "vgg16"),
    ("vgg", "vgg19", "vgg19"),
    ("googlenet", "torchvision", "googlenet"),
    ("resnet", "resnet18", "resnet18"),
    ("resnet", "resnet34", "resnet34"),
    ("resnet", "resnet50", "resnet50"),
    ("densenet", "densenet121", "densenet121"),
]


def built(name: str, preset: str, device: str = "meta") -> nn.Module:
    spec = catalog.NETWORKS[name]
    return spec.build(spec.presets[preset], device=device)


def input_shape(model: nn.Module, name: str, batch: int = 1) -> tuple[int, int, int, int]:
    options = options_of(model)
    size = image_size(name, options)
    return (batch, options.in_channels, size, size)


@pytest.mark.parametrize(("name", "preset", "theirs"), PUBLISHED, ids=[p[2] for p in PUBLISHED])
def test_compute_and_parameters_as_torchvision_publishes_them(
    name: str, preset: str, theirs: str
) -> None:
    """Its "GFLOPS" count the multiply-accumulates of convolutions and affine maps, as we do."""
    table = summarize(built(name, preset), (1, 3, 224, 224))
    meta = get_model_weights(theirs).DEFAULT.meta
    assert table.params == meta["num_params"]
    # Published to three digits after the point.
    assert table.macs / 1e9 == pytest.approx(meta["_ops"], abs=0.00051)


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_compute_agrees_with_pytorchs_counter(name: str, preset: str) -> None:
    model = built(name, preset).eval()
    shape = input_shape(model, name, batch=2)
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(shape, device="meta"))
    # It counts a multiplication and an addition as two.
    assert 2 * summarize(model, shape).macs == counter.get_total_flops()


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_totals(name: str, preset: str) -> None:
    model = built(name, preset)
    table = summarize(model, input_shape(model, name))
    assert table.params == sum(p.numel() for p in model.parameters())
    assert table.macs == sum(layer.macs for layer in table.layers)
    assert table.activation_bytes == sum(layer.activation_bytes for layer in table.layers)
    # Single precision: 4 bytes each.
    assert all(
        layer.activation_bytes == 4 * torch.Size(layer.output_shape).numel()
        for layer in table.layers
    )


def test_rows_of_lenet_by_hand() -> None:
    table = summarize(built("lenet", "d2l"), (2, 1, 28, 28))
    rows = [
        (r.name, r.kind, r.input_shape, r.output_shape, r.params, r.macs, r.receptive_field)
        for r in table.layers
    ]
    assert rows == [
        ("conv1", "Conv2d", (2, 1, 28, 28), (2, 6, 28, 28), 156, 2 * 6 * 784 * 25, 5),
        ("act1", "Sigmoid", (2, 6, 28, 28), (2, 6, 28, 28), 0, 0, 5),
        ("pool1", "AvgPool2d", (2, 6, 28, 28), (2, 6, 14, 14), 0, 0, 6),
        ("conv2", "Conv2d", (2, 6, 14, 14), (2, 16, 10, 10), 2416, 2 * 16 * 100 * 6 * 25, 14),
        ("act2", "Sigmoid", (2, 16, 10, 10), (2, 16, 10, 10), 0, 0, 14),
        ("pool2", "AvgPool2d", (2, 16, 10, 10), (2, 16, 5, 5), 0, 0, 16),
        ("flatten", "Flatten", (2, 16, 5, 5), (2, 400), 0, 0, 32),
        ("fc1", "Linear", (2, 400), (2, 120), 48_120, 2 * 48_000, 32),
        ("act3", "Sigmoid", (2, 120), (2, 120), 0, 0, 32),
        ("fc2", "Linear", (2, 120), (2, 84), 10_164, 2 * 10_080, 32),
        ("act4", "Sigmoid", (2, 84), (2, 84), 0, 0, 32),
        ("fc3", "Linear", (2, 84), (2, 10), 850, 2 * 840, 32),
    ]


@pytest.mark.parametrize("name", catalog.NETWORKS)
@settings(deadline=None, max_examples=4)
@given(data=st.data(), batch=st.integers(1, 5))
def test_rows_are_what_runs_on_the_cpu(name: str, data: Any, batch: int) -> None:
    """Names, order and shapes, watched in a real forward pass by hooks of our own."""
    options = data.draw(random_options(name, **thin(name, "small").model_dump()))
    model = catalog.NETWORKS[name].build(options).eval()
    seen = []
    for module_name, module in model.named_modules():
        if not list(module.children()) and not isinstance(module, nn.Identity):
            module.register_forward_hook(
                lambda _, args, y, n=module_name: seen.append((n, args[0].shape, y.shape))
            )
    shape = input_shape(model, name, batch)
    model(torch.rand(shape))
    ran = list(seen)
    rows = summarize(model, shape).layers
    assert [(row.name, row.input_shape, row.output_shape) for row in rows] == ran


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", catalog.NETWORKS)
@pytest.mark.parametrize("fits", [True, False])
def test_the_model_is_left_as_it_was(name: str, device: str, fits: bool) -> None:
    spec = catalog.NETWORKS[name]
    model = spec.build(thin(name, "small").replace(batch_norm=True), device=device)
    for i, module in enumerate(model.modules()):
        module.training = i % 3 == 0
    modes = [module.training for module in model.modules()]
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    copies = {key: tensor.detach().clone() for key, tensor in tensors.items()}

    if fits:
        summarize(model, input_shape(model, name))
    else:
        with pytest.raises(ConfigError):
            summarize(model, (1, 5, 64, 64))

    assert [module.training for module in model.modules()] == modes
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    after = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    assert all(after[key] is tensor for key, tensor in tensors.items())
    assert all(tensor.device.type == device for tensor in after.values())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    if device != "meta":
        assert all(torch.equal(copies[key], tensor) for key, tensor in after.items())


def test_two_threads_can_summarize_one_model() -> None:
    model = built("resnet", "small", device="cpu")
    alone = summarize(model, (1, 1, 32, 32))
    meet_inside(model)
    with ThreadPoolExecutor(2) as pool:
        tables = list(pool.map(lambda _: summarize(model, (1, 1, 32, 32)), range(2)))
    assert tables == [alone, alone]


def test_a_torchvision_model_can_be_summarized_too() -> None:
    import torchvision

    with torch.device("meta"):
        table = summarize(torchvision.models.mobilenet_v2(), (1, 3, 224, 224))
    assert table.params == 3_504_872
    # Grouped convolutions: 0.301 in torchvision's table.
    assert table.macs / 1e9 == pytest.approx(0.301, abs=0.0005)


@pytest.mark.parametrize(
    "shape", [(), (28, 28), (1, 28, 28), (1, 1, 1, 28, 28), (0, 1, 28, 28), (1, 1, 28, -1)]
)
def test_an_input_shape_that_is_none(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="four positive numbers: pictures, channels, height"):
        summarize(built("resnet", "small"), shape)


@pytest.mark.parametrize("name", catalog.NETWORKS)
def test_wrong_channels_are_named(name: str) -> None:
    model = built(name, "small")
    with pytest.raises(ConfigError, match=r"1 channels; 3 were given\. Build it with in_channels"):
        summarize(model, (1, 3, 64, 64))


@pytest.mark.parametrize("name", ["lenet", "alexnet", "vgg"])
def test_a_size_that_the_network_was_not_built_for(name: str) -> None:
    model = built(name, "small")
    size = model.image_size
    with pytest.raises(ConfigError, match=f"built for pictures of {size}×{size}.*image_size=96"):
        summarize(model, (1, 1, 96, 96))
    with pytest.raises(ConfigError, match=r"96×128 were given\. Crop or resize them to squares"):
        summarize(model, (1, 1, 96, 128))


def test_a_fault_that_is_not_the_pictures_is_not_blamed_on_it() -> None:
    """Weights in half precision do not take the table's input; that is no matter of sizes."""
    for name in ("resnet", "lenet"):
        model = built(name, "small").half()
        with pytest.raises(RuntimeError, match=r"(?i)type"):
            summarize(model, input_shape(model, name))


def test_a_model_from_elsewhere_gets_a_sentence_too() -> None:
    with pytest.raises(ConfigError, match="8×8 pixels does not pass through this Conv2d"):
        summarize(nn.Conv2d(3, 3, 9), (1, 3, 8, 8))
