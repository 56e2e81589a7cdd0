"""The editor of a list of counts: a number for each block, more blocks and fewer."""

from collections.abc import Sequence

import streamlit as st

from cnnlab import configuration as settings
from cnnlab.catalog import NetworkSpec, Section
from cnnlab.configuration import Configuration
from cnnlab.errors import CnnLabError
from cnnlab.validated import counted
from cnnlab.words import inside, words
from pages.components import configuration, state

# Two stand side by side in the column of knobs, with room for the signs that count up and down.
FIELD_PX = 128


def named(spec: NetworkSpec, name: str, text: str) -> str:
    """A list as a choice; what decides where it is left empty."""
    found = counted(settings.setting(spec, name))
    if text or found is None:
        return text
    return f"As the {inside(words(found.instead_of))} has them"


def editor(section: Section, shown: Configuration, name: str) -> None:
    """A field for each block, where the setting is a list of counts."""
    allowed = counted(settings.setting(shown.spec, name))
    if allowed is None:
        return
    numbers = allowed.numbers(shown.options, name)
    key = configuration.key(section, shown.spec, f"{name}.block")
    room = allowed.total - sum(numbers)
    with st.container(horizontal=True, gap="small"):
        for i, number in enumerate(numbers):
            if state.get(f"{key}{i}") != number:
                state.put(f"{key}{i}", number)
            st.number_input(
                f"Block {i + 1}",
                min_value=1,
                max_value=min(allowed.most, number + room),
                key=f"{key}{i}",
                width=FIELD_PX,
                on_change=take,
                args=(section, shown.spec, name, numbers, i),
            )
    with st.container(horizontal=True, gap="small"):
        change = (section, shown.spec, name)
        st.button(
            "Add",
            icon=":material/add:",
            key=f"{key}.add",
            width=FIELD_PX,
            disabled=len(numbers) >= allowed.longest or room < 1,
            on_click=keep,
            args=(*change, (*numbers, min(numbers[-1], room))),
            help="One more block at the end, like the last.",
        )
        st.button(
            "Remove",
            icon=":material/remove:",
            key=f"{key}.remove",
            width=FIELD_PX,
            disabled=len(numbers) == 1,
            on_click=keep,
            args=(*change, numbers[:-1]),
            help="Take the last block away.",
        )


def take(section: Section, spec: NetworkSpec, name: str, numbers: Sequence[int], i: int) -> None:
    """Make the number of one block what its field holds."""
    key = configuration.key(section, spec, f"{name}.block{i}")
    changed = [*numbers]
    changed[i] = int(str(state.get(key)))
    keep(section, spec, name, changed)


def keep(section: Section, spec: NetworkSpec, name: str, numbers: Sequence[int]) -> None:
    """Make the list the page's; one that cannot be is answered."""
    problems = []
    try:
        value = settings.check(spec, name, "-".join(map(str, numbers)))
        configuration.change(section, spec, name, value)
    except CnnLabError as error:
        problems = [str(error)]
    configuration.answer(section, spec, problems)
