"""The chart of a judged figure that no curve shows: a bar for each arm, a dot for each run."""

import math
import statistics
from collections.abc import Mapping, Sequence

from cnnlab.experiments import Experiment, Outcome
from cnnlab.experiments.metrics import Metric
from cnnlab.experiments.verdict import capital, spread
from pages.components import charts, experiment_ladder

Trace = dict[str, object]
ROW_PX, FRAME_PX = 46, 62
# What is left of the width beside the bars is for the figures in words.
BARS, WORDS = [0, 0.74], 1.0


def chart(experiment: Experiment, runs: Mapping[str, Sequence[Outcome]]) -> charts.Ready:
    """The figures of all runs that have ended, arm below arm; the bar is their median."""
    if experiment.ladder is not None:
        return experiment_ladder.chart(experiment, experiment.ladder, runs)
    traces: list[Trace] = []
    words: list[Trace] = []
    for arm, colour in zip(experiment.arms, charts.SERIES, strict=False):
        ended = [experiment.metric.read(one) for one in runs[arm.name] if one.counts]
        drawn = [value for value in ended if math.isfinite(value)]
        traces += of_arm(experiment.metric, arm.name, drawn, colour)
        words += in_words(experiment.metric, arm.name, ended)
    names = [arm.name for arm in experiment.arms]
    return charts.Ready(
        {
            "data": traces,
            "layout": {
                **charts.STYLE,
                "height": FRAME_PX + ROW_PX * len(names),
                "hovermode": "closest",
                "showlegend": False,
                "barcornerradius": 4,
                "margin": {"l": 10, "r": 4, "t": 6, "b": 10},
                "xaxis": {
                    "domain": BARS,
                    "title": {"text": capital(experiment.metric.name)},
                    "rangemode": "tozero",
                    "showticklabels": False,
                },
                "yaxis": {
                    "type": "category",
                    "categoryarray": names,
                    "range": [len(names) - 0.5, -0.5],
                    "automargin": True,
                    "showgrid": False,
                },
                "annotations": words,
            },
        }
    )


def of_arm(metric: Metric, name: str, values: Sequence[float], colour: str) -> list[Trace]:
    """The bar and the dots of an arm; nothing while none of its runs has ended."""
    if not values:
        return []
    numbers = [round(value, 4) for value in values]
    bar: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": [statistics.median_low(numbers)],
        "y": [name],
        "marker": {"color": colour, "opacity": 0.35},
        "width": 0.55,
        "hoverinfo": "skip",
    }
    dots: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": numbers,
        "y": [name] * len(numbers),
        "text": [metric.text(value) for value in values],
        "hoverinfo": "text",
        "name": name,
        "marker": {"color": colour, "size": 9},
    }
    return [bar, dots]


def in_words(metric: Metric, name: str, values: Sequence[float]) -> list[Trace]:
    """Median and range of an arm at the right, also of one whose runs came to nothing."""
    if not values:
        return []
    middle, *reach = spread(metric, values).removesuffix(")").split(" (", 1)
    text = "<br>".join([f"<b>{middle}</b>", *reach])
    place: Trace = {"xref": "paper", "x": WORDS, "xanchor": "right", "y": name, "yref": "y"}
    return [place | {"text": text, "align": "right", "showarrow": False}]
