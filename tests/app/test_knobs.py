"""Every knob of every network at its bounds: a figure, or a sentence that helps."""

from typing import Any, get_args, get_origin

import pytest

from cnnlab.catalog import NETWORKS, SECTIONS
from cnnlab.training.optimizers import OPTIMIZERS
from cnnlab.validated import counted, offered
from pages.components import knobs
from tests.app.conftest import Open, figures

PAGES = {network: slug for slug, s in reversed(SECTIONS.items()) for network in s.networks}


def bounds(network: str, name: str) -> list[object]:
    """The values at the ends of a knob, or all of them where they are few."""
    field = NETWORKS[network].options.model_fields[name]
    if counted(field):
        return list(offered(field))
    if field.annotation is bool:
        return [False, True]
    if get_origin(field.annotation):
        return list(get_args(field.annotation))
    low, high, _step = knobs.bounds(field)
    return [low, high]


@pytest.mark.parametrize("network", NETWORKS)
def test_every_knob_at_its_bounds(open_page: Open, network: str) -> None:
    app = open_page(PAGES[network], "Architecture", network=network)
    for name in NETWORKS[network].options.model_fields:
        key = f"{PAGES[network]}.{network}.{name}"
        widget: Any = app.get_by_key(key)
        first = widget.value
        for value in bounds(network, name):
            if value == first:
                continue
            widget.set_value(value).run()
            assert not app.exception, (name, value)
            help_given = [box for box in app.error if "smallest size" in box.value]
            assert figures(app) or help_given, (name, value)
            widget = app.get_by_key(key)
        # Goes out together with the first value of the next knob.
        widget.set_value(first)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_preset_on_its_page(open_page: Open, network: str) -> None:
    app = open_page(PAGES[network], "Architecture", network=network)
    for preset in NETWORKS[network].presets:
        app.selectbox(key=f"{PAGES[network]}.{network}.preset").set_value(preset).run()
        assert not [*app.exception, *app.error], preset
        assert figures(app), preset


def test_a_further_optimizer_is_offered(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of a widget is that of the registry, not a copy."""

    monkeypatch.setitem(OPTIMIZERS, "rmsprop", OPTIMIZERS["sgd"])
    app = open_page("vgg", "Train")
    assert not app.exception
    assert app.selectbox(key="vgg.vgg.optimizer").options[-1] == "Rmsprop"
