"""A class that works with the course at once, and what each of them waits for.

    python -m benchmarks.classroom --students 30 --json classroom.json

For each size a new server is started here, with a worker. Students are sessions over the app's
own websocket (benchmarks/session.py): no browser, so that 120 of them leave the machine to the
server. What is measured, in this order:

warm       one tab looks at every view of every section, so that no cache is empty
alone      one student does everything a few times and nobody else is there: the server's
           processor time of each kind of interaction, worker and client not counted
run        a teacher starts a long run on the page and watches it; its steps per second, by the
           clock and from the store, while nobody else is there
class      students come in within one think time, then each does one thing after the other by
           chance from a seed (benchmarks/student.py): reads, moves knobs, looks through layers,
           edits the picture, uploads a photo, starts and stops runs and experiments, looks at
           the runs, reloads. Between two steps each thinks, from half to one and a half of
           `--think` seconds. The teacher's run goes on, so runs of students wait in line
herd       all do the same at the same moment and wait for one another, several rounds
left       all have closed their tabs; memory after `--rest` seconds. The app ends a session 45 s
           after its tab (pages/components/left_tabs.py), with what nobody has asked for since

The time of an interaction is that from the message to the server to its last word, and for a photo
from choosing the file: what the browser draws comes on top. Curves that are drawn again by a
timer are a row of their own and not in the sum of all.

Faults are exceptions on a page, red boxes that a class should not get, sessions that the server
ended or did not answer within a minute, and tracebacks in its log. Answers to settings that cannot
be, and to a line that is full, are listed but are no faults. Larger classes are tried until one
has a fault. The client shares the cores with server and worker; its own share is said.
"""

import argparse
import asyncio
import io
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.classroom_report import Outcome, kept, markdown
from benchmarks.figures import heading, machine
from benchmarks.interaction import photo
from benchmarks.live_page import cpu_s, link_data, serving
from benchmarks.session import Session
from benchmarks.student import VIEW, WITHIN, Notes, Student
from cnnlab.catalog import SECTIONS
from cnnlab.runs.store import RunStore
from tests.browser.conftest import Server

LONG_RUN = "resnet", "view=Train&epochs=200"
# What one student does alone, in an order in which each can be done.
ALONE = (
    "Read",
    "Architecture",
    "Architecture knob",
    "Feature maps",
    "Layer",
    "Edit",
    "Photo",
    "Train",
    "Train knob",
    "Start or stop",
    "Start or stop",
    "Experiment",
    "Experiment",
    "Experiment",
    "Runs",
    "Reload",
)
HERD = (
    "Read",
    "Architecture",
    "Architecture knob",
    "Feature maps",
    "Layer",
    "Edit",
    "Train",
    "Train knob",
    "Runs",
)
LOOK_S = 0.25


class Watch:
    """Memory and processor time of a server while a class is there."""

    def __init__(self, server: Server) -> None:
        self._process = psutil.Process(server.process.pid)
        self._begun = self._times()
        self.peak_mb = self.resident_mb

    @property
    def resident_mb(self) -> float:
        """Memory of the server's process, its workers not counted."""
        return float(self._process.memory_info().rss / 2**20)

    async def look(self) -> None:
        """Keep the peak up to date, until cancelled."""
        while True:
            self.peak_mb = max(self.peak_mb, self.resident_mb)
            await asyncio.sleep(LOOK_S)

    def _times(self) -> tuple[float, float, float]:
        return time.perf_counter(), cpu_s(self._process.pid), time.process_time()

    def shares(self) -> tuple[float, float]:
        """Cores that server and client kept busy since the last time this was asked."""
        before, now = self._begun, self._times()
        self._begun = now
        took_s = now[0] - before[0]
        return (now[1] - before[1]) / took_s, (now[2] - before[2]) / took_s


@dataclass
class LongRun:
    """A run that the teacher watches."""

    tab: Session
    store: RunStore
    run: str = ""
    _last: tuple[float, int] = field(default=(0.0, 0))

    async def begin(self) -> None:
        """Start it, and wait until it learns. Raises: RuntimeError where it does not."""
        slug, query = LONG_RUN
        await self.tab.start(slug, query)
        button = self.tab.page.widget("button", "start")
        if button is None:
            raise RuntimeError(f"there is no Start on the page: {self.tab.page.complaints()}")
        await self.tab.change(button, True)
        self.run = self.store.runs(self.tab.cookies["cnnlab_visitor"], limit=1)[0].id
        for _ in range(480):
            if self.store.curve(self.run).steps:
                return
            await asyncio.sleep(LOOK_S)
        raise RuntimeError("the teacher's run did not begin within two minutes")

    def steps_per_s(self) -> float | None:
        """Its speed since the last time this was asked; None where it has ended."""
        found = self.store.run(self.run)
        if found is None or found.status != "running":
            return None
        before, now = self._last, (time.monotonic(), self.store.curve(self.run).steps[-1])
        self._last = now
        return (now[1] - before[1]) / (now[0] - before[0])


async def warm(url: str, sections: Sequence[str]) -> None:
    """Look at every view once: what the server makes for all visitors is there afterwards."""
    tab = await Session.open(url)
    await tab.start()
    for slug in sections:
        await tab.go(slug)
        for view in WITHIN:
            if tabs := tab.page.widget("tab_container", VIEW):
                await tab.change(tabs, view)
    await tab.close()


