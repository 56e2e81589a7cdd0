"""The layer table as CSV."""

import csv
import io

from cnnlab.summary import Summary

COLUMNS = (
    "name",
    "kind",
    "input_shape",
    "output_shape",
    "params",
    "macs",
    "receptive_field",
    "activation_bytes",
)


def layer_table_csv(summary: Summary) -> str:
    """The layer table with a header; shapes as in `1x64x28x28`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for layer in summary.layers:
        cells = (getattr(layer, column) for column in COLUMNS)
        writer.writerow([shape_text(c) if isinstance(c, tuple) else c for c in cells])
    return text.getvalue()


def shape_text(shape: tuple[int, ...], times: str = "x") -> str:
    """A shape in one word."""
    return times.join(str(n) for n in shape)
