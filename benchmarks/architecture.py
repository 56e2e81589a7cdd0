"""What another input size costs in the Architecture view, on a real server with a real browser.

    python -m benchmarks.architecture --reruns 10 --json architecture.json

A visitor moves the slider of the input size from pixel to pixel. The first one asks for networks
that the server has not built yet ("new"), the second one for the same ("known"), each in a browser
that has not seen them.

CPU    processor time of the server's process alone, from the change until just after the page is
       drawn; with other work on the machine it is up to twice as long as without
sent   bytes of all messages to the browser
"""

import argparse
import tempfile
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.figures import Figure, heading, machine, report
from benchmarks.live_page import Cost, Tab, browsing, link_data, serving
from tests.browser.conftest import Server

# A page, a preset, and how far CPU may go where the configuration is new.
NETWORKS = {
    "ResNet": ("resnet", "d2l"),
    "GoogLeNet": ("googlenet", "d2l"),
    "DenseNet": ("densenet", "d2l"),
    "DenseNet-121": ("densenet", "densenet121"),
}
AIM_MS = 150
WARM_UP = 2


def moves(browser: Browser, server: Server, slug: str, preset: str, count: int) -> list[Cost]:
    """One pixel more, again and again, by a new visitor; the first few are not counted."""
    tab = Tab(browser, server)
    tab.open(slug, "Architecture", f"&preset={preset}")
    slider = tab.page.get_by_role("slider", name="Input size")
    move = partial(slider.press, "ArrowRight")
    costs = [tab.rerun(move) for _ in range(WARM_UP + count)][WARM_UP:]
    tab.close()
    return costs


def measure(folder: Path, count: int) -> Iterator[Figure]:
    """All networks, each by two visitors."""
    with browsing() as browser, serving(folder / "home", link_data(folder / "data")) as server:
        for title, (slug, preset) in NETWORKS.items():
            for what in ("new", "known"):
                costs = moves(browser, server, slug, preset, count)
                cpu = [cost.cpu_ms for cost in costs]
                yield Figure(f"{title}, {what}: CPU", "ms", cpu, AIM_MS, "median")
                yield Figure(f"{title}, {what}: sent", "kB", [c.sent_bytes / 1e3 for c in costs])


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line. Raises: SystemExit where nothing would be measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reruns", type=int, default=10, help="of each visitor and network")
    parser.add_argument("--json", type=Path)
    found = parser.parse_args(arguments)
    # The largest preset reads 224 of the 256 pixels that are allowed.
    if not 1 <= found.reruns <= 30:
        parser.error(f"--reruns is {found.reruns}; it can be 1 to 30")
    return found


def main() -> None:
    arguments = parse()
    found = machine() | {name: version(name) for name in ("streamlit", "playwright")}
    print(heading(found))
    with tempfile.TemporaryDirectory(prefix="cnnlab-benchmark-") as folder:
        report(found, measure(Path(folder), arguments.reruns), arguments.json)


if __name__ == "__main__":
    main()
