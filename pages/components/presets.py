"""The choice of a preset, and what has been changed in it since."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from cnnlab import configuration as settings
from cnnlab.catalog import NetworkSpec, Section
from cnnlab.configuration import SMALL, Configuration, Value
from cnnlab.runs.phrases import setting_phrase
from cnnlab.words import inside, words
from pages.components import configuration, state

STAND_IN = "Quick stand-in"


def picker(section: Section, spec: NetworkSpec, *, trains: bool = False) -> None:
    """A choice of named sets of settings; choosing one sets every one of them.

    `trains` where a run is described, which can take the quick stand-in.
    """
    chosen = configuration.current(section, spec)
    shown = chosen.trained if trains else chosen
    now = title(chosen, shown)
    # What is no longer a preset as it stands is a choice of its own, so that the preset can be
    # chosen again.
    options = [*spec.presets] if now in spec.presets else [now, *spec.presets]
    key = configuration.key(section, spec, "preset")
    if state.get(key) != now:
        state.put(key, now)
    st.selectbox(
        "Preset",
        options,
        format_func=lambda name: words(name) if name in spec.presets else name,
        key=key,
        on_change=take,
        args=(section, spec, trains),
        help="A named set of knobs. Choosing one sets every knob below, and how a run is done.",
    )
    if shown.changed:
        changes(section, spec, shown)


def title(chosen: Configuration, shown: Configuration) -> str:
    """The preset, if that is what is shown; else what it is instead."""
    stands_in = shown.preset != chosen.preset
    if not shown.changed and not stands_in:
        return shown.preset
    return (STAND_IN if stands_in else words(shown.preset)) + (", changed" if shown.changed else "")


def changes(section: Section, spec: NetworkSpec, shown: Configuration) -> None:
    """What was changed, and the way back."""
    st.caption(f"Changed: {', '.join(phrases(spec, shown.changed))}.")
    before = configuration.current(section, spec)
    if as_chosen(section, before) == before:
        return
    st.button(
        "Reset",
        icon=":material/undo:",
        key=configuration.key(section, spec, "reset"),
        on_click=reset,
        args=(section, spec),
        help="Take back every change of the knobs.",
    )


def phrases(spec: NetworkSpec, found: Mapping[str, Value]) -> list[str]:
    """Settings in few words each: "no batch norm", "learning rate 0.1"."""
    return [
        setting_phrase(name, value, inside(settings.setting(spec, name).title or words(name)))
        for name, value in found.items()
    ]


def take(section: Section, spec: NetworkSpec, trains: bool) -> None:
    """Make the chosen preset the page's, with nothing changed in it.

    Whoever chooses it where a run is described wants it trained, and no stand-in.
    """
    preset = str(state.get(configuration.key(section, spec, "preset")))
    if preset not in spec.presets:
        return
    before = configuration.current(section, spec)
    exact = preset != SMALL and (trains or before.exact)
    configuration.keep(section, Configuration(spec.name, preset, before.own, exact))
    configuration.answer(section, spec, [])


def reset(section: Section, spec: NetworkSpec) -> None:
    """Take back all changes of the preset."""
    configuration.keep(section, as_chosen(section, configuration.current(section, spec)))
    configuration.answer(section, spec, [])


def as_chosen(section: Section, before: Configuration) -> Configuration:
    """The preset with nothing changed in it but what the page itself changes."""
    begun = configuration.start(section, before.spec)
    changes = begun.changes if before.preset == begun.preset else {}
    return replace(before, changes={**changes, **before.own})
