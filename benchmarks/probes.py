"""What it costs to observe a run: a step that probes look at, by those about it.

    python -m benchmarks.probes --rounds 3 --json probes.json

LeNet by the book's recipe, observed at every 25th step; events are turned into JSON, as a worker
does. The ways (no probe, layer statistics, all kinds) take turns. In a round, the cost is what the
median observed step takes longer than the median of the steps between, spread over 25 steps; the
figure is the median of the rounds. Beside it, the median step between observations by the median
step of the unobserved run of the same round: an observation must not slow the others.
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks.figures import heading, machine, write
from benchmarks.training import configuration
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Measurement, Progress
from cnnlab.training.plan import REPORTS
from cnnlab.training.probes import Probe
from cnnlab.training.probes.batch_norm import BatchNormProbe
from cnnlab.training.probes.kernels import KernelsProbe
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe
from cnnlab.training.probes.picture import PictureProbe

EVERY = 25
WARM_UP = 10
# LeNet with batch normalization: without, there would be nothing for one of the kinds.
NETWORKS = ("lenet", "lenet/d2l_bn")


def ways(network: str) -> dict[str, tuple[Probe, ...]]:
    """Probes by the name of the way."""
    picture = PictureProbe.of(
        Image.linear_gradient("L"), layers=("conv1", "act1", "conv2", "fc1"), every=EVERY
    )
    every_kind: tuple[Probe, ...] = (
        LayerStatisticsProbe(every=EVERY),
        KernelsProbe(every=EVERY),
        picture,
    )
    if network.endswith("bn"):
        every_kind += (BatchNormProbe(every=EVERY),)
    return {"none": (), "layer_statistics": every_kind[:1], "all kinds": every_kind}


# The most that each may cost.
TARGETS = {"layer_statistics": 0.01, "all kinds": 0.05}


def step_times_s(config: RunConfig) -> tuple[list[float], list[float], int]:
    """Seconds of each step in between and of each observed one, and bytes of one observation."""
    between: list[float] = []
    observed: list[float] = []
    size, looks, last_s, looked = 0, 0, 0.0, False
    # A point for every step: the time from one to the next includes what was read in between.
    for event in train(config):
        if isinstance(event, Measurement):
            size += len(event.model_dump_json(include={"values"}))
            looked = True
        elif isinstance(event, Progress):
            if event.step > WARM_UP:
                (observed if looked else between).append(event.elapsed_s - last_s)
            looks += looked
            last_s, looked = event.elapsed_s, False
            event.model_dump_json()
    return between, observed, size // max(1, looks)


def measure(network: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Costs of each way for one network; the ways take turns in every round."""
    config = configuration(network, arguments.steps, arguments.precision).replace(
        evaluate="end", dataset=arguments.dataset
    )
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(arguments.rounds):
        plain_s = 0.0
        for name, looking in ways(network).items():
            between, observed, size = step_times_s(config.replace(probes=looking))
            middle_s = statistics.median(between)
            plain_s = plain_s or middle_s
            longer_s = statistics.median(observed) - middle_s if observed else 0.0
            found.setdefault(name, []).append(
                {
                    "step_ms": 1e3 * middle_s,
                    "longer_ms": 1e3 * longer_s,
                    "cost": longer_s / (EVERY * middle_s),
                    "between": middle_s / plain_s,
                    "bytes": size,
                }
            )
    return [
        {"network": network, "way": name, "target": TARGETS.get(name)}
        | {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
        for name, rounds in found.items()
    ]


def line(row: dict[str, Any]) -> str:
    """A way of observing as a row of the table."""
    aim = f"{row['target']:.0%}" if row["target"] else ""
    return (
        f"{row['network']:>14} {row['way']:>17} {row['step_ms']:6.2f} ms "
        f"{row['longer_ms']:6.2f} ms {row['cost']:7.2%} {aim:>6} {row['between']:8.3f} "
        f"{row['bytes']:8,.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=NETWORKS, help="name or name/preset")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--dataset", default="fashion_mnist")
    parser.add_argument("--steps", type=int, default=REPORTS, help="of a run, one point each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    found = machine()
    print(f"{heading(found)}, {torch.get_num_threads()} threads")
    print(
        f"{'network':>14} {'probes':>17} {'step':>9} {'longer':>9} {'cost':>7} {'aim':>6} "
        f"{'between':>8} {'bytes':>8}"
    )
    rows = []
    for network in arguments.networks:
        for row in measure(network, arguments):
            rows.append(row)
            print(line(row), flush=True)
    if arguments.json:
        write(arguments.json, found, rows)


if __name__ == "__main__":
    main()
