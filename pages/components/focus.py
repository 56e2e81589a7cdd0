"""Keyboard focus: what is pressed and then disabled or gone hands it on, or it would be lost."""

import streamlit as st

from pages.components import state

KEY = "focus"
# A button that is just being enabled takes the focus a moment later.
SCRIPT = """<script>
(async () => {
    const heir = () => document.querySelector('.st-key-%s :is(button, input):not(:disabled)');
    for (let tries = 0; tries < 40 && !heir(); tries++) {
        await new Promise(done => setTimeout(done, 50));
    }
    // Whoever has moved on in the meantime stays there.
    const active = document.activeElement;
    if (!active || active === document.body || active.disabled) heir()?.focus();
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
        st.html(SCRIPT % heir, unsafe_allow_javascript=True)
