"""The experiments in a terminal.

python -m cnnlab.experiments list                    one line for each
python -m cnnlab.experiments run NAME --seeds 3      its runs, a table, and the verdict
python -m cnnlab.experiments table                   all of them; writes docs/experiments.md
"""

import argparse
import os
import sys
import time
from pathlib import Path

from cnnlab import devices
from cnnlab.datasets import DATASETS
from cnnlab.errors import CnnLabError
from cnnlab.experiments import EXPERIMENTS, SEEDS, Experiment, Outcome, experiment, measured
from cnnlab.experiments.document import document
from cnnlab.experiments.report import table, verdict
from cnnlab.experiments.running import run

BAR = 30
DOCUMENT = Path(__file__).parents[2] / "docs" / "experiments.md"


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks; 1 where it cannot be done."""
    asked = parse(arguments)
    try:
        if asked.command == "list":
            for one in EXPERIMENTS.values():
                print(f"{one.id:<26} {one.question}")
        elif asked.command == "run":
            chosen = experiment(asked.name)
            outcomes = carried_out(chosen, range(asked.seeds), asked.dataset)
            print(*table(chosen, outcomes), "", verdict(chosen, outcomes), sep="\n")
        else:
            for name in asked.only or EXPERIMENTS:
                for dataset in asked.datasets:
                    keep(experiment(name), dataset)
    except CnnLabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def keep(chosen: Experiment, dataset: str) -> None:
    """Run an experiment, and write down what came out: after each, for a series may break off."""
    begin_s = processor_s()
    outcomes = carried_out(chosen, SEEDS, dataset)
    # On the clock it would depend on what else the machine has to do.
    seconds = (processor_s() - begin_s) / devices.usable_cores()
    found = measured.keep(chosen, dataset, outcomes, seconds)
    print(*table(chosen, outcomes), "", f"{found.sentence} {found.conclusion}", "", sep="\n")
    DOCUMENT.write_text(document(), encoding="utf-8")


def processor_s() -> float:
    """What the processes that have ended by now have computed. Units: seconds of one core."""
    times = os.times()
    return times.children_user + times.children_system


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line. Raises: SystemExit for what it does not know."""
    parser = argparse.ArgumentParser(prog="cnnlab.experiments", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    one = commands.add_parser("run")
    one.add_argument("name")
    one.add_argument("--seeds", type=int, default=len(SEEDS), choices=range(1, 13), metavar="1-12")
    one.add_argument("--dataset", choices=DATASETS, default="shapes")
    every = commands.add_parser("table")
    every.add_argument("--only", nargs="+", metavar="NAME")
    every.add_argument("--datasets", nargs="+", choices=DATASETS, default=["shapes"])
    return parser.parse_args(arguments)


def carried_out(chosen: Experiment, seeds: range | tuple[int, ...], dataset: str) -> list[Outcome]:
    """The outcomes of an experiment, with a bar that shows how many of its runs have ended."""
    begin_s = time.perf_counter()

    def show(ended: int, runs: int) -> None:
        done = "█" * (BAR * ended // runs)
        seconds = time.perf_counter() - begin_s
        print(
            f"\r{chosen.id} {done:·<{BAR}} {ended} of {runs} runs, {seconds:.0f} s",
            end="" if ended < runs else "\n",
            file=sys.stderr,
            flush=True,
        )

    show(0, len(seeds) * len(chosen.arms))
    return run(chosen, list(seeds), dataset, show)


if __name__ == "__main__":
    raise SystemExit(main())
