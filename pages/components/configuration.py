"""The one configuration of a page and network: every view shows and changes the same."""

from cnnlab.catalog import NETWORKS, NetworkSpec, Section
from cnnlab.configuration import Configuration, Value, from_line, to_line
from pages.components import state


def start(section: Section, spec: NetworkSpec) -> Configuration:
    """What the page opens with."""
    return Configuration(
        network=spec.name,
        preset=section.preset if section.preset in spec.presets else "d2l",
        changes={k: v for k, v in section.changes.items() if k in spec.options.model_fields},
        exact=False,
    )


def current(section: Section, spec: NetworkSpec) -> Configuration:
    """What the reader has chosen, or what the page opens with."""
    found = state.get(key(section, spec, "configuration"))
    return found if isinstance(found, Configuration) else start(section, spec)


def keep(section: Section, chosen: Configuration) -> None:
    """Make this the page's configuration."""
    state.put(key(section, NETWORKS[chosen.network], "configuration"), chosen)


def change(section: Section, spec: NetworkSpec, name: str, value: Value) -> None:
    """Change one setting."""
    keep(section, current(section, spec).with_changes(**{name: value}))


def answer(section: Section, spec: NetworkSpec, problems: list[str]) -> None:
    """Keep what is to be said about the last change, or the link."""
    state.put(key(section, spec, "problems"), problems)


def compared(section: Section, spec: NetworkSpec) -> Configuration | None:
    """What the page's network is held against, if anything."""
    found = state.get(key(section, spec, "compared"))
    return from_line(found) if isinstance(found, str) and found else None


def compare(section: Section, spec: NetworkSpec, other: Configuration | None) -> None:
    """Hold the page's network against another, or nothing."""
    state.put(key(section, spec, "compared"), "" if other is None else to_line(other))


def key(section: Section, spec: NetworkSpec, name: str) -> str:
    """Where the session keeps something about a page's network; the key of its widget."""
    return f"{section.slug}.{spec.name}.{name}"
