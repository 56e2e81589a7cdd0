"""The choice of what a page's network is held against."""

import streamlit as st

from cnnlab.catalog import NETWORKS, NetworkSpec, Section
from cnnlab.configuration import Configuration, from_line, network_settings, to_line
from cnnlab.words import words
from pages.components import configuration, presets, state

NOTHING = ""


def picker(section: Section, spec: NetworkSpec) -> Configuration | None:
    """A choice of networks, and a button that keeps the one on the page to be compared with."""
    chosen = configuration.compared(section, spec)
    now = NOTHING if chosen is None else to_line(chosen)
    found = choices(section, spec)
    if now not in found:
        # A link brought it: it stays a choice, as if it had been pinned here.
        state.put(configuration.key(section, spec, "pinned"), now)
        found = choices(section, spec)
    key = configuration.key(section, spec, "compare_with")
    if state.get(key) != now:
        state.put(key, now)
    choice, button = st.columns([2, 1], vertical_alignment="bottom")
    choice.selectbox(
        "Compare with",
        list(found),
        format_func=lambda line: found.get(line, line),
        key=key,
        on_change=take,
        args=(section, spec),
        help="A second network beside this one: every change of a knob shows at once what it does "
        "to shapes, parameters, compute and memory.",
    )
    button.button(
        "Compare with this",
        icon=":material/keep:",
        width="stretch",
        key=configuration.key(section, spec, "pin"),
        on_click=pin,
        args=(section, spec),
        help="Keep the network as it is now. Then move a knob, and see what it changes.",
    )
    return chosen


def choices(section: Section, spec: NetworkSpec) -> dict[str, str]:
    """What can be compared with, and how a reader says it: what was pinned, presets, networks."""
    found = {NOTHING: "Nothing"}
    pinned = state.get(configuration.key(section, spec, "pinned"))
    lines = {to_line(Configuration(spec.name, name)): words(name) for name in spec.presets}
    if isinstance(pinned, str) and pinned and pinned not in lines:
        found[pinned] = f"Pinned: {called(from_line(pinned), spec)}"
    found |= lines
    for name in dict.fromkeys((*section.networks, *section.beside)):
        if name != spec.name:
            found[to_line(configuration.start(section, NETWORKS[name]))] = NETWORKS[name].title
    return found


def called(chosen: Configuration, spec: NetworkSpec) -> str:
    """A configuration in words; the network too, where it is not the page's."""
    named = [] if chosen.network == spec.name else [chosen.spec.title]
    decides = network_settings(chosen.spec)
    changed = {name: value for name, value in chosen.changed.items() if name in decides}
    return ", ".join([*named, words(chosen.preset), *presets.phrases(chosen.spec, changed)])


def take(section: Section, spec: NetworkSpec) -> None:
    """Compare with what was chosen."""
    line = str(state.get(configuration.key(section, spec, "compare_with")))
    configuration.compare(section, spec, from_line(line) if line else None)


def pin(section: Section, spec: NetworkSpec) -> None:
    """Keep the network as it is now, and compare with it."""
    now = configuration.current(section, spec)
    state.put(configuration.key(section, spec, "pinned"), to_line(now))
    configuration.compare(section, spec, now)
