"""The networks against the book's figures, and every knob at its bounds."""

from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.networks.densenet import DenseBlock, DenseNetOptions
from cnnlab.networks.inception import Inception, InceptionOptions
from cnnlab.networks.options import ACTIVATIONS, Activation
from cnnlab.networks.residual import (
    Block,
    ResidualOptions,
)
from tests.unit.knobs import (
    FIELDS,
    PRESETS,
    edge_values,
    field_of,
    image_size,
    options_of,
    random_options,
    thin,
)

NETWORKS = list(catalog.NETWORKS)
NORMS = nn.BatchNorm1d | nn.BatchNorm2d

# The book's networks counted by hand from its code; torchvision's from its documentation.
PARAMETERS = {
    ("lenet", "d2l"): 61_706,
    ("lenet", "d2l_bn"): 44_878,
    ("alexnet", "d2l"): 46_764_746,
    ("alexnet", "torchvision"): 61_100_840,
    ("vgg", "d2l"): 43_093_322,
    ("vgg", "d2l_full"): 128_806_154,
    ("vgg", "vgg11"): 132_863_336,
    ("vgg", "vgg13"): 133_047_848,
    ("vgg", "vgg16"): 138_357_544,
    ("vgg", "vgg19"): 143_667_240,
    ("nin", "d2l"): 1_992_166,
    ("googlenet", "d2l"): 5_977_530,
    ("googlenet", "torchvision"): 6_624_904,
    ("resnet", "d2l"): 11_178_378,
    ("resnet", "resnet18"): 11_689_512,
    ("resnet", "resnet34"): 21_797_672,
    ("resnet", "resnet50"): 25_557_032,
    ("densenet", "d2l"): 758_226,
    ("densenet", "densenet121"): 7_978_856,
}

# (channels, side) after each part of the book's network, at the book's input size.
TRAILS = {
    ("lenet", "d2l", 28): "conv1 6x28 pool1 6x14 conv2 16x10 pool2 16x5",
    ("lenet", "d2l_bn", 28): "conv1 6x24 pool1 6x12 conv2 16x8 pool2 16x4",
    ("alexnet", "d2l", 224): (
        "block1 96x54 pool1 96x26 block2 256x26 pool2 256x12 block3 384x12 block4 384x12 "
        "block5 256x12 pool5 256x5"
    ),
    ("alexnet", "torchvision", 224): (
        "block1 64x55 pool1 64x27 block2 192x27 pool2 192x13 block3 384x13 block4 256x13 "
        "block5 256x13 pool5 256x6 pool6 256x6"
    ),
    ("vgg", "d2l", 224): "block1 16x112 block2 32x56 block3 64x28 block4 128x14 block5 128x7",
    (
        "vgg",
        "d2l_full",
        224,
    ): "block1 64x112 block2 128x56 block3 256x28 block4 512x14 block5 512x7",
    ("nin", "d2l", 224): (
        "block1 96x54 pool1 96x26 block2 256x26 pool2 256x12 block3 384x12 pool3 384x5 "
        "block4 10x5 global_pool 10x1"
    ),
    ("googlenet", "d2l", 96): (
        "conv1 64x48 pool1 64x24 conv2 64x24 conv3 192x24 pool2 192x12 inception3a 256x12 "
        "inception3b 480x12 pool3 480x6 inception4a 512x6 inception4b 512x6 inception4c 512x6 "
        "inception4d 528x6 inception4e 832x6 pool4 832x3 inception5a 832x3 inception5b 1024x3"
    ),
    ("resnet", "d2l", 96): "stem 64x24 stage1 64x24 stage2 128x12 stage3 256x6 stage4 512x3",
    ("resnet", "resnet50", 224): (
        "stem 64x56 stage1 256x56 stage2 512x28 stage3 1024x14 stage4 2048x7"
    ),
    ("densenet", "d2l", 96): (
        "stem 64x24 dense1 192x24 transition1 96x12 dense2 224x12 transition2 112x6 "
        "dense3 240x6 transition3 120x3 dense4 248x3"
    ),
}


