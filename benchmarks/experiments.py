"""What each experiment takes, and what its card costs while its curves grow.

    python -m benchmarks.experiments --only vgg-depth resnet-skip --json experiments.json

NAME     all arms with all seeds, side by side on this machine's cores as the app does it
grid     the sixteen runs of "How high can the learning rate go?", likewise
tick     the open card drawn again, once a second, while six runs of an experiment go on: the
         server's CPU over some seconds, less that of an idle server, by the ticks in that time;
         once with the first runs and once with four of six ended
rerun    another card of the list, meanwhile

For the last two a server, its workers and a headless Chromium share this machine.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from benchmarks.figures import Figure, heading, machine, report
from benchmarks.live_page import Tab, browsing, link_data, serving
from cnnlab.datasets import DATASETS
from cnnlab.experiments import EXPERIMENTS, SEEDS, rate_grid
from cnnlab.experiments.running import run, run_all

WHOLE_S, GRID_S, TICK_MS, RERUN_MS = 180, 90, 15, 150
# Two arms with three seeds, and runs of some seconds.
WATCHED = EXPERIMENTS["resnet-order"]
BESIDE = EXPERIMENTS["resnet-skip"]
EARLY, LATE = 0, 4
PATIENCE_MS = 300_000


def durations(names: list[str], dataset: str) -> Iterator[Figure]:
    """Every experiment once: a median over several would take hours."""
    for name in names:
        begin_s = time.perf_counter()
        run(EXPERIMENTS[name], SEEDS, dataset)
        yield Figure(name, "s", [time.perf_counter() - begin_s], WHOLE_S)


def grids(sizes: list[int], dataset: str) -> Iterator[Figure]:
    """The grid of learning rates, for each size of a batch."""
    for size in sizes:
        begin_s = time.perf_counter()
        run_all(rate_grid.configs(size, dataset))
        taken_s = time.perf_counter() - begin_s
        yield Figure(f"grid of learning rates, batches of {size}", "s", [taken_s], GRID_S)


def card(seconds: float, changes: int) -> Iterator[Figure]:
    """The card of one experiment while it runs."""
    with tempfile.TemporaryDirectory(prefix="cnnlab-benchmark-") as name, browsing() as browser:
        folder = Path(name)
        with serving(folder / "home", link_data(folder / "data")) as server:
            tab = Tab(browser, server)
            tab.open(WATCHED.section, "Experiments", f"&experiment={WATCHED.id}")
            idle, _ = tab.watch(seconds)
            answer = WATCHED.rule.answers["first"]
            tab.rerun(tab.page.get_by_role("button", name=answer).click)
            tab.page.get_by_role("button", name="Run", exact=True).click()
            for ended in (EARLY, LATE):
                said = f"{ended} of {len(WATCHED.arms) * len(SEEDS)} runs done"
                tab.page.get_by_text(said).wait_for(timeout=PATIENCE_MS)
                yield tick(tab, seconds, idle, ended)
                if ended == EARLY:
                    yield from others(tab, changes)
            tab.close()


def tick(tab: Tab, seconds: float, idle: float, ended: int) -> Figure:
    """The server's CPU for one drawing of the card."""
    spent, count = tab.watch(seconds)
    if not count:
        raise RuntimeError("the card was never drawn again; are its runs still going on?")
    name = f"tick of a card, {ended} runs ended ({count} ticks)"
    return Figure(name, "ms", [(spent - idle) * seconds * 1000 / count], TICK_MS, "median")


def others(tab: Tab, changes: int) -> Iterator[Figure]:
    """Another card, and back."""
    costs = []
    for place in range(2 * changes):
        one = (BESIDE, WATCHED)[place % 2]
        costs.append(tab.rerun(tab.page.get_by_text(one.question, exact=True).first.click))
    yield Figure("rerun, another card: CPU", "ms", [c.cpu_ms for c in costs], RERUN_MS, "median")
    yield Figure("rerun, another card: drawn", "ms", [c.drawn_ms for c in costs], 500)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line. Raises: SystemExit for what it does not know."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=EXPERIMENTS, default=list(EXPERIMENTS))
    parser.add_argument(
        "--grids", nargs="*", type=int, choices=rate_grid.BATCH_SIZES, default=[32], metavar="SIZE"
    )
    parser.add_argument("--dataset", choices=DATASETS, default="shapes")
    parser.add_argument("--seconds", type=float, default=8, help="of watching the card")
    parser.add_argument("--changes", type=int, default=4, help="to another card and back")
    parser.add_argument("--json", type=Path)
    found = parser.parse_args(arguments)
    for name in ("seconds", "changes"):
        if getattr(found, name) < 1:
            parser.error(f"--{name} is {getattr(found, name):g}; it has to be at least 1")
    return found


def main() -> None:
    arguments = parse()
    found = machine()
    print(heading(found))
    figures = chain(
        card(arguments.seconds, arguments.changes),
        grids(arguments.grids, arguments.dataset),
        durations(arguments.only, arguments.dataset),
    )
    report(found, figures, arguments.json)


if __name__ == "__main__":
    main()
