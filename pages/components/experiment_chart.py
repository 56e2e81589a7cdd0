"""The chart of an experiment: a colour for each arm, each run faint, the band of its seeds."""

import math
from collections.abc import Mapping, Sequence

from cnnlab.experiments import Experiment, Outcome
from cnnlab.runs.records import Curve
from cnnlab.runs.smoothing import loss_top, smoothed
from pages.components import charts, experiment_dots, group_charts
from pages.components.group_charts import Line, Points

HEIGHT_PX, SMALL_PX = 380, 240
# In the order of the arms.
LEGEND = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "traceorder": "normal"}
# What an experiment calls its axis, and where a curve keeps it.
COLUMNS = {"epoch": "epochs", "steps": "steps", "seconds": "seconds"}


def chart(
    experiment: Experiment, runs: Mapping[str, Sequence[Outcome]], *, small: bool = False
) -> charts.Ready:
    """The curves of all arms, from the runs of each; an arm keeps its colour while it has none."""
    height = SMALL_PX if small else HEIGHT_PX
    measure = experiment.metric.curves
    if measure is None:
        return experiment_dots.chart(experiment, runs, height)
    lines: list[Line] = []
    marks: list[dict[str, object]] = []
    for arm, colour in zip(experiment.arms, charts.SERIES, strict=False):
        own = runs[arm.name]
        whole = [points(experiment, one.curve) for one in own if one.status == "finished"]
        others = [points(experiment, one.curve) for one in own if one.status != "finished"]
        lines += group_charts.mean_and_runs(whole, others, arm.name, colour)
        marks += [diverged(experiment, one.curve, arm.name, colour) for one in own if one.failed]
    title = f"{experiment.split} {measure}"
    return charts.Ready(
        {
            "data": lines,
            "layout": {
                **charts.STYLE,
                "height": height,
                "xaxis": {"title": {"text": experiment.axis}, "rangemode": "tozero"},
                "yaxis": axis(runs, measure) | {"title": {"text": title}},
                "legend": LEGEND,
                "annotations": marks,
            },
        }
    )


def points(experiment: Experiment, curve: Curve) -> Points:
    """The line of a run; what was measured in training is smoothed."""
    prefix = "test_" if experiment.split == "test" else ""
    places = getattr(curve, prefix + COLUMNS[experiment.axis])
    values = getattr(curve, f"{prefix or 'train_'}{experiment.metric.curves}")
    return places, values if prefix else smoothed(values)


def axis(runs: Mapping[str, Sequence[Outcome]], measure: str) -> dict[str, object]:
    """An axis that one spike does not flatten; accuracies have the whole of it."""
    if measure == "accuracy":
        return dict(charts.ACCURACY_AXIS)
    top = loss_top([one.curve for own in runs.values() for one in own])
    return {"rangemode": "tozero"} if top is None else {"range": [0, top]}


def diverged(experiment: Experiment, curve: Curve, arm: str, colour: str) -> dict[str, object]:
    """A label where the curve of a run that failed breaks off."""
    places, values = points(experiment, curve)
    last = [(x, y) for x, y in zip(places, values, strict=True) if math.isfinite(y)][-1:]
    x, y = last[0] if last else (0.0, 0.0)
    return {
        "x": x,
        "y": y,
        "text": f"{arm}: diverged",
        "font": {"color": colour},
        "arrowcolor": colour,
        "ax": 20,
        "ay": -24,
    }
