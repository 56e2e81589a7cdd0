"""The rectangle that a value sees equals the support of its gradient, on every network."""

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.explain.effective import effective_field
from cnnlab.explain.receptive import Place, Reaches, Rectangle, node_of, reaches, reaches_of
from cnnlab.networks.batch_norm import BatchNorm
from cnnlab.networks.options import Options
from cnnlab.trace import trace, trace_of
from tests.unit.knobs import THIN, random_options

ACTIVATIONS = (nn.ReLU, nn.Sigmoid, nn.Tanh, nn.LeakyReLU, nn.GELU)


class SumPool(nn.Module):
    """The windows of a max-pooling, all of whose values count."""

    def __init__(self, pool: nn.MaxPool2d) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        p = self.pool
        return nn.functional.avg_pool2d(x, p.kernel_size, p.stride, p.padding, p.ceil_mode)


def made_linear(model: nn.Module) -> nn.Module:
    """The same network without all that hides a dependence.

    Weights are positive, biases zero, an activation hands on its input, and a maximum becomes a
    mean: the gradient of a value is above zero for exactly those pixels that it can depend on.
    """
    model = model.double().eval()
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            model.set_submodule(name, SumPool(module))
        elif isinstance(module, ACTIVATIONS):
            # A function of its own, so that the trace has as many nodes.
            model.set_submodule(name, nn.LeakyReLU(1.0))
    for weight in model.parameters():
        scale = weight[0].numel() if weight.dim() > 1 else 1
        nn.init.uniform_(weight, 0.5 / scale, 1.5 / scale)
    return model


def support(model: nn.Module, size: int, channels: int, node: int, place: Place) -> Any:
    slopes = effective_field(
        model, torch.ones(1, channels, size, size, dtype=torch.float64), node, place
    )
    rows, columns = (slopes > 0).any(1).nonzero(), (slopes > 0).any(0).nonzero()
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    return Rectangle(top, left, int(rows[-1]) - top + 1, int(columns[-1]) - left + 1)


def places(shape: tuple[int, ...], random: torch.Generator) -> list[Place]:
    """A corner, and a place anywhere."""
    sides = (*shape[1:], 1, 1)[:3]
    drawn = [int(torch.randint(0, side, (1,), generator=random)) for side in sides]
    return [Place(0, 0, 0), Place(*drawn)]


def assert_seen(name: str, options: Options, size: int, every: int, seed: int = 0) -> None:
    spec = catalog.NETWORKS[name]
    found = reaches(trace_of(spec, options, size))
    torch.manual_seed(seed)
    model = made_linear(spec.build(options, image_size=size))
    random = torch.Generator().manual_seed(seed)
    nodes = range(1 + seed % every, len(found.nodes), every)
    for node in [*nodes, len(found.nodes) - 1]:
        for place in places(found.found.nodes[node].output_shape, random):
            expected = support(model, size, options.in_channels, node, place)
            assert found.rectangle(node, place) == expected, (found.found.nodes[node], place)


@pytest.mark.parametrize("name", catalog.NETWORKS)
def test_every_small_preset(name: str) -> None:
    spec = catalog.NETWORKS[name]
    options = spec.presets["small"].replace(**THIN[name], in_channels=2)
    assert_seen(name, options, spec.preset_image_size("small"), every=2 if name == "lenet" else 6)


@pytest.mark.parametrize("name", catalog.NETWORKS)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_knobs(name: str, data: st.DataObject) -> None:
    spec = catalog.NETWORKS[name]
    free = {key: value for key, value in THIN[name].items() if key != "width"}
    # What is divided by its own mean depends on nothing any more: see below.
    kind = {"norm": "full"} if name == "lenet" else {}
    options = data.draw(random_options(name, **free | kind, in_channels=1, num_classes=3))
    if "width" in THIN[name]:
        options = options.replace(width=0.125)
    smallest = spec.smallest_image_size(options)
    size = max(smallest, min(96, smallest + data.draw(st.integers(0, 40))))
    assert_seen(name, options, size, every=9, seed=data.draw(st.integers(0, 99)))


def test_windows_that_lie_in_the_padding_see_nothing() -> None:
    found = reaches(trace(nn.Sequential(nn.Conv2d(1, 1, 2, padding=5)), (1, 1, 6, 6)))
    assert found.rectangle(1, Place(0, 0, 3)) is None
    assert found.rectangle(1, Place(0, 4, 5)) == Rectangle(0, 0, 1, 2)
    # Nothing, but for what the next layer reads beside it.
    found = reaches(
        trace(nn.Sequential(nn.Conv2d(1, 1, 2, padding=5), nn.AvgPool2d(5)), (1, 1, 6, 6))
    )
    assert found.rectangle(2, Place(0, 0, 0)) == Rectangle(0, 0, 1, 1)


