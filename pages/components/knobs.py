"""Widgets of a page's configuration, made from the fields of pydantic models.

Nobody writes a knob twice.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from cnnlab import configuration as settings
from cnnlab.catalog import NetworkSpec, Section
from cnnlab.configuration import Configuration, Value, to_text
from cnnlab.errors import CnnLabError
from cnnlab.validated import offered
from cnnlab.words import words
from pages.components import configuration, count_lists, state

# More steps than this are typed rather than slid.
LONGEST_SLIDER = 256


def widgets(section: Section, shown: Configuration, names: Iterable[str]) -> None:
    """The widgets of some settings, as a configuration has them; a change is the page's."""
    for name in names:
        widget(section, shown, name)


def widget(section: Section, shown: Configuration, name: str) -> None:
    """The widget of one setting, with the bounds and the help of its field."""
    spec, value = shown.spec, shown.values[name]
    field = settings.setting(spec, name)
    key = configuration.key(section, spec, name)
    found = offered(field)
    # What is offered can be typed too, so its widget holds text.
    held = number(value) if found else value
    if state.get(key) != held:
        state.put(key, held)
    drawn: dict[str, Any] = {
        "label": field.title or words(name),
        "key": key,
        "help": field.description,
        "on_change": take,
        "args": (section, spec, name),
    }
    if field.annotation is bool:
        st.toggle(**drawn)
    elif listed := settings.choices_of(spec, name):
        st.selectbox(options=list(listed), format_func=listed.__getitem__, **drawn)
    elif found:
        options = [number(one) for one in found]
        options = options if held in options else [str(held), *options]
        named = partial(count_lists.named, spec, name)
        st.selectbox(options=options, format_func=named, accept_new_options=True, **drawn)
        count_lists.editor(section, shown, name)
    else:
        number_widget(field, drawn)


def number_widget(field: FieldInfo, drawn: dict[str, Any]) -> None:
    """A slider, or a field to type in where a slider would have too many steps."""
    low, high, step = bounds(field)
    kind: Callable[..., Any] = st.slider
    if (high - low) / step > LONGEST_SLIDER:
        kind = st.number_input
    kind(min_value=low, max_value=high, step=step, **drawn)


def take(section: Section, spec: NetworkSpec, name: str) -> None:
    """Make what a widget holds the page's; what was typed and cannot be is answered."""
    value: Any = state.get(configuration.key(section, spec, name))
    problems = []
    try:
        if isinstance(value, str):
            value = settings.from_text(spec, name, value)
        configuration.change(section, spec, name, value)
    except CnnLabError as error:
        problems = [str(error)]
    configuration.answer(section, spec, problems)


def number(value: Value) -> str:
    """A number as it is read and typed."""
    return f"{value:g}" if isinstance(value, int | float) else to_text(value)


def bounds(field: FieldInfo) -> tuple[Any, Any, Any]:
    """Smallest and largest value of a number field, and its step."""
    found: dict[str, Any] = {}
    for part in field.metadata:
        for name in ("ge", "le", "multiple_of"):
            if hasattr(part, name):
                found[name] = getattr(part, name)
    kind = float if field.annotation is float else int
    step = found.get("multiple_of", 1)
    return kind(found["ge"]), kind(found["le"]), kind(step)


def network_knobs(
    section: Section, shown: Configuration, main: Iterable[str], hidden: Iterable[str] = ()
) -> None:
    """All knobs of a network: the main ones first, the rest under "More"."""
    names = [name for name in shown.spec.options.model_fields if name not in hidden]
    first = [name for name in dict.fromkeys(main) if name in names]
    widgets(section, shown, first)
    with st.expander("More knobs", icon=":material/tune:"):
        widgets(section, shown, (name for name in names if name not in first))
