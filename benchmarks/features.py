"""What a layer, a channel, a value or an edit costs under Feature maps, on a real server.

    python -m benchmarks.features --moves 20

ResNet-18 at 224 pixels with a real browser. CPU: of the server's process. Server: from the
browser's request to the server's last word, which is that of a busy machine: the browser shares
it. Another size and an edit are passes through the network; all others only draw.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, heading, machine, report
from benchmarks.live_page import Cost, Tab, browsing, link_data, serving

PAGE, KNOBS = "resnet", "&preset=resnet18&weights=Fresh,%20drawn%20from%20a%20seed"
AIM_MS, EDIT_AIM_MS = 150, 500


def moves(tab: Tab, slider: str, count: int) -> list[Cost]:
    """Moves of a slider from its left end to the right; the first is not counted."""
    handle = tab.page.get_by_role("slider", name=slider)
    return [tab.redraw(lambda: handle.press("ArrowRight")) for _ in range(count + 1)][1:]


def layers(tab: Tab, count: int) -> list[Cost]:
    """Clicks on one thumbnail after the other, from the largest maps on."""
    tiles = tab.page.locator(".st-key-layer_strip .tile")
    return [tab.redraw(tiles.nth(place).click) for place in range(1, count + 2)][1:]


def values(tab: Tab, count: int) -> list[Cost]:
    """Clicks on values of a channel, in a row."""
    board = tab.page.locator(".st-key-channel_view canvas")

    def take(place: int) -> Cost:
        return tab.redraw(lambda: board.click(position={"x": 20.0 + 9 * place, "y": 40.0}))

    return [take(place) for place in range(count + 1)][1:]


def edits(tab: Tab, count: int) -> list[Cost]:
    """Turns of the picture by five degrees each."""
    tab.page.get_by_text("Edit the picture").click()
    handle = tab.page.get_by_role("slider", name="Turn")
    return [tab.rerun(lambda: handle.press("ArrowRight")) for _ in range(count + 1)][1:]


def figures(name: str, costs: list[Cost], aim_ms: float | None = AIM_MS) -> list[Figure]:
    """The median, the worst and the aim of a kind of change."""
    return [
        Figure(f"{name}: CPU", "ms", [cost.cpu_ms for cost in costs], aim_ms, "median"),
        Figure(f"{name}: server", "ms", [cost.server_ms for cost in costs]),
        Figure(f"{name}: drawn", "ms", [cost.drawn_ms for cost in costs]),
    ]


def measure(folder: Path, count: int) -> list[Figure]:
    """A new size of the input first, then layers and channels of the largest maps."""
    with (
        browsing() as browser,
        serving(folder / "home", link_data(folder / "data")) as server,
    ):
        tab = Tab(browser, server)
        tab.open(PAGE, "Feature maps", KNOBS)
        tab.page.get_by_text("The network", exact=True).click()
        size = tab.page.get_by_role("slider", name="Input size")
        passes = [tab.rerun(lambda: size.press("ArrowLeft")) for _ in range(5)]
        found = figures("another size", passes, aim_ms=None)
        found += figures("another channel", moves(tab, "Channel", count))
        found += figures("another layer", layers(tab, count))
        found += figures("another value", values(tab, count))
        found += figures("an edit", edits(tab, count), EDIT_AIM_MS)
        tab.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=20, help="of each slider")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not 1 <= arguments.moves <= 40:
        parser.error(f"--moves is {arguments.moves}; it has to be from 1 to 40")
    found = machine()
    print(heading(found))
    with tempfile.TemporaryDirectory(prefix="cnnlab-benchmark-") as folder:
        report(found, measure(Path(folder), arguments.moves), arguments.json)


if __name__ == "__main__":
    main()
