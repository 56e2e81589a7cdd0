"""The chart of arms that are rungs of a ladder: a line for each family, a dot for each run."""

import math
import statistics
from collections.abc import Mapping, Sequence

from cnnlab.experiments import Experiment, Outcome
from cnnlab.experiments.ladder import Family, Ladder
from cnnlab.experiments.metrics import Metric
from cnnlab.experiments.verdict import capital
from pages.components import charts

Trace = dict[str, object]
Runs = Mapping[str, Sequence[Outcome]]
HEIGHT_PX = 300
# The first rung has this share of its family's hue, the last all of it.
LEAST_HUE = 0.3


def chart(experiment: Experiment, ladder: Ladder, runs: Runs) -> charts.Ready:
    """The figures of all runs that have ended, over the rungs; the lines join the medians."""
    traces: list[Trace] = []
    for family, colour in zip(ladder.families, charts.SERIES, strict=False):
        traces += of_family(experiment.metric, family, runs, colour)
    rungs = [f"{rung:g}" for rung, _ in ladder.families[0].rungs]
    title = capital(experiment.metric.name)
    return charts.Ready(
        {
            "data": traces,
            "layout": {
                **charts.STYLE,
                "height": HEIGHT_PX,
                "hovermode": "closest",
                "xaxis": {
                    "type": "category",
                    "categoryarray": rungs,
                    "range": [-0.4, len(rungs) - 0.6],
                    "title": {"text": ladder.by},
                    "showgrid": False,
                },
                "yaxis": charts.ACCURACY_AXIS | {"title": {"text": title}},
                "shapes": goal(ladder),
            },
        }
    )


def of_family(metric: Metric, family: Family, runs: Runs, colour: str) -> list[Trace]:
    """The line through the medians of a family, and its runs as dots; a failed one lies at 0."""
    ended = {
        f"{rung:g}": [drawn(metric.read(one)) for one in runs[arm] if one.counts]
        for rung, arm in family.rungs
    }
    medians = {rung: statistics.median_low(own) for rung, own in ended.items() if own}
    line: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": list(medians),
        "y": list(medians.values()),
        "name": family.name,
        "line": {"color": colour, "width": 2.5},
        "hoverinfo": "skip",
    }
    dots: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [rung for rung, own in ended.items() for _ in own],
        "y": [value for own in ended.values() for value in own],
        "name": family.name,
        "showlegend": False,
        "marker": {"color": colour, "size": 9},
    }
    return [line, dots]


def drawn(value: float) -> float:
    """A figure as it is drawn: what ran away reached nothing."""
    return round(value, 4) if math.isfinite(value) else 0.0


def goal(ladder: Ladder) -> list[Trace]:
    """The line that a run has to be above, where there is one."""
    if ladder.goal is None:
        return []
    ends: Trace = {"xref": "paper", "x0": 0, "x1": 1, "y0": ladder.goal, "y1": ladder.goal}
    dashes = {"dash": "dash", "width": 1, "color": charts.GREY}
    return [{"type": "line", **ends, "line": dashes}]


def colours(experiment: Experiment) -> dict[str, str]:
    """A colour for every arm; on a ladder the hue is the family's, and grows with the rung."""
    if experiment.ladder is None:
        names = [arm.name for arm in experiment.arms]
        return dict(zip(names, charts.SERIES, strict=False))
    found: dict[str, str] = {}
    for family, hue in zip(experiment.ladder.families, charts.SERIES, strict=False):
        last = len(family.rungs) - 1
        for place, (_, arm) in enumerate(family.rungs):
            found[arm] = mixed(hue, LEAST_HUE + (1 - LEAST_HUE) * place / last)
    return found


def named_by_family(lines: Sequence[Trace], ladder: Ladder) -> list[Trace]:
    """Curves of the arms with a legend of the families: one of all arms would fill a phone."""
    unnamed = [line | {"showlegend": False} for line in lines]
    names: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [None],
            "y": [None],
            "name": family.name,
            "line": {"color": hue, "width": 2.5},
        }
        for family, hue in zip(ladder.families, charts.SERIES, strict=False)
    ]
    return [*names, *unnamed]


def mixed(hue: str, share: float) -> str:
    """A hue such as "#2a7fd4" with grey, which is read on white and on dark."""
    red_green_blue = zip(levels(hue), levels(charts.GREY), strict=True)
    values = (round(share * a + (1 - share) * b) for a, b in red_green_blue)
    return "#" + "".join(f"{value:02x}" for value in values)


def levels(colour: str) -> list[int]:
    """Red, green and blue of a colour such as "#2a7fd4"."""
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
