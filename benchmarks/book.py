"""The book's networks by the book's recipes, and our accuracy beside what the book publishes.

    python -m benchmarks.book --networks lenet lenet_bn --epochs 10 --seeds 1 --json book.json

Fashion-MNIST, plain SGD, ten epochs, the test set as validation. Without a GPU only LeNet is
trained, without and with batch normalization; on a GPU all networks are. One published figure is
one draw: the verdict looks at the range of many builds of the book.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import heading, machine, write
from cnnlab import devices
from cnnlab.compare.published import BOOK_DATASET, BOOK_EPOCHS, PUBLISHED, Accuracy, Published
from cnnlab.errors import CnnLabError, TrainingError
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Evaluation, Failed, Finished

# Names on the command line: the network, and its preset where the book trains several.
RUNS: dict[str, Published] = {
    one.network if one.preset == "d2l" else f"{one.network}_{one.preset.removeprefix('d2l_')}": one
    for one in PUBLISHED
    if one.accuracy
}
ON_CPU = ("lenet", "lenet_bn")


@dataclass(frozen=True)
class Outcome:
    """How a run ended. Units: `seconds` from its first step to its last test."""

    name: str
    seed: int
    test_accuracy: float
    train_loss: float
    train_accuracy: float
    seconds: float
    images_per_s: float


def follow(name: str, config: RunConfig) -> Outcome:
    """Train, and print the test accuracy whenever there is one.

    Raises: CnnLabError when the run cannot start, or fails.
    """
    print(f"  {name}, seed {config.seed}, test accuracy:", end="", flush=True)
    try:
        for event in train(config):
            if isinstance(event, Evaluation):
                print(f" {event.test_accuracy:.3f}", end="", flush=True)
            elif isinstance(event, Failed):
                raise TrainingError(event.message)
    finally:
        print()
    if not isinstance(event, Finished):
        raise TrainingError(f"The run ended as {event.type!r}, before it was done.")
    return Outcome(
        name=name,
        seed=config.seed,
        test_accuracy=event.test_accuracy or 0.0,
        train_loss=event.train_loss or 0.0,
        train_accuracy=event.train_accuracy or 0.0,
        seconds=event.elapsed_s,
        images_per_s=event.images_per_s or 0.0,
    )


HEADER = (
    f"{'network':>14} {'loss':>6} {'train':>6} {'test':>6}   "
    f"{'build':>5} {'builds: median (10-90 %)':>25} {'':<7} {'seconds':>8} {'images/s':>9}"
)


def line(name: str, book: Accuracy, found: Outcome) -> str:
    """A run as a row of the table."""
    builds = f"{book.median:.3f} ({book.low:.3f}-{book.high:.3f})"
    return (
        f"{name:>14} {found.train_loss:>6.3f} {found.train_accuracy:>6.3f} "
        f"{found.test_accuracy:>6.3f}   {book.build:>5.3f} {builds:>25} "
        f"{book.verdict(found.test_accuracy):<7} {found.seconds:>8.1f} {found.images_per_s:>9,.0f}"
    )


def parse(arguments: list[str] | None, has_gpu: bool) -> argparse.Namespace:
    """The command line; which networks are trained depends on the machine.

    Raises: SystemExit for what cannot be.
    """
    parser = argparse.ArgumentParser(prog="benchmarks.book", description=__doc__.splitlines()[0])
    default = list(RUNS if has_gpu else ON_CPU)
    parser.add_argument("--networks", nargs="+", choices=RUNS, default=default)
    parser.add_argument("--epochs", type=int, default=BOOK_EPOCHS)
    parser.add_argument("--seeds", type=int, default=1, help="runs of each network")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--json", type=Path)
    found = parser.parse_args(arguments)
    if found.seeds < 1:
        parser.error(f"--seeds is {found.seeds}; each network is trained at least once")
    return found


def configured(arguments: argparse.Namespace) -> Iterator[tuple[str, RunConfig]]:
    """The runs that were asked for, in order."""
    for name in arguments.networks:
        for seed in range(arguments.seeds):
            own = {"epochs": arguments.epochs, "seed": seed, "device": arguments.device}
            config = RUNS[name].contender.config(BOOK_DATASET)
            yield name, config.replace(**own, precision=arguments.precision)


def main(command_line: list[str] | None = None) -> int:
    has_gpu = devices.available()[0].name != "cpu"
    arguments = parse(command_line, has_gpu)
    found = machine()
    print(heading(found))
    if not has_gpu and arguments.networks == list(ON_CPU):
        print("There is no GPU here: only LeNet is trained; --networks names others.")
    if arguments.epochs != BOOK_EPOCHS:
        print(f"The book's figures are after {BOOK_EPOCHS} epochs, ours after {arguments.epochs}.")
    rows: list[dict[str, Any]] = []
    lines = []
    try:
        for name, config in list(configured(arguments)):
            outcome = follow(name, config)
            book = RUNS[name].accuracy
            assert book is not None, "only these are trained"
            lines.append(line(name, book, outcome))
            published = asdict(RUNS[name]) | {"verdict": book.verdict(outcome.test_accuracy)}
            rows.append(asdict(outcome) | {"epochs": config.epochs, "book": published})
    except CnnLabError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if lines:
            print("\n".join([HEADER, *lines]))
        if arguments.json:
            write(arguments.json, found, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
