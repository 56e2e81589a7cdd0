"""What the app costs while a run is training, measured on a real server with a real browser.

    python -m benchmarks.interaction --seconds 20 --json interaction.json

A server, its worker and a headless Chromium share this machine. A network is trained from the
page; four earlier runs with full curves lie behind its own. Meanwhile a visitor changes things:

rerun        one change of a knob. CPU: of the server's process alone, from the change until just
             after the page is drawn; ticks that fall in between are not taken off. Server: from
             the browser's request to the server's last word. Drawn: from the change to the page
             being drawn, in which sliders wait 0.2 s for the next move before they ask.
photo        a new 12-megapixel JPEG, from choosing the file to its feature maps being drawn
tick         the live curves drawn again, each 0.4 s: the server's CPU over some seconds, less
             that of an idle server, by the ticks in that time
first point  from pressing Start to the loss curve having a point; cold: the server has just been
             started, nothing has been measured for this network, Start is pressed at once
stop         from pressing Stop to "Stopped" on the page, and to the ending in the store

Server, worker and browser compete for the cores, so wall times are those of a busy machine.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser

from benchmarks.figures import Figure, heading, machine, report
from benchmarks.live_page import Tab, browsing, link_data, serving
from cnnlab.catalog import SECTIONS
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig
from cnnlab.training.events import Evaluation, Progress

PHOTO_PX = (4000, 3000)
EARLIER_RUNS, EARLIER_POINTS = 4, 250
# The page with a run that outlasts the measurement.
SECTION, LONG_RUN = "resnet", "&epochs=30"
WARM_UP = 2
# The page says so when the worker is warm and has nothing more to do.
SPEED_KNOWN = "computed in"

POINTS_THERE = """() => {
    const state = document.querySelector('[data-testid=stProgress]')?.innerText ?? '';
    const plots = [...document.querySelectorAll('.js-plotly-plot')];
    const loss = plots.find(plot => plot.layout?.yaxis?.title?.text?.startsWith('loss'));
    // The current run's is on top.
    const line = loss?.data?.filter(line => line.meta === 'training').at(-1);
    const points = line?.x?.length ?? Object.keys(line?.x?._inputArray ?? {}).length;
    return state.includes(' left') && points > 0;
}"""
STOPPED = """() => document.querySelector('[data-testid=stProgress]')
    ?.innerText.includes('Stopped')"""
PREVIEW = "document.querySelectorAll('[data-testid=stImage] img')[0]?.src"


def photo(seed: int) -> Image.Image:
    """A picture as a camera makes it: soft light, large shapes, and noise in every pixel."""
    random = np.random.default_rng(seed)
    shapes = random.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(shapes).resize(PHOTO_PX, Image.Resampling.BICUBIC))
    light = np.linspace(0.6, 1.0, PHOTO_PX[1], dtype=np.float32)[:, None, None]
    noise = random.standard_normal((*pixels.shape[:2], 1), dtype=np.float32) * 6
    return Image.fromarray((pixels * light + noise).clip(0, 255).astype(np.uint8))


def add_earlier_runs(store: RunStore, visitor: str) -> None:
    """Finished runs whose curves are as long as they get."""
    for seed in range(EARLIER_RUNS):
        config = RunConfig(network=SECTIONS[SECTION].networks[0], epochs=25, seed=seed)
        run = store.add(config, visitor, SECTION, f"Earlier {seed + 1}")
        store.started(run, {})
        points: list[Progress | Evaluation] = []
        for step in range(1, EARLIER_POINTS + 1):
            time_axis = {"step": step, "epoch": step / 10, "elapsed_s": step / 5}
            loss = 2.3 * math.exp(-step / (80 + 20 * seed))
            rates = {"lr": 0.05, "images_per_s": 1000.0, "eta_s": 0.0}
            points.append(
                Progress(**time_axis, train_loss=loss, train_accuracy=1 - loss / 2.4, **rates)
            )
            if step % 10 == 0:
                points.append(Evaluation(**time_axis, test_loss=loss, test_accuracy=1 - loss / 2.4))
        store.append(run, points)
        store.ended(run, "finished")


def starts_and_stops(tab: Tab, store: RunStore, count: int) -> list[Figure]:
    """Open the page, Start with a warm worker, Stop a second later; several times."""
    point_s, computed_s, page_s, store_s = [], [], [], []
    for _ in range(count):
        tab.open(SECTION, "Train", LONG_RUN)
        tab.page.get_by_text(SPEED_KNOWN).wait_for()
        pressed_s = tab.press("start")
        tab.page.wait_for_function(POINTS_THERE)
        point_s.append(time.time() - pressed_s)
        run = store.runs(tab.visitor, limit=1)[0]
        begun_s = (run.started_s or math.inf) - pressed_s
        computed_s.append(begun_s + store.curve(run.id).seconds[0])
        tab.page.wait_for_timeout(1000)
        pressed_s = tab.press("stop")
        tab.page.wait_for_function(STOPPED)
        page_s.append(time.time() - pressed_s)
        ended = store.run(run.id)
        if ended is None or ended.status != "cancelled" or ended.ended_s is None:
            raise RuntimeError(f"a stopped run did not end as it should: {ended}")
        store_s.append(ended.ended_s - pressed_s)
    return [
        Figure("Start to first point, warm worker", "s", point_s, 1.0),
        Figure("  of which until the worker has it", "s", computed_s),
        Figure("Stop to the page", "s", page_s, 0.5),
        Figure("Stop to the store", "s", store_s, 0.5),
    ]


def first_point_s(tab: Tab) -> float:
    """From pressing Start to a point on the loss curve."""
    pressed_s = tab.press("start")
    tab.page.wait_for_function(POINTS_THERE)
    return time.time() - pressed_s


def cold_starts(browser: Browser, folder: Path, count: int) -> Figure:
    """Start on servers that have just been started themselves."""
    points_s = []
    for i in range(count):
        data = link_data(folder / f"data-{i}")
        with serving(folder / f"home-{i}", data) as server:
            tab = Tab(browser, server)
            tab.page.goto(f"{server.url}/{SECTION}?view=Train{LONG_RUN}")
            points_s.append(first_point_s(tab))
            tab.close()
    return Figure("Start to first point, server just started", "s", points_s, 6.0)


def ticks(tab: Tab, seconds: float, idle: float) -> list[Figure]:
    """The live curves; `idle` and the rates here are seconds of CPU per second."""
    tab.switch("Read")
    following, _ = tab.watch(seconds)
    tab.switch("Train")
    ticking, count = tab.watch(seconds)
    if not count:
        raise RuntimeError("the curves were never drawn again; is the run still going on?")
    each_ms = (ticking - idle) * seconds * 1000 / count
    return [
        Figure(f"tick of the curves, CPU ({count} ticks)", "ms", [each_ms], 15, "median"),
        Figure("following a run nobody looks at, CPU per second", "ms", [following * 1000]),
        Figure("idle server, CPU per second", "ms", [idle * 1000]),
    ]


def reruns(tab: Tab, name: str, count: int, change: Callable[[], object]) -> list[Figure]:
    """One change of a knob after the other; the first few are not counted."""
    costs = [tab.rerun(change) for _ in range(WARM_UP + count)][WARM_UP:]
    return [
        Figure(f"rerun, {name}: CPU", "ms", [cost.cpu_ms for cost in costs], 150, "median"),
        Figure(f"rerun, {name}: server", "ms", [cost.server_ms for cost in costs], 500),
        Figure(f"rerun, {name}: drawn", "ms", [cost.drawn_ms for cost in costs], 500),
    ]


def photos(tab: Tab, folder: Path, count: int) -> list[Figure]:
    """Feature maps of one large photo after the other, no two the same."""
    paths = []
    for seed in range(count + 1):
        paths.append(folder / f"photo-{seed}.jpg")
        photo(seed).save(paths[-1], quality=92)
    tab.page.get_by_text("Upload", exact=True).first.click()
    costs = [tab.rerun(partial(upload, tab, path)) for path in paths][1:]
    size_mb = paths[0].stat().st_size / 1e6
    return [
        Figure(f"photo of 12 MP, {size_mb:.1f} MB: CPU", "ms", [cost.cpu_ms for cost in costs]),
        Figure("photo: server", "ms", [cost.server_ms for cost in costs]),
        Figure("photo: drawn", "ms", [cost.drawn_ms for cost in costs]),
    ]


def upload(tab: Tab, path: Path) -> None:
    """Choose a file and wait for the picture that the network sees to be another."""
    before = tab.page.evaluate(PREVIEW)
    tab.page.locator("input[type=file]").first.set_input_files(path)
    tab.page.wait_for_function(f"before => {PREVIEW} && {PREVIEW} !== before", arg=before)


def while_training(
    tab: Tab, folder: Path, idle: float, arguments: argparse.Namespace
) -> Iterator[Figure]:
    """Everything that is measured beside one long run."""
    tab.switch("Train")
    first_point_s(tab)
    yield from ticks(tab, arguments.seconds, idle)
    skip = tab.page.get_by_test_id("stCheckbox").filter(has_text="Skip").locator("label").first
    yield from reruns(tab, "Train, a switch", arguments.reruns, skip.click)
    for view, name in (("Architecture", "Input size"), ("Feature maps", "Turn")):
        tab.switch(view)
        if view == "Feature maps":
            tab.page.get_by_text("Edit the picture").click()
        slider = tab.page.get_by_role("slider", name=name)
        move = partial(slider.press, "ArrowRight")
        yield from reruns(tab, f"{view}, a slider", arguments.reruns, move)
    yield from photos(tab, folder, arguments.photos)


def measure(folder: Path, arguments: argparse.Namespace) -> Iterator[Figure]:
    """All figures: new servers, starts and stops, then one long run of another visitor."""
    home = folder / "home"
    with browsing() as browser:
        yield cold_starts(browser, folder, arguments.cold)
        with serving(home, link_data(folder / "data")) as server:
            store = RunStore(home)
            tab = Tab(browser, server)
            yield from starts_and_stops(tab, store, arguments.starts)
            tab.close()
            tab = Tab(browser, server)
            tab.open(SECTION, "Read", LONG_RUN)
            add_earlier_runs(store, tab.visitor)
            idle, _ = tab.watch(arguments.seconds)
            yield from while_training(tab, folder, idle, arguments)
            run = store.runs(tab.visitor, limit=1)[0]
            if run.status != "running":
                raise RuntimeError(
                    f"The run ended ({run.status}) before everything was measured beside it. "
                    "Ask for fewer --seconds or --reruns."
                )
            tab.close()
            store.close()


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line. Raises: SystemExit where nothing would be measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="of watching the curves")
    parser.add_argument("--reruns", type=int, default=30, help="in each view")
    parser.add_argument("--photos", type=int, default=5)
    parser.add_argument("--starts", type=int, default=5, help="with a warm worker")
    parser.add_argument("--cold", type=int, default=3, help="starts of a new server")
    parser.add_argument("--json", type=Path)
    found = parser.parse_args(arguments)
    for name in ("seconds", "reruns", "photos", "starts", "cold"):
        if getattr(found, name) < 1:
            parser.error(f"--{name} is {getattr(found, name):g}; it has to be at least 1")
    return found


def main() -> None:
    arguments = parse()
    found = machine() | {name: version(name) for name in ("streamlit", "playwright")}
    print(heading(found))
    print("Server, worker and browser share the cores: wall times are those of a busy machine.")
    with tempfile.TemporaryDirectory(prefix="cnnlab-benchmark-") as folder:
        report(found, measure(Path(folder), arguments), arguments.json)


if __name__ == "__main__":
    main()
