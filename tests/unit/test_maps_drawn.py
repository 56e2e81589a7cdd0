"""What the components of the Feature maps view are drawn from: order, histogram, thumbnails."""

import json
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cnnlab import catalog, layer_maps, mosaic
from cnnlab.layer_maps import ORDERS
from pages.components import layer_strip, maps_cache, mosaic_view
from pages.components.maps_cache import Pass, Weights
from pages.components.packed import packed

MAPS = torch.randn(7, 12, 12, generator=torch.Generator().manual_seed(0)) * torch.arange(1, 8).view(
    7, 1, 1
)


def unpacked(data: bytes) -> tuple[dict[str, object], bytes]:
    (length,) = struct.unpack_from("<I", data)
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def test_a_message_is_its_header_and_its_bytes() -> None:
    assert unpacked(packed({"ä": [1.5, None]}, b"\x00\xff")) == ({"ä": [1.5, None]}, b"\x00\xff")
    with pytest.raises(ValueError, match="not JSON compliant"):
        packed({"low": float("nan")}, b"")


def test_channels_are_sorted_by_what_is_asked() -> None:
    kept = layer_maps.keep(MAPS)
    assert kept.order("index").tolist() == list(range(7))
    assert kept.order("mean").tolist() == MAPS.mean((1, 2)).argsort(descending=True).tolist()
    assert kept.order("variance").tolist() == MAPS.var((1, 2)).argsort(descending=True).tolist()
    assert {tuple(sorted(kept.order(by).tolist())) for by in ORDERS} == {tuple(range(7))}


def test_a_histogram_counts_every_value_where_it_lies() -> None:
    values = torch.tensor([0.0, 0.0, 0.0, 0.3, 0.6, 1.0]).view(1, 2, 3)
    counts = layer_maps.keep(values).histogram(0, bins=4)
    assert counts.tolist() == [3, 1, 1, 1]
    assert layer_maps.keep(torch.zeros(1, 3, 3)).histogram(0, bins=4).tolist() == [9, 0, 0, 0]


@given(st.integers(1, 40), st.integers(1, 40))
def test_what_is_reduced_fits_and_keeps_its_mean(size: int, side: int) -> None:
    codes = torch.randint(0, 256, (2, size, size), dtype=torch.uint8)
    found = mosaic.reduced(codes, side)
    assert found.shape == (2, min(size, side), min(size, side))
    if size % side == 0:
        assert abs(float(found.float().mean() - codes.float().mean())) <= 0.5


def test_a_vector_is_drawn_as_cells() -> None:
    cells = layer_strip.as_cells(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert cells.tolist() == [[1, 2, 3], [4, 5, 1], [1, 1, 1]]
    drawn = layer_strip.coded(layer_strip.as_cells(torch.arange(4.0))[None])
    assert drawn.tolist() == [[[0, 85], [170, 255]]]
    assert layer_strip.coded(torch.zeros(1, 2, 2)).tolist() == [[[0, 0]] * 2]


def lenet() -> Pass:
    spec = catalog.NETWORKS["lenet"]
    batch = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    return Pass(Weights("lenet", spec.presets["small"], 32), batch)


def test_the_strip_holds_every_layer_with_its_thumbnail() -> None:
    asked = lenet()
    maps = maps_cache.maps_of(asked)
    header, bytes_ = unpacked(layer_strip.drawn(asked, maps))
    layers = header["layers"]
    assert isinstance(layers, list)
    assert [layer["name"] for layer in layers] == list(maps)
    assert sum(layer["width"] * layer["height"] for layer in layers) == len(bytes_)
    sizes = {layer["name"]: layer["px"] for layer in layers}
    assert sizes["conv1"] > sizes["pool1"] > sizes["pool2"]
    assert {layer["name"]: layer["shape"] for layer in layers}["conv2"] == "16×12²"


@pytest.mark.parametrize("network", ["nin", "googlenet", "densenet"])
def test_thumbnails_made_at_once_are_those_of_each_layer_by_itself(network: str) -> None:
    spec = catalog.NETWORKS[network]
    options = spec.presets["small"]
    size = spec.default_image_size(options)
    model = spec.build(options, image_size=size)
    maps = layer_maps.look(model, torch.rand(1, options.in_channels, size, size)).maps
    for name, thumbnail in zip(maps, layer_strip.thumbnails(maps), strict=True):
        values = maps.mean(name)
        if maps.shape(name)[1:] == (1, 1):
            values = layer_strip.as_cells(maps[name].low)
        assert torch.equal(thumbnail, layer_strip.coded(values[None])[0]), name


def test_the_mosaic_says_what_its_codes_stand_for() -> None:
    asked = lenet()
    maps = maps_cache.maps_of(asked)["conv1"]
    header, bytes_ = unpacked(mosaic_view.drawn(asked, "conv1", "auto", "mean"))
    channels = header["channels"]
    assert isinstance(channels, list)
    assert [one["id"] for one in channels] == maps.order("mean").tolist()
    assert (header["height"], header["width"]) == maps.shape[1:]
    codes = torch.frombuffer(bytearray(bytes_), dtype=torch.uint8).view(maps.shape)
    first = channels[0]
    assert (codes[0] == maps.codes[first["id"]]).all()
    assert (first["low"], first["high"]) == (
        float(maps.low[first["id"]]),
        float(maps.high[first["id"]]),
    )
    assert header["reduced"] is False


def test_no_mosaic_is_larger_than_a_megabyte_and_a_half() -> None:
    spec = catalog.NETWORKS["vgg"]
    asked = Pass(Weights("vgg", spec.presets["vgg11"], 224), torch.rand(1, 3, 224, 224))
    header, bytes_ = unpacked(mosaic_view.drawn(asked, "block1.conv1", "auto", "index"))
    assert header["reduced"] is True
    assert len(bytes_) < 1.5e6
