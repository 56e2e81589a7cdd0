"""What a pass of one picture may cost, and how long it is expected to take."""

import pytest

from cnnlab import catalog, pass_price
from cnnlab.errors import ConfigError
from cnnlab.networks.options import Options
from cnnlab.trace import trace_of


def priced(name: str, size: int, options: Options) -> None:
    pass_price.check_price(trace_of(catalog.NETWORKS[name], options, size))


@pytest.mark.parametrize("name", list(catalog.NETWORKS))
def test_every_preset_is_affordable_at_the_largest_size(name: str) -> None:
    spec = catalog.NETWORKS[name]
    for options in spec.presets.values():
        priced(name, 256, options)


def test_a_pass_that_costs_too_much_is_refused_with_both_limits() -> None:
    wide = catalog.NETWORKS["vgg"].presets["vgg19"].replace(base_channels=128)
    with pytest.raises(ConfigError, match=r"up to 40 billion and 128 MB .* narrower or the"):
        priced("vgg", 256, wide)


def test_a_pass_is_expected_to_take_longer_the_more_it_multiplies_and_moves() -> None:
    spec = catalog.NETWORKS["vgg"]

    def expected_s(preset: str, size: int) -> float:
        return pass_price.expected_s(trace_of(spec, spec.presets[preset], size))

    assert expected_s("small", 32) < 0.05
    # VGG-11 multiplies 7.6 billion times at 224 pixels.
    assert 0.1 < expected_s("vgg11", 224) < 2
    assert expected_s("vgg11", 224) < expected_s("vgg19", 224) < expected_s("vgg19", 256)


def test_a_pass_that_ends_early_is_expected_to_take_less() -> None:
    spec = catalog.NETWORKS["vgg"]
    found = trace_of(spec, spec.presets["vgg11"], 224)
    layers = [name for name, shape in found.shapes.items() if len(shape) == 4]
    upto = [pass_price.expected_s(found, layer) for layer in layers]
    assert upto == sorted(upto)
    assert upto[0] < pass_price.expected_s(found) / 10
    assert upto[-1] < pass_price.expected_s(found)
    whole = pass_price.expected_s(found, list(found.shapes)[-1])
    assert whole == pytest.approx(pass_price.expected_s(found))
