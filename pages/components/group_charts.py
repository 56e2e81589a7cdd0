"""Charts of groups: the mean of an arm's runs, the band between them, and each of them faint."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnnlab.runs.mean_curve import mean_curve
from cnnlab.runs.store import Curve
from pages.components import charts

Line = dict[str, object]
# Places and values of one curve.
Points = tuple[Sequence[float], Sequence[float]]
AXES = {"loss": charts.LOSS_AXIS, "accuracy": charts.ACCURACY_AXIS}


@dataclass(frozen=True)
class ArmCurves:
    """An arm's curves: those that are averaged, and all others."""

    name: str
    averaged: Sequence[Curve]
    others: Sequence[Curve] = ()


def chart(arms: Sequence[ArmCurves], measure: str, epochs: int) -> charts.Ready:
    """Loss or accuracy against epochs; training and test of one arm, the test of several."""
    lines: list[Line] = []
    if len(arms) == 1:
        for split, colour in (("training", charts.BLUE), ("test", charts.ORANGE)):
            lines += arm_lines(arms[0], split, measure, split, colour)
    else:
        for arm, colour in zip(arms, charts.SERIES, strict=False):
            lines += arm_lines(arm, "test", measure, arm.name, colour)
    axes = {"xaxis": {"title": {"text": "epoch"}, "range": [0, epochs]}, "yaxis": AXES[measure]}
    layout = {"height": charts.HEIGHT_PX, **charts.STYLE, **axes}
    return charts.Ready({"data": lines, "layout": layout})


def arm_lines(arm: ArmCurves, split: str, measure: str, name: str, colour: str) -> list[Line]:
    """Each run faint, and over them the band and the mean of those that are averaged."""
    averaged = [points(curve, split, measure) for curve in arm.averaged]
    others = [points(curve, split, measure) for curve in arm.others]
    lines = mean_and_runs(averaged, others, name, colour)
    if split == "test" and averaged:
        lines[-1] |= {"mode": "lines+markers"}
    return lines


def mean_and_runs(
    averaged: Sequence[Points], others: Sequence[Points], name: str, colour: str
) -> list[Line]:
    """All curves faint; over them band and mean of those that are averaged, the mean last."""
    lines = [faint(x, y, name, colour) for x, y in [*averaged, *others]]
    mean = mean_curve(averaged)
    if mean is None:
        # As long as there is no mean, a single run stands for all of them in the legend.
        return [lines[0] | {"showlegend": True}, *lines[1:]] if lines else []
    # Rounding NumPy's numbers one at a time would take most of a tick.
    x, low_y, high_y, middle_y = (y.tolist() for y in (mean.x, mean.low, mean.high, mean.mean))
    hidden: Line = {"line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
    low = line(x, low_y, name, colour) | hidden
    high = line(x, high_y, name, colour) | hidden
    high |= {"fill": "tonexty", "fillcolor": see_through(colour)}
    title = f"{name}, mean of {len(averaged)}" if len(averaged) > 1 else name
    middle = line(x, middle_y, title, colour, width=2.5)
    return [*lines, low, high, middle]


def points(curve: Curve, split: str, measure: str) -> Points:
    """Epochs and values of one line of a run."""
    prefix, epochs = ("test_", curve.test_epochs) if split == "test" else ("train_", curve.epochs)
    return epochs, getattr(curve, prefix + measure)


def line(x: Iterable[float], y: Iterable[float], name: str, colour: str, width: float = 1) -> Line:
    """A line through points; numbers are rounded, for they are sent every second."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [round(value, 3) for value in x],
        "y": [round(value, 4) if charts.is_number(value) else None for value in y],
        "name": name,
        "line": {"color": colour, "width": width},
    }


def faint(x: Iterable[float], y: Iterable[float], name: str, colour: str) -> Line:
    """A single run: seen, but not before its mean."""
    quiet: Line = {"opacity": 0.35, "showlegend": False, "hoverinfo": "skip"}
    return line(x, y, name, colour) | quiet


def see_through(colour: str) -> str:
    """A colour such as "#2a7fd4" for a surface over which lines are read."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"
