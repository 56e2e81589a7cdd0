"""A student of the class: what one does next, by chance from a seed, and what came of it."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.page_tree import Node, other_value
from benchmarks.session import Session, SessionLost

# What students do, by weight: where they go, and what they do once they are there.
PLACES = {
    "Read": 3,
    "Architecture": 3,
    "Feature maps": 3,
    "Train": 3,
    "Experiments": 2,
    "Runs": 1,
    "Reload": 1,
}
WITHIN = {
    "Architecture": {"Architecture knob": 1},
    "Feature maps": {"Layer": 3, "Edit": 3, "Photo": 1},
    "Train": {"Train knob": 3, "Start or stop": 2},
    "Experiments": {"Experiment": 1},
}
# How often one who can do something where one is does so rather than leave.
STAY = 0.75
VIEW, RUNS = "view", "runs"
# Answers that a class may get: settings that cannot be, and lines that are full.
SETTINGS = re.compile(r":material/(tune|straighten|image_not_supported):")
FULL = re.compile(r"runs wait already|runs waiting|others wait for the server")
PHOTO = "Photo upload"


def next_step(at_random: random.Random, place: str) -> str:
    """What a student at this place does next."""
    here = WITHIN.get(place)
    if here and at_random.random() < STAY:
        return drawn(at_random, here)
    return drawn(at_random, {name: often for name, often in PLACES.items() if name != place})


def drawn(at_random: random.Random, weights: dict[str, int]) -> str:
    """One of the names, as often as it weighs."""
    return at_random.choices(list(weights), list(weights.values()))[0]


def think_s(at_random: random.Random, mean_s: float) -> float:
    """How long a student looks at the page before the next step: from half to one and a half."""
    return at_random.uniform(0.5, 1.5) * mean_s


@dataclass
class Notes:
    """What a class saw.

    Units: seconds from asking to the server's last word, by kind of interaction.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    ticks_s: list[float] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    lost: int = 0

    def add(self, kind: str, seconds: float) -> None:
        self.seconds.setdefault(kind, []).append(seconds)

    def complain(self, kind: str, text: str) -> None:
        """Note what a page showed in red, as an answer or as a fault."""
        is_answer = FULL.search(text) or (kind != PHOTO and SETTINGS.match(text))
        (self.told if is_answer else self.faults)[f"{kind}: {text[:200]}"] += 1


class Student:
    """One who works with the course in a tab."""

    def __init__(
        self, url: str, seed: int, notes: Notes, photo: bytes, sections: Sequence[str]
    ) -> None:
        self.notes, self.place, self._sections = notes, "", sections
        self.at_random = random.Random(seed)
        self._url, self._photo = url, photo
        self._seen: set[str] = set()
        self._session: Session | None = None
        self._cookies: dict[str, str] = {}
        self._steps: dict[str, Callable[[], Awaitable[None]]] = {
            "Read": self._read,
            "Runs": self._runs,
            "Reload": self._reload,
            "Architecture knob": self._knob,
            "Train knob": self._knob,
            "Layer": lambda: self._move("Feature maps layer", "layer"),
            "Edit": lambda: self._move("Feature maps edit", "edit_"),
            "Photo": self._upload,
            "Start or stop": self._train,
            "Experiment": self._experiment,
        }

    @property
    def session(self) -> Session:
        """The open tab. Raises: SessionLost where there is none."""
        if self._session is None:
            raise SessionLost("the tab is closed")
        return self._session

    async def work(self, until_s: float, think_mean_s: float) -> None:
        """One step after the other, each after some thought, up to a time of `time.monotonic`."""
        await asyncio.sleep(self.at_random.uniform(0, think_mean_s))
        while time.monotonic() < until_s:
            await self.do(next_step(self.at_random, self.place))
            await asyncio.sleep(think_s(self.at_random, think_mean_s))

    async def do(self, step: str) -> None:
        """A step, from opening the course and the view in which it can be done."""
        try:
            if self._session is None:
                await self._enter()
            view = next((name for name, steps in WITHIN.items() if step in steps), step)
            if view in WITHIN:
                await self._open(view)
            if step in self._steps:
                await self._steps[step]()
        except SessionLost as error:
            self.notes.lost += 1
            self.notes.faults[f"{step}: {error}"] += 1
            await self.leave()

    async def leave(self) -> None:
        """Close the tab; the cookies stay."""
        session, self._session, self.place = self._session, None, ""
        if session:
            self.notes.ticks_s += session.ticks_s
            self._seen.clear()
            await session.close()

    def _note(self, kind: str, seconds: float) -> None:
        self.notes.add(kind, seconds)
        red = set(self.session.page.complaints())
        for text in red - self._seen:
            self.notes.complain(kind, text)
        self._seen = red

    async def _enter(self, slug: str = "", query: str = "") -> None:
        """Open a tab on a page, with the cookies of earlier ones."""
        self._session = await Session.open(self._url, self._cookies)
        self._cookies = self.session.cookies
        seconds = await self.session.start(slug, query)
        self._note("Reload" if slug else "Home page", seconds)

    async def _open(self, view: str) -> None:
        """A view, on the page that is open or the next one."""
        if self.place in ("", "Runs"):
            await self._read()
        tabs = self.session.page.widget("tab_container", VIEW)
        if tabs and self.place != view:
            self._note(view, await self.session.change(tabs, view))
            self.place = view

    async def _read(self) -> None:
        others = [slug for slug in self._sections if slug != self.session.slug]
        slug = self.at_random.choice(others or self._sections)
        self._note("Read", await self.session.go(slug))
        self.place = "Read"

    async def _runs(self) -> None:
        self._note("Runs", await self.session.go(RUNS))
        self.place = "Runs"

    async def _reload(self) -> None:
        slug, query, place = self.session.slug, self.session.query, self.place
        await self.leave()
        await self._enter(slug, query)
        self.place = place

    async def _knob(self) -> None:
        await self._move(f"{self.place} knob", f"{self.session.slug}.")

    async def _move(self, kind: str, beginning: str) -> None:
        """Give one of the widgets whose keys begin like this another value."""
        found = [node for node in self.session.page.widgets(beginning) if node.kind != "button"]
        if not found:
            return
        widget = self.at_random.choice(found)
        value = other_value(widget, self.session.held(widget), self.at_random)
        if value is not None:
            self._note(kind, await self.session.change(widget, value))

    async def _upload(self) -> None:
        """A photo, no two with the same bytes."""
        page = self.session.page
        way = page.widget("button_group", "picture_from")
        if way and page.widget("file_uploader", "upload") is None:
            self._note("Feature maps edit", await self.session.change(way, "Upload"))
        if uploader := page.widget("file_uploader", "upload"):
            raw = self._photo + self.at_random.randbytes(8)  # after the picture's own end
            self._note(PHOTO, await self.session.upload(uploader, "photo.jpg", raw))

    async def _train(self) -> None:
        await self._press({"start": "Start", "stop": "Stop"})

    async def _experiment(self) -> None:
        """Predict, run, stop: whatever the card offers next."""
        await self._press(
            {
                "predict.": "Predict",
                "experiment_run": "Start an experiment",
                "experiment_stop": "Stop an experiment",
                "experiment_over": "Start over",
            }
        )

    async def _press(self, buttons: dict[str, str]) -> None:
        """The first of these buttons that can be pressed."""
        for beginning, kind in buttons.items():
            there: list[Node] = [
                node for node in self.session.page.widgets(beginning) if node.kind == "button"
            ]
            if there:
                pressed = self.at_random.choice(there)
                self._note(kind, await self.session.change(pressed, True))
                return