@settings(max_examples=60, deadline=None)
@given(
    kernel_size=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 4),
    dilation=st.integers(1, 3),
    groups=st.sampled_from([1, 2, 4]),
    size=st.integers(10, 17),
    seed=st.integers(0, 999),
)
def test_any_convolutions(seed: int, size: int, **knobs: Any) -> None:
    model = nn.Sequential(nn.Conv2d(4, 4, **knobs), nn.Conv2d(4, 8, 2, groups=2))
    found = reaches(trace(model, (1, 4, size, size)))
    made_linear(model)
    random = torch.Generator().manual_seed(seed)
    for node in (1, 2):
        for place in places(found.found.nodes[node].output_shape, random):
            assert found.rectangle(node, place) == support(model, size, 4, node, place)


def seen_by(name: str, layer: str, place: Place, **knobs: Any) -> Rectangle | None:
    spec = catalog.NETWORKS[name]
    options = spec.presets["small"].replace(**knobs)
    found = reaches_of(spec, options, 64)
    return found.rectangle(node_of(found.found, layer), place)


def test_channels_of_an_inception_block_see_as_much_as_their_path() -> None:
    """Its input sees 11 pixels and more, with 8 between neighbours."""
    spec = catalog.NETWORKS["googlenet"]
    found = reaches_of(spec, spec.presets["small"], 64)
    widths = []
    for path in (1, 2, 3, 4):
        (conv,) = [name for name in found.found.ends if name == f"inception3a.path{path}"]
        seen = found.rectangle(node_of(found.found, conv), Place(0, 4, 4))
        assert seen is not None
        widths.append(seen.width)
    assert widths[0] < widths[1] == widths[3] < widths[2]
    block = node_of(found.found, "inception3a")
    channels = [found.rectangle(block, Place(c, 4, 4)) for c in (0, 16, 48, 56)]
    assert [seen.width for seen in channels if seen] == widths


def test_a_feature_behind_flatten_sees_what_its_pixel_saw() -> None:
    pool = seen_by("lenet", "pool2", Place(3, 1, 2))
    side = catalog.NETWORKS["lenet"]
    shape = trace_of(side, side.presets["small"], 64).shapes["pool2"]
    feature = (3 * shape[2] + 1) * shape[3] + 2
    assert seen_by("lenet", "flatten", Place(feature)) == pool
    assert seen_by("lenet", "fc1", Place(0)) == Rectangle(0, 0, 64, 64)


def test_rows_that_no_window_reaches_are_seen_by_nobody() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3, stride=4), nn.Flatten(), nn.Linear(8, 1))
    found = reaches(trace(model, (1, 1, 10, 10)))
    assert found.rectangle(3, Place(0)) == Rectangle(0, 0, 7, 7)


def test_batch_norm_over_the_batch_at_hand_sees_the_whole_map() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), BatchNorm(2, kind="batch_statistics"))
    found = reaches(trace(model, (1, 1, 9, 9)))
    assert found.rectangle(1, Place(0, 0, 0)) == Rectangle(0, 0, 3, 3)
    assert found.rectangle(2, Place(0, 0, 0)) == Rectangle(0, 0, 9, 9)


def test_functions_of_which_nothing_is_known_see_all_that_they_may() -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.pixel_shuffle(x.softmax(1), 2)

    found = reaches(trace(nn.Sequential(nn.Conv2d(1, 4, 1), Odd()), (1, 1, 4, 4)))
    assert found.rectangle(len(found.nodes) - 1, Place(0, 0, 0)) == Rectangle(0, 0, 4, 4)


@pytest.mark.parametrize("place", [Place(6, 0, 0), Place(0, 14, 0), Place(0, 0, -1)])
def test_places_that_there_are_not(place: Place) -> None:
    spec = catalog.NETWORKS["lenet"]
    found: Reaches = reaches_of(spec, spec.presets["d2l"], 28)
    with pytest.raises(ConfigError, match=r"was given; it can be 0 to"):
        found.rectangle(node_of(found.found, "pool1"), place)


def test_a_layer_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="There is no layer 'conv9'"):
        seen_by("lenet", "conv9", Place(0))


def test_the_effective_field_of_a_convolution_is_its_kernel() -> None:
    layer = nn.Conv2d(2, 3, 3)
    model = nn.Sequential(layer)
    batch = torch.rand(1, 2, 8, 8)
    found = effective_field(model, batch, 1, Place(1, 2, 4))
    weight = layer.weight.detach()[1].abs().mean(0)
    torch.testing.assert_close(found[2:5, 4:7], weight)
    assert int((found > 0).sum()) == 9
    assert batch.grad is None
    assert not batch.requires_grad


def test_the_effective_field_of_the_picture_itself_and_of_a_constant() -> None:
    layer = nn.Conv2d(1, 1, 3)
    model = nn.Sequential(layer, nn.ReLU())
    assert effective_field(model, torch.rand(1, 1, 4, 4), 0, Place(0, 1, 1)).sum() == 1
    assert layer.bias is not None
    nn.init.constant_(layer.weight, -1.0)
    nn.init.zeros_(layer.bias)
    assert effective_field(model, torch.rand(1, 1, 4, 4), 2, Place(0, 0, 0)).sum() == 0
