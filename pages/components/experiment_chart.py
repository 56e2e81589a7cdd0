"""The chart of an experiment: a colour for each arm, each run faint, the band of its seeds."""

import math
from collections.abc import Mapping, Sequence

from cnnlab.experiments import Experiment, Outcome
from cnnlab.runs.records import Curve
from cnnlab.runs.smoothing import loss_top, smoothed
from pages.components import charts, experiment_figure, experiment_ladder, group_charts
from pages.components.group_charts import Line, Points

HEIGHT_PX, SMALL_PX = 340, 240
Runs = Mapping[str, Sequence[Outcome]]
# In the order of the arms.
LEGEND = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "traceorder": "normal"}
# What an experiment calls its axis, and where a curve keeps it.
COLUMNS = {"epoch": "epochs", "steps": "steps", "seconds": "seconds"}


def answer(experiment: Experiment, runs: Runs) -> charts.Ready:
    """The one chart that shows what is judged, small enough to stand in a text."""
    if experiment.metric.is_seen:
        return curves(experiment, runs, SMALL_PX)
    return experiment_figure.chart(experiment, runs)


def curves(experiment: Experiment, runs: Runs, height: int = HEIGHT_PX) -> charts.Ready:
    """The curves of all arms, from the runs of each; an arm keeps its colour while it has none."""
    lines: list[Line] = []
    marks: list[dict[str, object]] = []
    colours = experiment_ladder.colours(experiment)
    for arm in experiment.arms:
        colour = colours[arm.name]
        own = runs[arm.name]
        whole = [points(experiment, one.curve) for one in own if one.status == "finished"]
        others = [points(experiment, one.curve) for one in own if one.status != "finished"]
        lines += group_charts.mean_and_runs(whole, others, arm.name, colour)
        marks += [diverged(experiment, one.curve, arm.name, colour) for one in own if one.failed]
    if experiment.ladder is not None:
        lines = experiment_ladder.named_by_family(lines, experiment.ladder)
    measure = experiment.metric.curves or "loss"
    return charts.Ready(
        {
            "data": lines,
            "layout": {
                **charts.STYLE,
                "height": height,
                "xaxis": {"title": {"text": experiment.axis}, "rangemode": "tozero"},
                "yaxis": axis(runs, measure) | {"title": {"text": f"training {measure}"}},
                "legend": LEGEND,
                "annotations": marks,
                "shapes": goal(experiment),
            },
        }
    )


def points(experiment: Experiment, curve: Curve) -> Points:
    """The line of a run, smoothed."""
    values = getattr(curve, f"train_{experiment.metric.curves}")
    return getattr(curve, COLUMNS[experiment.axis]), smoothed(values)


def goal(experiment: Experiment) -> list[dict[str, object]]:
    """The line that the curves have to cross, where there is one."""
    level = experiment.metric.goal
    if level is None:
        return []
    dashes = {"dash": "dash", "width": 1.5, "color": charts.GREY}
    ends = {"xref": "paper", "x0": 0, "x1": 1, "y0": level, "y1": level}
    return [{"type": "line", **ends, "line": dashes}]


def axis(runs: Runs, measure: str) -> dict[str, object]:
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
