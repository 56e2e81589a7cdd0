"""What the network says the picture is: a bar per class, and softmax written out."""

from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from cnnlab.scores import Scores, softmax
from pages.components.colour_bar import number
from pages.components.maps_cache import Pass, seen_of

# ImageNet has a thousand classes: the first five are shown.
MOST_BARS = 10
BARS_OF_MANY = 5


def show(asked: Pass) -> None:
    """Bars, and the way from logits to them; a sentence where there are no scores.

    Raises: CnnLabError as the pass does.
    """
    logits = seen_of(asked).logits
    if logits is None:
        if not asked.weights.has_head:
            st.caption(
                "No class scores: the fully-connected layers of this network hold most of its "
                "weights, and are left out here."
            )
        return
    found = softmax(logits)
    if found is None:
        st.warning("The scores are not numbers: these weights have run away in training.")
        return
    names = names_of(asked, found)
    st.markdown(sentence(asked, found, names))
    st.html(bars(found, names))


def in_a_line(asked: Pass) -> str:
    """What a network says, to stand beside its name; nothing where it says nothing."""
    logits = seen_of(asked).logits
    found = None if logits is None else softmax(logits)
    return "" if found is None else sentence(asked, found, names_of(asked, found))


def explain(asked: Pass) -> None:
    """Softmax written out, folded, where there are scores. Raises: CnnLabError as the pass does."""
    logits = seen_of(asked).logits
    if logits is not None and (found := softmax(logits)):
        with st.expander("The class scores: softmax, written out", icon=":material/functions:"):
            written_out(found, names_of(asked, found))


def names_of(asked: Pass, found: Scores) -> Sequence[str]:
    """What the classes are called; they have numbers where nothing was learned."""
    return asked.weights.classes or [f"class {i}" for i in range(len(found.logits))]


def sentence(asked: Pass, found: Scores, names: Sequence[str]) -> str:
    """What the network says, in a line."""
    share = f"{found.shares[found.best]:.1%}"
    if asked.weights.path:
        return f"It says **{names[found.best]}**, {share}"
    return f"It guesses, {share} at most: nothing was learned yet"


def bars(found: Scores, names: Sequence[str]) -> str:
    """A bar for every class, always in the same order, so that an edit is seen to move them."""
    chosen = range(len(names))
    if len(names) > MOST_BARS:
        chosen = sorted(chosen, key=lambda i: -found.shares[i])[:BARS_OF_MANY]  # type: ignore[assignment]
    rows = "".join(bar(names[i], found.shares[i], i == found.best) for i in chosen)
    words = ", ".join(f"{names[i]} {found.shares[i]:.1%}" for i in chosen)
    return (
        f'<div role="img" aria-label="Class scores: {escape(words)}" style="font-size:0.875rem;'
        f'display:grid;grid-template-columns:max-content 1fr 3rem;gap:2px 8px">{rows}</div>'
    )


def bar(name: str, share: float, best: bool) -> str:
    """The name, the bar and the share of a class, as three cells."""
    weight = "600" if best else "400"
    colour = "var(--st-primary-color, #1f60c4)" if best else "#8a8f98"
    return (
        f'<span style="font-weight:{weight}">{escape(name)}</span>'
        '<span style="align-self:center;background:rgba(138,143,152,0.18);border-radius:3px">'
        f'<span style="display:block;height:0.6rem;width:{share:.2%};border-radius:3px;'
        f'background:{colour}"></span></span>'
        f'<span style="text-align:right;font-variant-numeric:tabular-nums;font-weight:{weight}">'
        f"{share:.1%}</span>"
    )


def written_out(found: Scores, names: Sequence[str]) -> None:
    """Every step from the logits to the shares, with its numbers."""
    best, largest = found.best, found.logits[found.best]
    st.markdown(
        r"$$\text{share}_k = \frac{e^{z_k - \max z}}{\sum_j e^{z_j - \max z}}$$"
        "\n\nThe network ends with one number per class, its logit $z$. The largest is taken off "
        "all of them: no exponential gets too large then, and no share changes."
    )
    st.markdown(
        f"For **{names[best]}**: e^({number(largest)} − {number(largest)}) / "
        f"{found.total:.4f} = 1 / {found.total:.4f} = **{found.shares[best]:.4f}**"
    )
    value = st.column_config.NumberColumn(format="%.3f")
    small = st.column_config.NumberColumn(format="%.3g")
    st.dataframe(
        pd.DataFrame(
            {
                "Class": names,
                "z": found.logits,
                "z − max": found.below,
                "e^(z − max)": found.exponentials,
                "Share": found.shares,
            }
        ),
        hide_index=True,
        column_config={
            "z": value,
            "z − max": value,
            "e^(z − max)": small,
            "Share": st.column_config.NumberColumn(format="%.4f"),
        },
        alt="Logit, exponential and share of every class.",
    )
