"""The bench of windows: how a kernel walks over a small picture, and what it never reads."""

import streamlit as st

from cnnlab.errors import CnnLabError
from cnnlab.explain.stride_bench import LARGEST, PRESETS, Bench, example
from pages.components import stepping

OWN = "own"
MOST_LISTED = 12
TITLES = {
    OWN: "Your own",
    "book": "AlexNet, as in the book",
    "paper": "224 pixels, as in its paper",
    "fits": "227 pixels",
}
steps = stepping.component("stride_bench")


@st.fragment
def show() -> None:
    """The knobs of a window, its walk, and the size of the output as a formula."""
    with st.container(border=True, key="stride_bench"):
        st.markdown(
            "**On the bench:** a window that walks over a picture. Step it through, and look for "
            "rows that no window reads."
        )
        chosen = st.segmented_control(
            "Setting",
            list(TITLES),
            format_func=TITLES.__getitem__,
            default=OWN,
            required=True,
            key="stride.setting",
        )
        try:
            bench = own() if chosen == OWN else PRESETS[str(chosen)]
        except CnnLabError as error:
            st.error(str(error), icon=":material/straighten:")
            return
        st.markdown(f"Side of the output: {bench.formula}")
        steps(key="stride_steps", data=message(bench))
        st.markdown(left_out(bench))


def own() -> Bench:
    """The window that the reader set. Raises: ConfigError for one that does not fit."""
    places = st.columns(5)
    return Bench(
        int(places[0].slider("Picture", 1, LARGEST, 8, key="stride.size")),
        int(places[1].slider("Kernel", 1, 7, 3, key="stride.kernel_size")),
        int(places[2].slider("Stride", 1, 5, 2, key="stride.stride")),
        int(places[3].slider("Padding", 0, 4, 0, key="stride.padding")),
        int(places[4].slider("Dilation", 1, 3, 1, key="stride.dilation")),
    )


def message(bench: Bench) -> dict[str, object]:
    """What the component draws."""
    taps = bench.window.taps(bench.size, bench.output)[0].tolist()
    sent: dict[str, object] = {
        "title": "The window on its walk",
        "words": words(bench),
        "size": bench.size,
        "padding": bench.padding,
        "taps": taps,
        "visited": bench.visited.tolist(),
        "height": bench.output,
        "width": bench.output,
    }
    if bench.size <= LARGEST:
        found = example(bench)
        sent |= {
            "picture": found.picture.tolist(),
            "kernel": found.kernel.tolist(),
            "values": found.output.tolist(),
        }
    return sent


def words(bench: Bench) -> str:
    """What is drawn of the picture, for who does not see it too."""
    text = f"Picture, {bench.size} × {bench.size}"
    if bench.padding:
        text += f", padded by {bench.padding} on every side"
    missed = int((~bench.visited).sum())
    if not missed:
        return text
    rows, columns = ("row", "column") if missed == 1 else ("rows", "columns")
    return f"{text}; {missed} {rows} and {missed} {columns} crossed out"


def left_out(bench: Bench) -> str:
    """The rows that no window reads, and why."""
    missed = [row for row, seen in enumerate(bench.visited.tolist()) if not seen]
    last = max(row for row in range(-1, bench.size) if row not in missed)
    between, behind = [r for r in missed if r < last], [r for r in missed if r > last]
    sentences, many = [], bench.left_over > 1
    rest = f"{bench.left_over} {'pixels are' if many else 'pixel is'} left over"
    if between:
        sentences.append(f"{numbered(between)} between the pixels that the windows read.")
    if behind:
        sentences.append(
            f"{numbered(behind)} at the end: {rest} behind the last window, too few for a step of "
            f"{bench.stride}."
        )
    if missed:
        return (
            f"No window reads {' Nor '.join(sentences)} The columns are the same. Whatever the "
            "picture shows there changes nothing."
        )
    if bench.left_over:
        return f"Every row and column of the picture is read. Of the padding {rest}."
    return "Every row and column is read: the last window ends exactly at the border."


def numbered(rows: list[int]) -> str:
    listed = ", ".join(map(str, rows[:MOST_LISTED])) + (", …" if len(rows) > MOST_LISTED else "")
    return f"**row {listed}**" if len(rows) == 1 else f"**rows {listed}**"
