"""Widgets made from the fields of a pydantic model: nobody writes a knob twice."""

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cnnlab.catalog import NetworkSpec
from cnnlab.network_spec import LARGEST_IMAGE, SMALLEST_IMAGE
from cnnlab.networks.options import Options
from cnnlab.validated import choices
from cnnlab.words import title, words
from pages.components import state

# More steps than this are typed rather than slid.
LONGEST_SLIDER = 256


def widget(model: type[BaseModel], name: str, default: Any, key: str) -> Any:
    """The widget for one field, with the bounds and the help of the field."""
    field = model.model_fields[name]
    label, note = title(model, name), field.description
    saved: dict[str, Any] = {"key": key, "help": note, "bind": "query-params"}
    if field.annotation is bool:
        return st.toggle(label, default, **saved)
    if found := choices(field):
        return st.selectbox(label, found, found.index(default), format_func=words, **saved)
    low, high, step = bounds(field)
    number = float if field.annotation is float else int
    if (high - low) / step > LONGEST_SLIDER:
        return st.number_input(label, low, high, number(default), step, **saved)
    return st.slider(label, low, high, number(default), step, **saved)


def bounds(field: FieldInfo) -> tuple[Any, Any, Any]:
    """Smallest and largest value of a number field, and its step."""
    found: dict[str, Any] = {}
    for part in field.metadata:
        for name in ("ge", "le", "multiple_of"):
            if hasattr(part, name):
                found[name] = getattr(part, name)
    number = float if field.annotation is float else int
    step = found.get("multiple_of", 1)
    return number(found["ge"]), number(found["le"]), number(step)


def preset_picker(
    spec: NetworkSpec,
    prefix: str,
    default: str,
    also: Callable[[str], None] = lambda _preset: None,
) -> str:
    """A choice of named sets of knobs; choosing one sets every knob, and what `also` sets."""
    key = f"{prefix}.{spec.name}.preset"

    def apply() -> None:
        use_preset(spec, prefix, str(state.get(key, default)))
        also(str(state.get(key, default)))

    return str(
        st.selectbox(
            "Preset",
            list(spec.presets),
            list(spec.presets).index(default),
            format_func=words,
            key=key,
            on_change=apply,
            bind="query-params",
            help="A named set of knobs. Choosing one sets every knob below.",
        )
    )


def use_preset(spec: NetworkSpec, prefix: str, preset: str) -> None:
    """Set every knob of the network from a callback."""
    state.put(f"{prefix}.{spec.name}.preset", preset)
    for name, value in spec.presets[preset]:
        state.put(f"{prefix}.{spec.name}.{name}", value)
    state.put(f"{prefix}.{spec.name}.image_size", spec.preset_image_size(preset))


def network_knobs(
    spec: NetworkSpec,
    prefix: str,
    defaults: Options,
    main: Collection[str],
    hidden: Collection[str] = (),
) -> dict[str, Any]:
    """All knobs of a network: those that the page is about first, the rest under "More"."""
    names = [name for name in spec.options.model_fields if name not in hidden]
    first = [name for name in main if name in names]
    chosen = {name: _knob(spec, prefix, name, defaults) for name in first}
    with st.expander("More knobs", icon=":material/tune:"):
        for name in names:
            if name not in first:
                chosen[name] = _knob(spec, prefix, name, defaults)
    return chosen


def _knob(spec: NetworkSpec, prefix: str, name: str, defaults: Options) -> Any:
    return widget(spec.options, name, getattr(defaults, name), f"{prefix}.{spec.name}.{name}")


def image_size_knob(spec: NetworkSpec, prefix: str, preset: str) -> int:
    """The side of the picture that enters the network."""
    return int(
        st.slider(
            "Input size",
            SMALLEST_IMAGE,
            LARGEST_IMAGE,
            spec.preset_image_size(preset),
            key=f"{prefix}.{spec.name}.image_size",
            bind="query-params",
            help="Pixels per side of the square picture that enters the network.",
        )
    )
