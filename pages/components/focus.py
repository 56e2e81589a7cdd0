"""Keyboard focus: a button that is pressed and then disabled hands it on, or it would be lost."""

import streamlit as st

from pages.components import state

KEY = "focus"
# A button that is just being enabled takes the focus a moment later.
SCRIPT = """<script>
(async () => {
    const heir = () => document.querySelector('.st-key-%s button:not(:disabled)');
    for (let tries = 0; tries < 40 && !heir(); tries++) {
        await new Promise(done => setTimeout(done, 50));
    }
    // Whoever has moved on in the meantime stays there.
    const active = document.activeElement;
    if (!active || active === document.body || active.disabled) heir()?.focus();
})();
</script>"""


def hand_to(button: str) -> None:
    """Let the button of this key have the focus once the page is drawn again."""
    state.put(KEY, button)


def settle() -> None:
    """Where a button was named, give it the focus; call it after the buttons are drawn."""
    button = state.get(KEY)
    if button:
        state.put(KEY, None)
        st.html(SCRIPT % button, unsafe_allow_javascript=True)