def forward(model: nn.Module, size: int) -> Tensor:
    x = torch.empty(2, options_of(model).in_channels, size, size, device="meta")
    logits: Tensor = model.eval()(x)
    return logits


@pytest.mark.parametrize(("name", "preset"), PARAMETERS, ids="-".join)
def test_parameter_counts_to_the_digit(name: str, preset: str) -> None:
    spec = catalog.NETWORKS[name]
    model = spec.build(spec.presets[preset], device="meta")
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[name, preset]


def test_every_preset_has_a_known_parameter_count() -> None:
    assert {case for case in PRESETS if case[1] != "small"} == set(PARAMETERS)


@pytest.mark.parametrize(("name", "preset", "size"), TRAILS, ids=lambda part: str(part))
def test_shapes_on_the_way(name: str, preset: str, size: int) -> None:
    spec = catalog.NETWORKS[name]
    model = spec.build(spec.presets[preset], device="meta").eval()
    x = torch.empty(1, options_of(model).in_channels, size, size, device="meta")
    trail: dict[str, str] = {}
    for part, module in model.named_children():
        x = module(x)
        if x.dim() == 4:
            assert x.shape[2] == x.shape[3]
            trail[part] = f"{x.shape[1]}x{x.shape[2]}"
    known = TRAILS[name, preset, size].split()
    assert {part: trail[part] for part in known[::2]} == dict(
        zip(known[::2], known[1::2], strict=True)
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_without_options_is_the_books(name: str) -> None:
    spec = catalog.NETWORKS[name]
    with torch.device("meta"):
        bare = spec.network(None)
    options = options_of(bare)
    assert options == spec.presets["d2l"] == spec.options()
    assert options.in_channels == 1
    assert options.num_classes == 10
    assert forward(bare, image_size(name, options)).shape == (2, 10)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [(name, field, v) for name, field in FIELDS for v in edge_values(field_of(name, field))],
)
def test_every_knob_at_its_bounds(name: str, field: str, value: Any) -> None:
    spec = catalog.NETWORKS[name]
    options = spec.presets["d2l"].replace(**{field: value})
    model = spec.build(options, device="meta")
    logits = forward(model, image_size(name, options))
    assert logits.shape == (2, options.num_classes)


@pytest.mark.parametrize("name", NETWORKS)
@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_any_knobs_build_or_name_a_size_that_works(name: str, data: Any) -> None:
    spec = catalog.NETWORKS[name]
    options = data.draw(random_options(name))
    size = data.draw(st.integers(1, 96))
    complaint = ""
    try:
        spec.check_image_size(options, size)
    except ConfigError as error:
        complaint = str(error)
    if complaint:
        smallest = spec.smallest_image_size(options)
        assert size < smallest
        assert f"smallest size that works is {smallest}×{smallest}" in complaint
        size = smallest
    model = spec.build(options, device="meta", image_size=size)
    assert forward(model, size).shape == (2, options.num_classes)


