"""What a layer, a channel or an edit costs while others look at Feature maps too.

    python -m benchmarks.readers --readers 1 30

ResNet-18 at 224 pixels, as in benchmarks/features.py. Each reader is a session over the app's own
websocket (benchmarks/session.py) who thinks from half to one and a half of `--think` seconds, then
chooses a layer or a channel, or edits the picture, which is a pass through the network. The time
is that from the message to the server's last word; what a browser draws comes on top.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

from benchmarks.features import AIM_MS, EDIT_AIM_MS, KNOBS, PAGE
from benchmarks.figures import Figure, heading, machine, report
from benchmarks.live_page import link_data, serving
from benchmarks.page_tree import other_value
from benchmarks.session import Session
from benchmarks.student import Notes, think_s

QUERY = f"view=Feature%20maps{KNOBS}"
LAYER, CHANNEL, EDIT = "another layer", "another channel", "an edit"
# The beginnings of the keys of what a reader moves.
MOVES = {LAYER: "layer", CHANNEL: "channel", EDIT: "edit_"}
# Alone; with others a reader may wait for a turn.
AIMS_MS = {LAYER: AIM_MS, CHANNEL: AIM_MS, EDIT: EDIT_AIM_MS}
ANY_AIM_MS = 1000


async def read(url: str, seed: int, until_s: float, think: float, notes: Notes) -> None:
    """One reader, up to a time of `time.monotonic`. Raises: SessionLost."""
    at_random = random.Random(seed)
    await asyncio.sleep(at_random.uniform(0, think))
    tab = await Session.open(url)
    notes.add("the view is opened", await tab.start(PAGE, QUERY))
    while time.monotonic() < until_s:
        await asyncio.sleep(think_s(at_random, think))
        kind = at_random.choice(list(MOVES))
        found = [one for one in tab.page.widgets(MOVES[kind]) if one.kind != "button"]
        if not found:
            continue
        widget = at_random.choice(found)
        value = other_value(widget, tab.held(widget), at_random)
        if value is not None:
            notes.add(kind, await tab.change(widget, value))
        for text in tab.page.complaints():
            notes.complain(kind, text)
    await tab.close()


async def together(url: str, count: int, arguments: argparse.Namespace) -> Notes:
    """So many readers at once. Raises: SessionLost, RuntimeError where a page shows a fault."""
    first = await Session.open(url)
    await first.start(PAGE, QUERY)
    await first.close()
    notes = Notes()
    until_s = time.monotonic() + arguments.seconds
    readers = (read(url, seed, until_s, arguments.think, notes) for seed in range(count))
    await asyncio.gather(*readers)
    if notes.faults:
        raise RuntimeError(f"The pages show faults: {dict(notes.faults)}")
    return notes


def figures(count: int, notes: Notes) -> list[Figure]:
    """What each kind took; the aims are those of one who is alone, or of a class."""
    return [
        Figure(
            f"{count} {'reader' if count == 1 else 'readers'}, {kind} ({len(taken)} times)",
            "ms",
            [1000 * seconds for seconds in taken],
            AIMS_MS.get(kind) if count == 1 else ANY_AIM_MS,
            "median" if count == 1 else "p95",
        )
        for kind, taken in sorted(notes.seconds.items())
    ]


def measure(folder: Path, arguments: argparse.Namespace) -> list[Figure]:
    """Each number of readers on the same server, one after the other."""
    found: list[Figure] = []
    with serving(folder / "home", link_data(folder / "data")) as server:
        for count in arguments.readers:
            notes = asyncio.run(together(server.url, count, arguments))
            found += figures(count, notes)
    return found


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line. Raises: SystemExit where nothing would be measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, nargs="+", default=[1, 30], help="at once")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=6, help="seconds between two steps, mean")
    parser.add_argument("--json", type=Path)
    found = parser.parse_args(arguments)
    if min(found.readers) < 1 or found.seconds < 1 or found.think <= 0:
        parser.error("--readers and --seconds have to be at least 1, --think more than 0")
    return found


def main() -> None:
    arguments = parse()
    found = machine()
    print(heading(found))
    with tempfile.TemporaryDirectory(prefix="cnnlab-benchmark-") as folder:
        report(found, measure(Path(folder), arguments), arguments.json)


if __name__ == "__main__":
    main()
