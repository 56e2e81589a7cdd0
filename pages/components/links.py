"""The address of a page's configuration: a link restores all that was chosen."""

from collections.abc import Mapping, Sequence

import streamlit as st

from cnnlab.catalog import NETWORKS, SECTIONS, NetworkSpec, Section
from cnnlab.configuration import (
    Configuration,
    Value,
    checked_length,
    from_line,
    from_text,
    names,
    to_line,
    to_text,
)
from cnnlab.errors import CnnLabError
from cnnlab.runs.store import RunRecord
from pages.components import configuration, state
from pages.components.markdown import escaped

# What an address can say of a configuration, of any network: what does not fit is answered.
PARTS = {"preset", "exact"}.union(*(names(spec) for spec in NETWORKS.values()))
# What it is held against.
COMPARED = "compare"
WRITTEN = PARTS | {COMPARED}
# Addresses that the session wrote itself: more are not on their way at once.
REMEMBERED = 20
# So many parts that cannot be used are explained; of more the page says how many.
SAID = 5
# Which experiment is open.
EXPERIMENT = "experiment_choice"
# Which weights the Feature maps view shows, and what it calls fresh ones.
WEIGHTS, FRESH = "weights", "fresh"
FRESH_TITLE = "Fresh, drawn from a seed"
MAPS = "Feature maps"
UNUSABLE = "A part of the link cannot be used and was left out."


def link(slug: str, view: str, chosen: Configuration) -> dict[str, str]:
    """The query of the address at which a page opens with this configuration."""
    section = SECTIONS[slug]
    several = {"network": chosen.spec.title} if len(section.networks) > 1 else {}
    # What is described is a network; trained weights would bring their own.
    fresh = {WEIGHTS: FRESH_TITLE} if view == MAPS else {}
    return {"view": view} | several | fresh | to_query(section, chosen)


def apply(slug: str, view: str, chosen: Configuration) -> None:
    """Let the open page show this configuration in a view; for the callback of a button.

    A link to the page on which it stands would not do: the address that a reader has changed since
    is older than the changes.
    """
    section = SECTIONS[slug]
    state.put("view", view)
    if view == MAPS:
        state.put(WEIGHTS, FRESH)  # as in a link
    if len(section.networks) > 1:
        state.put("network", chosen.network)
    configuration.keep(section, chosen)


def open_experiment(name: str) -> None:
    """Let the open page show the card of an experiment; for the callback of a button."""
    state.put(EXPERIMENT, name)
    state.put("view", "Experiments")


def look_inside(run: RunRecord) -> None:
    """Let the open page show the feature maps with a run's weights; for the callback of a button.

    The layer stays the one last seen.
    """
    if len(page_of(run).networks) > 1:
        state.put("network", run.network)
    state.put(WEIGHTS, run.id)
    state.put("view", MAPS)


def note(key: str, text: str) -> None:
    """Let the address say what a widget of a view that is not open yet will show.

    Streamlit does so only for one that was drawn before; a reload would forget it.
    """
    st.query_params[key] = text


def page_of(run: RunRecord) -> Section:
    """The page on which a run can be looked into: its own, or the first that has its network."""
    sections = (
        [SECTIONS[run.page], *SECTIONS.values()] if run.page in SECTIONS else SECTIONS.values()
    )
    return next(section for section in sections if run.network in section.networks)


def look_at(layer: str) -> None:
    """Let the open page show the maps of a layer; for a callback."""
    state.put("layer", layer)
    note("layer", layer)
    state.put("view", MAPS)


def sync(section: Section, spec: NetworkSpec) -> None:
    """Take over what the address asks for, then let the address say what is chosen."""
    asked = {name: text for name, text in st.query_params.to_dict().items() if name in WRITTEN}
    written = state.listed(f"{section.slug}.addresses")
    if comes_from_outside(asked, written):
        against, unusable = compared(asked.get(COMPARED, ""))
        wanted = {name: text for name, text in asked.items() if name != COMPARED}
        chosen, problems = from_query(section, spec, wanted)
        configuration.keep(section, chosen)
        configuration.compare(section, spec, against)
        configuration.answer(section, spec, problems + unusable)
    say(state.listed(configuration.key(section, spec, "problems")))
    now = to_query(section, configuration.current(section, spec))
    if against := configuration.compared(section, spec):
        now[COMPARED] = to_line(against)
    state.put(f"{section.slug}.addresses", [*written, asked, now][-REMEMBERED:])
    if now != asked:
        # No value takes a part out; all in one message is one entry in the browser's history.
        parts: dict[str, str | list[str]] = {name: [] for name in asked}
        parts.update(now)
        st.query_params.update(parts)


def say(problems: Sequence[str]) -> None:
    """What could not be had, as text: a stranger may have written the link."""
    for problem in problems[:SAID]:
        st.warning(escaped(problem), icon=":material/link_off:")
    if more := problems[SAID:]:
        st.warning(
            f"Parts of the link that were left out as well: {len(more)}.",
            icon=":material/link_off:",
        )


def comes_from_outside(asked: Mapping[str, str], written: Sequence[Mapping[str, str]]) -> bool:
    """Whether a reader followed a link or went back, so that the address decides.

    A change of a knob arrives with the address of a moment ago, which decides nothing.
    """
    if state.arrives():
        return bool(asked)
    return state.goes_back() or asked not in written


def to_query(section: Section, chosen: Configuration) -> dict[str, str]:
    """The parts of the address that differ from what the page opens with."""
    begun = configuration.start(section, chosen.spec)
    query: dict[str, str] = {}
    changes = dict(chosen.changes)
    if chosen.preset != begun.preset or not begun.changes.keys() <= changes.keys():
        # With a preset named, a page has no changes of its own.
        query["preset"] = chosen.preset
    else:
        changes = dict(changes.items() - begun.changes.items())
    if chosen.exact != begun.exact:
        query["exact"] = to_text(chosen.exact)
    return query | {name: to_text(value) for name, value in changes.items()}


def compared(text: str) -> tuple[Configuration | None, list[str]]:
    """What an address holds the network against, and a sentence where that cannot be."""
    if not text:
        return None, []
    try:
        return from_line(text), []
    except CnnLabError as error:
        return None, [f"{UNUSABLE} {COMPARED}: {error}"]


def from_query(
    section: Section, spec: NetworkSpec, asked: Mapping[str, str]
) -> tuple[Configuration, list[str]]:
    """What an address asks for, and a sentence for each part that cannot be had."""
    chosen = configuration.start(section, spec)
    changes: dict[str, Value] = {} if "preset" in asked else dict(chosen.changes)
    preset, exact, problems = chosen.preset, chosen.exact, []
    for name, text in asked.items():
        try:
            if name == "preset":
                spec.preset(checked_length(name, text))
                preset = text
            elif name == "exact":
                exact = {"true": True, "false": False}[text]
            else:
                changes[name] = from_text(spec, name, text)
        except KeyError:
            problems.append(f"{UNUSABLE} {name}: {text[:40]!r} was given; it can be true or false.")
        except CnnLabError as error:
            problems.append(f"{UNUSABLE} {error}")
    return Configuration(spec.name, preset, changes, exact), problems