@pytest.mark.parametrize("name", NETWORKS)
def test_training_step_reaches_every_weight(name: str) -> None:
    spec = catalog.NETWORKS[name]
    torch.manual_seed(0)
    options = thin(name, "d2l")
    size = 67 if name in ("alexnet", "nin") else 32
    # A dead ReLU would hide that a weight is connected.
    model = spec.build(options.replace(activation="tanh"), image_size=size)
    logits = model(torch.rand(4, options.in_channels, size, size))
    nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
    for weight_name, weight in model.named_parameters():
        assert weight.grad is not None, weight_name
        assert torch.isfinite(weight.grad).all(), weight_name
        # A bias that a normalization takes away again may have no gradient.
        assert weight.grad.any() or weight.dim() == 1, weight_name


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_seed_gives_the_same_weights(name: str) -> None:
    spec = catalog.NETWORKS[name]
    states = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        states.append(torch.cat([p.flatten() for p in spec.build(thin(name, "d2l")).parameters()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@pytest.mark.parametrize("name", NETWORKS)
def test_batch_norm_switch(name: str) -> None:
    """Off: none. On: right after a convolution or affine map, or in DenseNet right before one."""
    options = catalog.NETWORKS[name].presets["d2l"]
    for on in (False, True):
        model = catalog.NETWORKS[name].build(options.replace(batch_norm=on), device="meta")
        leaves = [m for m in model.modules() if not any(m.children())]
        norms = [i for i, m in enumerate(leaves) if isinstance(m, NORMS)]
        assert bool(norms) == on
        for i in norms:
            if name == "densenet" and i > 1:
                assert isinstance(leaves[i + 1], nn.ReLU)
            else:
                assert isinstance(leaves[i - 1], nn.Conv2d | nn.Linear)


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_the_batch_norm_switch_changes_nothing_but_batch_norm(name: str, preset: str) -> None:
    """One rule for all networks: neither a bias nor another layer comes or goes with it."""
    spec = catalog.NETWORKS[name]
    parts = []
    for on in (False, True):
        options = spec.presets[preset].replace(batch_norm=on)
        model = spec.build(options, device="meta", image_size=spec.preset_image_size(preset))
        kept = [m for m in model.modules() if not isinstance(m, NORMS) and not any(m.children())]
        parts.append([repr(m) for m in kept if not isinstance(m, nn.Identity)])
    assert parts[0] == parts[1]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_chosen_activation_is_the_only_one(name: str, activation: Activation) -> None:
    spec = catalog.NETWORKS[name]
    model = spec.build(spec.presets["d2l"].replace(activation=activation), device="meta")
    known = tuple(ACTIVATIONS.values())
    assert {type(m) for m in model.modules() if isinstance(m, known)} == {ACTIVATIONS[activation]}


@pytest.mark.parametrize("name", [n for n, field in FIELDS if field == "dropout"])
def test_dropout_has_the_chosen_share(name: str) -> None:
    spec = catalog.NETWORKS[name]
    model = spec.build(spec.presets["d2l"].replace(dropout=0.3), device="meta")
    shares = {m.p for m in model.modules() if isinstance(m, nn.Dropout)}
    assert shares == {0.3}


def test_the_final_activation_of_nin_decides_whether_logits_can_be_negative() -> None:
    spec, lowest = catalog.NETWORKS["nin"], {}
    for final in (True, False):
        torch.manual_seed(0)
        options = thin("nin", "small").replace(final_activation=final, num_classes=50)
        logits = spec.build(options).eval()(torch.rand(4, 1, 64, 64))
        lowest[final] = logits.min().item()
    assert lowest[True] >= 0 > lowest[False]


@pytest.mark.parametrize("block", get_args(Block))
@pytest.mark.parametrize("skip", [True, False])
def test_a_residual_block_that_computes_nothing_is_the_identity(
    block: type[Block], skip: bool
) -> None:
    channels = 8
    options = ResidualOptions(skip=skip, batch_norm=False)
    layer = block(options, channels * block.expansion, channels, stride=1)
    for weight in layer.parameters():
        nn.init.zeros_(weight)
    x = torch.rand(2, channels * block.expansion, 5, 5)
    assert torch.equal(layer(x), x if skip else torch.zeros_like(x))


def test_a_dense_block_passes_its_input_on_and_every_layer_reads_all_before() -> None:
    block = DenseBlock(DenseNetOptions(growth_rate=3), layers=2, in_channels=4).eval()
    x = torch.rand(2, 4, 6, 6)
    y = block(x)
    assert y.shape == (2, 4 + 2 * 3, 6, 6)
    assert torch.equal(y[:, :4], x)
    torch.testing.assert_close(y[:, 4:7], block.get_submodule("layer1")(x))
    torch.testing.assert_close(y[:, 7:], block.get_submodule("layer2")(y[:, :7]))


def test_an_inception_block_concatenates_its_four_paths() -> None:
    block = Inception(InceptionOptions(), 5, (2, (3, 4), (1, 2), 3))
    x = torch.rand(2, 5, 7, 7)
    paths = [block.path1(x), block.path2(x), block.path3(x), block.path4(x)]
    assert [p.shape[1] for p in paths] == [2, 4, 2, 3]
    assert torch.equal(block(x), torch.cat(paths, dim=1))
