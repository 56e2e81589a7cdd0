"""The chart of an experiment whose figure no curve shows: a dot for every run, a bar for an arm."""

import math
import statistics
from collections.abc import Mapping, Sequence

from cnnlab.experiments import Experiment, Outcome
from cnnlab.experiments.verdict import capital
from pages.components import charts

Trace = dict[str, object]


def chart(
    experiment: Experiment, runs: Mapping[str, Sequence[Outcome]], height: int
) -> charts.Ready:
    """The figures of all runs that have ended, arm beside arm; the bar is their median."""
    traces: list[Trace] = []
    for arm, colour in zip(experiment.arms, charts.SERIES, strict=False):
        ended = [experiment.metric.read(one) for one in runs[arm.name] if one.counts]
        traces += of_arm(arm.name, [value for value in ended if math.isfinite(value)], colour)
    metric = experiment.metric
    title = f"{capital(metric.name)}{f' [{metric.unit.strip()}]' if metric.unit else ''}"
    return charts.Ready(
        {
            "data": traces,
            "layout": {
                **charts.STYLE,
                "height": height,
                "hovermode": "closest",
                "showlegend": False,
                "barcornerradius": 4,
                "xaxis": {
                    "type": "category",
                    "categoryarray": [arm.name for arm in experiment.arms],
                    "range": [-0.5, len(experiment.arms) - 0.5],
                },
                "yaxis": {"title": {"text": title}, "rangemode": "tozero"},
            },
        }
    )


def of_arm(name: str, values: Sequence[float], colour: str) -> list[Trace]:
    """The bar and the dots of an arm; nothing while none of its runs has ended."""
    if not values:
        return []
    numbers = [round(value, 4) for value in values]
    bar: Trace = {
        "type": "bar",
        "x": [name],
        "y": [statistics.median_low(numbers)],
        "marker": {"color": colour, "opacity": 0.35},
        "width": 0.4,
        "hoverinfo": "skip",
    }
    dots: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [name] * len(numbers),
        "y": numbers,
        "name": name,
        "marker": {"color": colour, "size": 9},
    }
    return [bar, dots]
