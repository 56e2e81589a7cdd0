"""The catalog: what exists, and what its knobs accept."""

import re
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.validated import counted
from tests.unit.knobs import (
    FIELDS,
    bad_values,
    bounds,
    choices,
    field_of,
    random_options,
)

NETWORKS = list(catalog.NETWORKS)


def test_the_networks_and_presets_of_the_chapter() -> None:
    assert {name: set(spec.presets) for name, spec in catalog.NETWORKS.items()} == {
        "lenet": {"d2l", "d2l_bn", "small"},
        "alexnet": {"d2l", "torchvision", "small"},
        "vgg": {"d2l", "d2l_full", "vgg11", "vgg13", "vgg16", "vgg19", "small"},
        "nin": {"d2l", "small"},
        "googlenet": {"d2l", "torchvision", "small"},
        "resnet": {"d2l", "resnet18", "resnet34", "resnet50", "small"},
        "densenet": {"d2l", "densenet121", "small"},
    }


def test_the_seven_sections_in_order() -> None:
    assert [(s.slug, s.number) for s in catalog.SECTIONS.values()] == [
        ("alexnet", "9.1"),
        ("vgg", "9.2"),
        ("nin", "9.3"),
        ("googlenet", "9.4"),
        ("batch_norm", "9.5"),
        ("resnet", "9.6"),
        ("densenet", "9.7"),
    ]
    assert all(slug == section.slug for slug, section in catalog.SECTIONS.items())


@pytest.mark.parametrize("slug", catalog.SECTIONS)
def test_a_section_names_networks_and_knobs_that_exist(slug: str) -> None:
    section = catalog.SECTIONS[slug]
    assert section.networks
    assert section.main_knobs
    knobs = catalog.network(section.networks[0]).options.model_fields
    assert set(section.main_knobs) <= set(knobs)
    assert section.heading == f"{section.number} {section.title}"
    for name in section.networks:
        assert catalog.network(name).name == name


@pytest.mark.parametrize("name", NETWORKS)
def test_the_source_file_is_the_one_that_defines_the_network(name: str) -> None:
    spec = catalog.NETWORKS[name]
    assert f"class {spec.network.__name__}(" in spec.source_file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NETWORKS)
def test_recipes_fit_their_networks(name: str) -> None:
    spec = catalog.NETWORKS[name]
    for recipe, preset in ((spec.book, "d2l"), (spec.quick, "small")):
        spec.check_image_size(spec.presets[preset], recipe.image_size)
    assert spec.default_image_size(spec.presets["d2l"]) == spec.book.image_size


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_every_knob_has_a_description_and_bounds(name: str, field: str) -> None:
    info = field_of(name, field)
    assert info.description
    assert info.description.endswith(".")
    if counted(info):
        assert catalog.NETWORKS[name].presets["d2l"].replace(**{field: info.default})
    elif choices(info) is None:
        low, high = bounds(info)
        assert low <= info.default <= high


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_bad_knob_is_named_with_what_is_allowed(name: str, field: str) -> None:
    """However it gets in: as an argument, in a JSON text, or past the checks of pydantic."""
    spec = catalog.NETWORKS[name]
    info = field_of(name, field)
    options = spec.presets["d2l"]
    for value in bad_values(info):
        sneaked = options.model_copy(update={field: value})
        for enter in (
            lambda value=value: options.replace(**{field: value}),
            lambda sneaked=sneaked: spec.build(sneaked, device="meta"),
            lambda sneaked=sneaked: spec.smallest_image_size(sneaked),
            lambda sneaked=sneaked: spec.check_image_size(sneaked, 64),
        ):
            with pytest.raises(ConfigError, match=f"^{field}: .*given; .*should be") as caught:
                enter()
            assert repr(value) in str(caught.value)
    if allowed := counted(info):
        with pytest.raises(ConfigError) as caught:
            options.replace(**{field: "neither"})
        limits = f"1 to {allowed.longest} numbers from 1 to {allowed.most}"
        assert limits in str(caught.value)
        assert f"together {allowed.total} at most" in str(caught.value)
    elif choices(info) is None:
        low, high = bounds(info)
        for beyond, limit in ((low - 1, low), (high + 1, high)):
            with pytest.raises(ConfigError, match=rf"equal to {re.escape(f'{limit:g}')}\b"):
                options.replace(**{field: beyond})
    elif info.annotation is not bool:
        with pytest.raises(ConfigError) as caught:
            options.replace(**{field: "neither"})
        assert all(str(member) in str(caught.value) for member in choices(info) or [])


@pytest.mark.parametrize("bad", ["{", "[1]", '"text"', "", b"\xff", "null"])
def test_text_that_is_not_a_set_of_knobs(bad: Any) -> None:
    with pytest.raises(ConfigError, match=r"^configuration: .* was given; "):
        catalog.NETWORKS["vgg"].options.from_json(bad)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("knob", ["no_such_knob", "self", "options"])
def test_an_unknown_knob_is_named(name: str, knob: str) -> None:
    spec = catalog.NETWORKS[name]
    options = spec.presets["d2l"]
    for enter in (
        lambda: spec.options(**{knob: 1}),
        lambda: spec.options.from_json(f'{{"{knob}": 1}}'),
        lambda: options.replace(**{knob: 1}),
        lambda: spec.build(options.model_copy(update={knob: 1}), device="meta"),
    ):
        with pytest.raises(ConfigError, match=f"^{knob}: there is no such field"):
            enter()


def test_knobs_of_another_network_are_refused() -> None:
    with pytest.raises(ConfigError, match="growth_rate: there is no such field"):
        catalog.NETWORKS["lenet"].build(catalog.NETWORKS["densenet"].presets["d2l"])


def test_every_complaint_is_told_at_once() -> None:
    with pytest.raises(
        ConfigError, match=r"depth: 12 .* 8, 11, 13, 16, 18 or 19\. hidden: 1 .* 16\."
    ):
        catalog.build("vgg", hidden=1, depth=12)


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=f"'inception'; there are {', '.join(NETWORKS)}"):
        catalog.build("inception")
    with pytest.raises(ConfigError, match="ResNet has no preset 'resnet152'; it has d2l, resnet18"):
        catalog.build("resnet", "resnet152")


def test_build_changes_the_knobs_of_a_preset() -> None:
    model = catalog.build("resnet", "small", in_channels=3, num_classes=7)
    assert model.options == catalog.NETWORKS["resnet"].presets["small"].replace(
        in_channels=3, num_classes=7
    )
    assert model.eval()(torch.rand(2, 3, 20, 20)).shape == (2, 7)


@pytest.mark.parametrize("name", NETWORKS)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_knobs_survive_json_and_are_frozen_and_hashable(name: str, data: Any) -> None:
    spec = catalog.NETWORKS[name]
    options = data.draw(random_options(name))
    again = spec.options.from_json(options.model_dump_json())
    assert again == options
    assert type(again) is spec.options
    assert hash(again) == hash(options)
    assert spec.options(**options.model_dump()) == options
    with pytest.raises(ValueError, match="frozen"):
        options.in_channels = 2