async def alone(
    server: Server, arguments: argparse.Namespace, raw: bytes, outcome: Outcome
) -> None:
    """Processor seconds of the server, by kind of interaction, while one student is there."""
    spent = outcome.cpu_s

    class Timed(Notes):
        begin_s = 0.0

        def add(self, kind: str, _seconds: float) -> None:
            now_s = cpu_s(server.process.pid)
            spent.setdefault(kind, []).append(now_s - self.begin_s)
            self.begin_s = now_s

    notes = Timed()
    student = Student(server.url, arguments.seed, notes, raw, arguments.sections)
    for step in ALONE * arguments.alone:
        notes.begin_s = cpu_s(server.process.pid)
        await student.do(step)
    await student.leave()
    outcome.alone = notes


async def together(students: Sequence[Student], rounds: int, outcome: Outcome) -> None:
    """All do the same at once, then the next thing."""
    for student in students:
        student.notes = outcome.herd
    for _ in range(rounds):
        for step in HERD:
            await asyncio.gather(*(student.do(step) for student in students))


async def hold(server: Server, size: int, arguments: argparse.Namespace, raw: bytes) -> Outcome:
    """A class of one size, from its first student to a while after its last; `raw` is a photo."""
    outcome = Outcome(size)
    # Pages and photos are sent by threads: nobody has to wait for one.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(size + 1))
    await warm(server.url, arguments.sections)
    await alone(server, arguments, raw, outcome)
    store = RunStore(server.home)
    teacher = LongRun(await Session.open(server.url), store)
    try:
        await teacher.begin()
        teacher.steps_per_s()
        await asyncio.sleep(arguments.run_alone)
        outcome.steps_per_s.append(teacher.steps_per_s())
        watch = Watch(server)
        outcome.memory_mb["before"] = watch.resident_mb
        looking = asyncio.create_task(watch.look())
        seeds = range(arguments.seed, arguments.seed + size)
        students = [
            Student(server.url, 1 + seed, outcome.calm, raw, arguments.sections) for seed in seeds
        ]
        until_s = time.monotonic() + arguments.seconds
        await asyncio.gather(*(one.work(until_s, arguments.think) for one in students))
        outcome.cores["class"] = watch.shares()
        outcome.steps_per_s.append(teacher.steps_per_s())
        outcome.memory_mb["peak of the class"] = watch.peak_mb
        await together(students, arguments.herd_rounds, outcome)
        if arguments.herd_rounds:
            outcome.cores["herd"] = watch.shares()
        outcome.memory_mb["peak"] = watch.peak_mb
        looking.cancel()
        await asyncio.gather(*(one.leave() for one in students))
        await asyncio.sleep(arguments.rest)
        outcome.memory_mb["left"] = watch.resident_mb
    finally:
        await teacher.tab.close()
        store.close()
    return outcome


def measured(size: int, arguments: argparse.Namespace) -> Outcome:
    """A class on a server of its own."""
    packed = io.BytesIO()
    photo(0).save(packed, "JPEG", quality=92)
    with tempfile.TemporaryDirectory(prefix="cnnlab-classroom-") as folder:
        home = Path(folder) / "home"
        with serving(home, link_data(Path(folder) / "data")) as server:
            outcome = asyncio.run(hold(server, size, arguments, packed.getvalue()))
        log = home.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
        outcome.log(log)
    return outcome


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line. Raises: SystemExit where nothing would be measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, nargs="+", default=[30], help="sizes of classes")
    parser.add_argument("--seconds", type=float, default=60, help="of the class at work")
    parser.add_argument("--think", type=float, default=6, help="seconds between two steps, mean")
    parser.add_argument("--herd-rounds", type=int, default=3)
    parser.add_argument("--alone", type=int, default=3, help="rounds of one student alone")
    parser.add_argument("--run-alone", type=float, default=15, help="seconds of the run alone")
    parser.add_argument("--rest", type=float, default=60, help="seconds after all have left")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    found = parser.parse_args(arguments)
    for name, least in (("seconds", 1), ("alone", 1), ("run_alone", 1), ("herd_rounds", 0)):
        if getattr(found, name) < least:
            given = getattr(found, name)
            parser.error(f"--{name.replace('_', '-')} is {given:g}; it has to be at least {least}")
    if min(found.students) < 1:
        parser.error(f"--students has {min(found.students)}; a class is at least 1")
    if found.think <= 0 or found.rest < 0:
        parser.error("--think has to be more than 0 and --rest at least 0")
    return found


def main() -> None:
    arguments = parse()
    found = machine() | {name: version(name) for name in ("streamlit", "websockets")}
    print(heading(found))
    outcomes = []
    for size in sorted(arguments.students):
        outcomes.append(measured(size, arguments))
        print(markdown(outcomes[-1]), flush=True)
        if arguments.json:
            kept(arguments.json, found, outcomes)
        if outcomes[-1].faults:
            print(f"A class of {size} has faults; larger ones were not tried.")
            break


if __name__ == "__main__":
    main()
