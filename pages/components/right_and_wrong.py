"""What a run got right and wrong: the confusion matrix, each class, and the pictures."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from cnnlab import datasets
from cnnlab.datasets import DATASETS
from cnnlab.errors import CnnLabError
from cnnlab.runs.confusion import Confusion, Verdict
from cnnlab.runs.store import ACTIVE, RunRecord
from pages.components import charts, confusion_charts, services, state, tested_pictures

TITLE = "What it got right and wrong"
MOST = 24
ANY = "Any class"
VERDICTS: Mapping[str, Verdict] = {"Something else": "wrong", "The same": "right"}
NOTE = (
    "A row for each class, a column for each answer. Blue: right; orange: wrong; the stronger, the "
    "larger its share of the row. Click a cell to see its pictures, or choose it in the lists."
)


def show(runs: Mapping[str, RunRecord], key: str) -> None:
    """The answers of a run that has ended, folded away; of several one chosen by its name."""
    ended = {name: run for name, run in runs.items() if run.status not in ACTIVE}
    if not ended:
        return
    place = st.expander(TITLE, icon=":material/grid_on:", key=f"{key}.open", on_change="rerun")
    # What is folded is not read at every tick.
    if not place.open:
        return
    with place:
        name = next(iter(ended))
        if len(ended) > 1:
            name = st.selectbox("Run", list(ended), key=f"{key}.run")
        try:
            answers(ended[name], key)
        except CnnLabError as error:
            st.error(str(error), icon=":material/image_not_supported:")


def answers(run: RunRecord, key: str) -> None:
    """All about one run. Raises: CnnLabError where its test pictures cannot be had."""
    said = services.predicted(run)
    if said is None:
        st.caption(why_not(run))
        return
    ready = datasets.state(run.dataset)
    if ready.status != "ready":
        st.caption(ready.message)
        return
    found = Confusion(
        tested_pictures.of(run.dataset).labels.numpy(), said, DATASETS[run.dataset].num_classes
    )
    count = len(found.truth)
    early = (
        "" if run.status == "finished" else f" after step {said.step:,}, when it was last tested"
    )
    share = found.right / max(1, count)
    st.markdown(f"**{found.right:,} of {count:,}** test pictures right ({share:.1%}){early}.")
    truth, named = asked(run, f"{key}.cell")
    draw(found, run, key, (truth, named))
    gallery(found, run, truth, named)


def why_not(run: RunRecord) -> str:
    """Why there are no answers of a run."""
    if run.status == "finished":
        return (
            "What this run said of each picture was not kept: it is from before that was done. "
            "Train it again to see it."
        )
    return "This run ended before it was tested for the first time, so that there are no answers."


def asked(run: RunRecord, key: str) -> tuple[int | None, int | Verdict]:
    """Which pictures are shown: of which class, and what was said of them."""
    names = DATASETS[run.dataset].class_names
    row = st.container(horizontal=True)
    truth = row.selectbox("The picture shows", [ANY, *names], key=f"{key}.{run.dataset}.truth")
    named = row.selectbox("The network said", [*VERDICTS, *names], key=f"{key}.{run.dataset}.named")
    return (
        None if truth == ANY else names.index(truth),
        VERDICTS[named] if named in VERDICTS else names.index(named),
    )


def draw(
    found: Confusion, run: RunRecord, key: str, chosen: tuple[int | None, int | Verdict]
) -> None:
    """The matrix on the left, the classes on the right."""
    names = DATASETS[run.dataset].class_names
    truth, named = chosen
    if named == "right":
        named = truth if truth is not None else named
    cell = (truth, named) if truth is not None and isinstance(named, int) else None
    left, right = st.columns([3, 2])
    # Another chart for each choice: one that was clicked says nothing when the same cell is
    # clicked again after the lists have chosen others.
    chart = f"{key}.matrix.{truth}.{named}"
    left.plotly_chart(
        confusion_charts.matrix(found, names, cell),
        config=charts.PLAIN,
        key=chart,
        on_select=partial(choose, chart, f"{key}.cell.{run.dataset}", names),
        selection_mode="points",
        alt="Confusion matrix: how many test pictures of each class were taken for each class. "
        "The two lists above choose a cell, too.",
    )
    right.plotly_chart(
        confusion_charts.by_class(found, names),
        config=charts.PLAIN,
        key=f"{key}.classes",
        alt="Accuracy on the test pictures of each class",
    )
    st.caption(NOTE)


def choose(chart: str, key: str, names: tuple[str, ...]) -> None:
    """Ask for the cell that was clicked, or for all mistakes where the click took it back."""
    event = state.get(chart)
    points = event["selection"]["points"] if isinstance(event, Mapping) else []
    truth, named = (names[points[0][axis]] for axis in "yx") if points else (ANY, *VERDICTS)[:2]
    state.put(f"{key}.truth", truth)
    state.put(f"{key}.named", named)


def gallery(found: Confusion, run: RunRecord, truth: int | None, named: int | Verdict) -> None:
    """The pictures that were asked for, those first of which the network was surest."""
    names = DATASETS[run.dataset].class_names
    numbers = found.pictures(truth, named)
    if not len(numbers):
        st.caption("There is no such picture.")
        return
    images = tested_pictures.of(run.dataset).images
    shown = numbers[:MOST].tolist()
    most = f"; here are the {MOST} of which it was surest" if len(numbers) > MOST else ""
    noun = "picture" if len(numbers) == 1 else "pictures"
    st.markdown(
        f"**{len(numbers):,}** such {noun}{most}. Below each: what it shows → what the network "
        "said, and how sure it was."
    )
    tested_pictures.side_by_side(
        (
            images[number],
            f"{names[found.truth[number]]} → {names[found.said.classes[number]]}, "
            f"{found.said.confidence[number]:.0%}",
        )
        for number in shown
    )
