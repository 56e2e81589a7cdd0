"""The chart of a race: a colour for each network, its test accuracy over its training accuracy."""

from collections.abc import Sequence

from cnnlab.compare.race import Axis, title_in_race
from cnnlab.experiments.outcome import Outcome
from cnnlab.runs.smoothing import smoothed
from pages.components import charts, group_charts
from pages.components.group_charts import Line

HEIGHT_PX = 400
LEGEND = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "traceorder": "normal"}
NOTE = (
    "Marks and thick lines: test accuracy. Faint: training accuracy, smoothed. A line breaks off "
    "where a network could not go on."
)


def chart(outcomes: Sequence[Outcome], axis: Axis) -> charts.Ready:
    """The curves of all networks; each keeps its colour while it has none."""
    lines: list[Line] = []
    for outcome, colour in zip(outcomes, charts.SERIES, strict=False):
        curve, title = outcome.curve, title_in_race(outcome.config)
        size = outcome.config.batch_size
        lines.append(
            group_charts.faint(
                places(curve.steps, curve.seconds, size, axis),
                smoothed(curve.train_accuracy),
                title,
                colour,
            )
        )
        at = places(curve.test_steps, curve.test_seconds, size, axis)
        if at:
            tested = group_charts.line(at, curve.test_accuracy, title, colour, width=2.5)
            lines.append(tested | {"mode": "lines+markers"})
        else:
            # A line without a point has no place in the legend.
            lines[-1] |= {"showlegend": True}
    return charts.Ready(
        {
            "data": lines,
            "layout": {
                **charts.STYLE,
                "height": HEIGHT_PX,
                "xaxis": {"title": {"text": axis}, "rangemode": "tozero"},
                "yaxis": charts.ACCURACY_AXIS,
                "legend": LEGEND,
            },
        }
    )


def places(
    steps: Sequence[int], seconds: Sequence[float], batch_size: int, axis: Axis
) -> Sequence[float]:
    """Where points lie on the axis."""
    if axis == "seconds":
        return seconds
    return [step * batch_size for step in steps] if axis == "images" else steps
