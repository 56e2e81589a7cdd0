"""The trace of a model: nothing that ran is missing, and every edge is a tensor handed on."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.summary import layers, summarize
from cnnlab.trace import Trace, trace, trace_of
from tests.unit.knobs import PRESETS


class SqueezeAndExcitation(nn.Module):
    """Hu et al. 2017: every channel is weighted by a gate computed from all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.down = nn.Conv2d(channels, channels // 2, 1)
        self.up = nn.Conv2d(channels // 2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.up(functional.relu(self.down(self.squeeze(x)))))


class Gate(nn.Module):
    """What one convolution makes, where another lets it pass."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.gate = nn.Conv2d(2, 4, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        gate: Tensor = self.gate(x)
        return y * gate.sigmoid()


class Split(nn.Module):
    """Half of the channels through a convolution, the other half past it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 6, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        kept, changed = x.chunk(2, dim=1)
        return torch.cat(tensors=[kept, self.conv(changed)], dim=1)


def steps(found: Trace) -> list[tuple[str, str, tuple[str, ...]]]:
    """Path, operation, and the operations that it reads."""
    return [
        (node.path, node.operation, tuple(found.nodes[s].operation for s in found.sources(i)))
        for i, node in enumerate(found.nodes)
    ]


def test_squeeze_and_excitation() -> None:
    found = trace(SqueezeAndExcitation(8), (1, 8, 6, 6))
    assert steps(found) == [
        ("", "input", ()),
        ("squeeze", "AdaptiveAvgPool2d", ("input",)),
        ("down", "Conv2d", ("AdaptiveAvgPool2d",)),
        ("", "relu", ("Conv2d",)),
        ("up", "Conv2d", ("relu",)),
        ("", "sigmoid", ("Conv2d",)),
        ("", "mul", ("input", "sigmoid")),
    ]
    assert found.nodes[-1].input_shapes == ((1, 8, 6, 6), (1, 8, 1, 1))
    assert found.nodes[-1].output_shape == (1, 8, 6, 6)
    assert found.nodes[-1].receptive_field == 6, "the gate sees the whole map"
    assert sum(node.params for node in found.nodes) == 8 * 4 + 4 + 4 * 8 + 8


def test_a_gate_keeps_both_branches() -> None:
    found = trace(nn.Sequential(Gate(), nn.Conv2d(4, 1, 1)), (2, 2, 9, 9))
    assert steps(found)[1:] == [
        ("0.conv", "Conv2d", ("input",)),
        ("0.gate", "Conv2d", ("input",)),
        ("0", "sigmoid", ("Conv2d",)),
        ("0", "mul", ("Conv2d", "sigmoid")),
        ("1", "Conv2d", ("mul",)),
    ]
    assert found.edges == ((0, 1), (0, 2), (2, 3), (1, 4), (3, 4), (4, 5))
    assert [node.receptive_field for node in found.nodes] == [1, 3, 5, 5, 5, 5]


def test_a_chunk_and_a_concatenation() -> None:
    found = trace(Split(), (1, 4, 5, 5))
    assert steps(found)[1:] == [
        ("", "chunk", ("input",)),
        ("conv", "Conv2d", ("chunk",)),
        ("", "cat", ("chunk", "Conv2d")),
    ]
    assert found.nodes[1].output_shape == (1, 2, 5, 5)
    assert found.nodes[3].output_shape == (1, 8, 5, 5)


def test_operators_in_place_and_properties_have_their_plain_names() -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act = nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            y = x + 1
            y += x
            kept: Tensor = self.act(1 - y)
            kept = kept.clamp_(0, 1)
            return (2 / kept).mT[:, :1].softmax(dim=-1)

    found = trace(Plain(), (1, 3, 4, 4))
    names = [node.operation for node in found.nodes]
    assert names[:3] == ["input", "add", "add"]
    assert names[4:6] == ["ReLU", "clamp"]
    assert names[-3:] == ["mT", "getitem", "softmax"]
    # One after the other, but that the second sum reads the input as well.
    chain = tuple((i, i + 1) for i in range(len(names) - 1))
    assert sorted(found.edges) == sorted({*chain, (0, 2)})


def test_a_function_that_nobody_has_heard_of_is_there_under_its_own_name() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return functional.pixel_shuffle(torch.special.expit(self.conv(x)), 2)

    assert [node.operation for node in trace(Odd(), (1, 1, 4, 4)).nodes] == [
        *("input", "Conv2d", "special_expit", "pixel_shuffle"),
    ]


def test_what_a_module_without_parts_calls_belongs_to_it() -> None:
    class Filter(nn.Module):
        """Two convolutions written as functions."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3, 3, 3, 3))

        def forward(self, x: Tensor) -> Tensor:
            x = torch.conv2d(x, self.weight, stride=2)
            return functional.conv2d(input=x, weight=self.weight).relu()

    found = trace(nn.Sequential(Filter()), (1, 3, 15, 15))
    _, node = found.nodes
    assert (node.path, node.operation, node.params) == ("0", "Filter", 81)
    assert (node.output_shape, node.receptive_field) == ((1, 3, 5, 5), 3 + 2 * 2)
    assert node.macs == 27 * (3 * 7 * 7 + 3 * 5 * 5)


def test_functions_with_weights_are_rows_of_the_table() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)
            self.weight = nn.Parameter(torch.ones(4, 2 * 6 * 6))

        def forward(self, x: Tensor) -> Tensor:
            return functional.linear(self.conv(x).flatten(1), self.weight)

    model = nn.Sequential(Mixed())
    table = summarize(model, (1, 1, 8, 8))
    assert [(row.name, row.kind) for row in table.layers] == [
        ("0.conv", "Conv2d"),
        ("0.linear", "linear"),
    ]
    assert table.params == sum(weight.numel() for weight in model.parameters())
    assert table.layers[-1].macs == 4 * 72
    assert table.layers[-1].receptive_field == 8


def test_a_weight_that_is_used_twice_is_counted_once() -> None:
    shared = nn.Conv2d(1, 1, 3, padding=1)
    found = trace(nn.Sequential(shared, nn.ReLU(), shared), (1, 1, 6, 6))
    assert [node.params for node in found.nodes] == [0, 10, 0, 0]
    assert [node.path for node in found.nodes] == ["", "0", "1", "0"]
    assert found.nodes[-1].receptive_field == 5
    assert found.nodes[-1].macs == found.nodes[1].macs > 0


def test_modules_that_hand_on_what_they_were_given_do_not_run() -> None:
    model = nn.Sequential(nn.Identity(), nn.Sequential(), nn.Dropout(0.5))
    assert [node.operation for node in trace(model, (1, 1, 4, 4)).nodes] == ["input", "Dropout"]


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_every_module_of_the_networks_ran_and_is_joined(name: str, preset: str) -> None:
    spec = catalog.NETWORKS[name]
    options = spec.presets[preset]
    found = trace_of(spec, options, spec.preset_image_size(preset))
    assert trace_of(spec, options, spec.preset_image_size(preset)) is found, "it is kept"
    leaves = {
        path: type(module).__name__
        for path, module in found.outline.named_modules()
        if not any(module.children()) and not isinstance(module, nn.Identity)
    }
    assert {node.path: node.operation for node in found.nodes if node.is_module} == leaves
    assert sum(node.params for node in found.nodes) == sum(
        weight.numel() for weight in found.outline.parameters()
    )
    # From the input on, everything is read by something but the logits.
    sources, targets = zip(*found.edges, strict=True)
    assert set(sources) == set(range(len(found.nodes) - 1))
    assert set(targets) == set(range(1, len(found.nodes)))
    assert all(source < target for source, target in found.edges)
    for source, target in found.edges:
        assert found.nodes[source].output_shape in found.nodes[target].input_shapes
    assert list(found.shapes)[-1] == ""
    assert found.shapes[""] == found.nodes[-1].output_shape == (1, options.num_classes)
    assert set(found.shapes) == {path for path, _ in found.outline.named_modules()}


def test_sums_and_concatenations_are_where_the_networks_have_them() -> None:
    def functions(name: str, preset: str, size: int) -> Counter[str]:
        spec = catalog.NETWORKS[name]
        nodes = trace_of(spec, spec.presets[preset], size).nodes
        return Counter(node.operation for node in nodes[1:] if not node.is_module)

    assert functions("resnet", "resnet50", 224) == {"add": 16}
    assert functions("resnet", "resnet34", 64) == {"add": 16}
    assert functions("densenet", "densenet121", 64) == {"cat": 6 + 12 + 24 + 16}
    assert functions("googlenet", "torchvision", 64) == {"cat": 9}
    assert not functions("vgg", "vgg19", 64)


def test_a_network_from_elsewhere() -> None:
    """torchvision's with squeeze-and-excitation, in-place activations and functions."""
    with torch.device("meta"):
        model = torchvision.models.mobilenet_v3_small()
    found = trace(model, (1, 3, 224, 224))
    names = Counter(node.operation for node in found.nodes)
    assert (names["mul"], names["add"], names["flatten"]) == (9, 6, 1)
    assert names["Hardsigmoid"] == 9
    table = layers(found)
    assert table.params == 2_542_856
    # As torchvision publishes it.
    assert table.macs / 1e9 == pytest.approx(0.057, abs=0.0005)
    assert not [node for node in found.outline.modules() if node._forward_hooks]


def test_receptive_fields_of_functions_are_those_of_modules() -> None:
    class Functions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, dilation=2)

        def forward(self, x: Tensor) -> Tensor:
            x = functional.max_pool2d(self.conv(x), 3, stride=2, padding=1)
            x = functional.avg_pool2d(x, kernel_size=2)
            return functional.adaptive_avg_pool2d(x, output_size=(2, 2)).mean([2, 3])

    modules = nn.Sequential(
        nn.Conv2d(1, 1, 3, dilation=2),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.AvgPool2d(2),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
    )
    written, built = (trace(model, (1, 1, 40, 40)) for model in (Functions(), modules))
    fields = [node.receptive_field for node in written.nodes]
    assert fields == [node.receptive_field for node in built.nodes]
    assert fields == [1, 5, 7, 9, 9 + 4 * 4, 40 + 1]


def test_a_model_on_which_others_work_is_left_alone() -> None:
    model = Gate().train()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: trace(model, (1, 2, 8, 8)), range(4)))
    assert len({(one.nodes, one.edges) for one in found}) == 1
    assert model.training
    assert model.conv.weight.device.type == "cpu"
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("shape", [(), (1, 28, 28), (0, 1, 28, 28)])
def test_an_input_shape_that_is_none(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="four positive numbers"):
        trace(Gate(), shape)


def test_a_picture_that_does_not_fit() -> None:
    spec = catalog.NETWORKS["alexnet"]
    with pytest.raises(ConfigError, match="smallest size that works"):
        trace_of(spec, spec.presets["d2l"], 8)
    with pytest.raises(ConfigError, match="1 channels; 3 were given"):
        trace(catalog.build("lenet"), (1, 3, 28, 28))
