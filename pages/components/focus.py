"""Keyboard focus: what is pressed and then disabled or gone hands it on, or it would be lost."""

import time

import streamlit as st

from pages.components import state

KEY = "focus"
# A button that is just being enabled takes the focus a moment later.
# A script that is the same as before would not be run again: the number makes it another.
SCRIPT = """<script data-number="%(number)d">
(async () => {
    const home = '.st-key-%(heir)s';
    const heir = () => document.querySelector(home + ' :is(button, input):not(:disabled)');
    for (let tries = 0; tries < 40 && !heir(); tries++) {
        await new Promise(done => setTimeout(done, 50));
    }
    // Whoever has moved on in the meantime stays there; what is about to go is no other place.
    const active = document.activeElement;
    const moved = active && active !== document.body && !active.disabled && !active.closest(home);
    if (!moved) heir()?.focus();
})();
</script>"""


def hand_to(heir: str) -> None:
    """Let the first button or field under this key have the focus once the page is drawn again."""
    state.put(KEY, heir)


def settle() -> None:
    """Where an heir was named, give it the focus; call it after the heirs are drawn."""
    heir = state.get(KEY)
    if heir:
        state.put(KEY, None)
        st.html(
            SCRIPT % {"heir": heir, "number": time.monotonic_ns()}, unsafe_allow_javascript=True
        )
