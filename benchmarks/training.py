"""Training speed of every network: a bare step, our loop, and the book's way.

    python -m benchmarks.training --networks lenet lenet/d2l_bn resnet --json speed.json

(a) bare   forward, backward and optimizer on one batch that is already in memory
(b) ours   `train()` with everything it reports, from its first to its last point
(c) book   `benchmarks.book_loop`: `DataLoader`, pictures resized one by one, a plain loop

Same model, batch size, picture size, optimizer, device and number of threads; (c) is in float32
and PyTorch's usual layout, as the book writes it. (a) and (b) keep freed memory, as the app's
workers do; (c) is a process of its own with the default allocator. The three take turns; a figure
is the median of the rounds, a ratio the median of the ratios within a round. Rounds that differ by
more than 30 % are measured again. Evaluations are not in the figures.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from benchmarks.figures import heading, machine, write
from benchmarks.speed import Meter, Speed, take_turns
from cnnlab import allocator, catalog, devices
from cnnlab.folders import library_on_path
from cnnlab.training import RunConfig, train
from cnnlab.training.estimate import estimate
from cnnlab.training.events import Progress
from cnnlab.training.optimizers import build_optimizer
from cnnlab.training.precision import choose

# Every network of the chapter, and the one whose batch normalization the chapter switches.
NETWORKS = ["lenet", "lenet/d2l_bn", *(name for name in catalog.NETWORKS if name != "lenet")]
FEWEST_STEPS, MOST_STEPS = 3, 80
HEADER = (
    f"{'network':>14} {'bare':>8} {'ours':>8} {'book':>8} {'b/a':>5} {'b/c':>5} "
    f"{'page faults a step':>23}  computed in"
)


def configuration(name: str, steps: int, precision: str) -> RunConfig:
    """The book's recipe for a network, cut to a few steps."""
    network, _, preset = name.partition("/")
    recipe = catalog.network(network).book
    return RunConfig(
        network=network,
        options=preset or "d2l",
        dataset="fashion_mnist",
        image_size=recipe.image_size,
        batch_size=recipe.batch_size,
        train_size=recipe.batch_size * steps,
        lr=recipe.lr,
        momentum=recipe.momentum,
        init=recipe.init,
        epochs=1,
        evaluate="end",
        precision=precision,
    )


def bare(config: RunConfig, steps: int) -> Speed:
    """The step alone; the first is not counted."""
    device = devices.resolve(config.device)
    way = choose(config, device)
    torch.manual_seed(config.seed)
    model = catalog.network(config.network).build(config.options, image_size=config.image_size)
    model.to(device).to(memory_format=way.memory_format)
    optimizer = build_optimizer(config, model.parameters(), device)
    size = config.image_size
    shape = (config.batch_size, config.options.in_channels, size, size)
    images = torch.rand(shape, device=device)
    images = images.contiguous(memory_format=way.memory_format)
    labels = torch.randint(0, 10, (config.batch_size,), device=device)

    def step() -> None:
        with torch.autocast(device.type, way.dtype, enabled=way.dtype != torch.float32):
            loss = cross_entropy(model(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    step()
    devices.synchronize(device)
    meter = Meter()
    for _ in range(steps - 1):
        step()
    devices.synchronize(device)
    return meter.read(steps - 1, config.batch_size)


def ours(config: RunConfig, steps: int) -> Speed:
    """`train()` between its first point and its last."""
    run = train(config)
    meter = Meter()
    for event in run:
        if isinstance(event, Progress) and event.step == 1:
            meter = Meter()
        if isinstance(event, Progress) and event.step == steps:
            break
    speed = meter.read(steps - 1, config.batch_size)
    run.close()  # type: ignore[attr-defined]
    return speed


def book(config: RunConfig, steps: int, workers: int) -> Speed:
    """The loop that the book writes, in a process of its own.

    Raises: CalledProcessError where it broke off; what it said is on standard error.
    """
    counts = {"steps": steps, "workers": workers, "threads": torch.get_num_threads()}
    settings = [text for name, count in counts.items() for text in (f"--{name}", str(count))]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.book_loop", config.model_dump_json(), *settings],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=library_on_path(),
    )
    return Speed(**json.loads(done.stdout.splitlines()[-1]))


def measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """One network, all three ways."""
    step_s = estimate(configuration(name, MOST_STEPS, arguments.precision)).step_s
    steps = int(min(max(arguments.seconds / step_s, FEWEST_STEPS), MOST_STEPS))
    config = configuration(name, steps, arguments.precision)

    def trimmed(way: Callable[[], Speed]) -> Callable[[], Speed]:
        def measured() -> Speed:
            # As between two runs of a worker.
            allocator.give_back()
            return way()

        return measured

    ways: dict[str, Callable[[], Speed]] = {
        "bare": trimmed(lambda: bare(config, steps)),
        "ours": trimmed(lambda: ours(config, steps)),
        "book": trimmed(lambda: book(config, steps, arguments.workers)),
    }
    rounds = take_turns(ways, arguments.rounds, 2 * arguments.rounds)
    return {
        "network": name,
        "way": choose(config, devices.resolve(config.device)).name,
        "threads": torch.get_num_threads(),
        "steps": steps,
        "steady": rounds.steady,
        **{way: rounds.images_per_s(way) for way in ways},
        "faults": {way: rounds.faults(way) for way in ways},
        "b/a": rounds.ratio("ours", "bare"),
        "b/c": rounds.ratio("ours", "book"),
        "rounds": {way: [asdict(speed) for speed in rounds.speeds[way]] for way in ways},
    }


def line(row: dict[str, Any]) -> str:
    """A network as a row of the table."""
    faults = " ".join(f"{count:7,.0f}" for count in row["faults"].values())
    doubt = "" if row["steady"] else "; the rounds differ by more than 30 %"
    return (
        f"{row['network']:>14} {row['bare']:8,.0f} {row['ours']:8,.0f} {row['book']:8,.0f} "
        f"{row['b/a']:5.2f} {row['b/c']:5.2f} {faults}  {row['way']}; {row['steps']} steps{doubt}"
    )


def parse(command_line: list[str] | None = None) -> argparse.Namespace:
    """The command line. Raises: SystemExit for what cannot be measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=NETWORKS, help="name or name/preset")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--seconds", type=float, default=4, help="for each loop, about")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=4, help="of the book's DataLoader")
    parser.add_argument("--json", type=Path)
    found = parser.parse_args(command_line)
    for name, least in (("rounds", 1), ("threads", 1), ("workers", 0)):
        if getattr(found, name) < least:
            parser.error(f"--{name} is {getattr(found, name)}; it has to be at least {least}")
    return found


def main() -> None:
    arguments = parse()
    allocator.keep_memory()
    torch.set_num_threads(arguments.threads)
    found = machine() | {"threads": arguments.threads, "allocator": allocator.name()}
    print(heading(found))
    print(HEADER)
    rows = []
    for name in arguments.networks:
        rows.append(measure(name, arguments))
        print(line(rows[-1]), flush=True)
        if arguments.json:
            # After every row: what is measured stays, however the next one ends.
            write(arguments.json, found, rows)
    mean = statistics.geometric_mean(row["b/c"] for row in rows)
    print(f"geometric mean of b/c: {mean:.2f}")


if __name__ == "__main__":
    main()
