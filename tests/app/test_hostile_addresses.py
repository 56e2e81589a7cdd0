"""Hostile addresses: whatever a link says, a page opens, works, and shows no stranger's markup.

Which parameters there are is asked of the pages, so that a widget added later is covered.
"""

import ast
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.state.query_params import QueryParams
from streamlit.runtime.state.query_params_proxy import QueryParamsProxy
from streamlit.testing.v1 import AppTest

from cnnlab.catalog import NETWORKS, SECTIONS
from cnnlab.compare.race import TERMS
from cnnlab.runs.store import RunStore
from pages.components import frame, links, section
from tests.app import runs_page
from tests.conftest import ROOT

# A word that no page has; where it stands beside a sign that Markdown reads, it was not escaped.
WORD = "qzx7"
MARKUP = (
    f"<script>alert('{WORD}')</script>",
    f"<img src=x onerror={WORD}>",
    f"![{WORD}](http://evil.example/a.png)",
    f"[{WORD}](javascript:{WORD})",
    f":red[{WORD}]",
    f":material/{WORD}:",
    rf"$\\LaTeX {WORD}$",
    f"`{WORD}`",
)
NUMBERS = ("NaN", "inf", "-inf", "-1", "1e999", "1" + "0" * 400, "9" * 30, "0x10", "1_0", "-0.0")
# The value of a parameter as it stands in an address: bytes go there as they are.
HOSTILE: tuple[Any, ...] = (
    *MARKUP,
    *NUMBERS,
    WORD * 2500,
    "٣",
    "３",
    "",
    "\0",
    "1\0",
    b"\xed\xa0\x80",
    "\N{RIGHT-TO-LEFT OVERRIDE}3",
    ["1", f"<b>{WORD}"],
    ["2"] * 300,
    "[1, 2]",
    '{"a": 1}',
    "null",
    "true",
    "'; DROP TABLE runs; --",
    "../../etc/passwd",
    *NETWORKS,
    "densenet.d2l~growth_rate=64",
    f"vgg.d2l~<b>{WORD}=1",
    f"<b>{WORD}.d2l",
)
# Where elements have text that is read as Markdown.
MARKDOWN = ("body", "label", "help", "caption")
# One address may not cost the others their turn. Units: seconds of the server's CPU.
LONGEST_S = 6.0

# Openings of each place; each gives every parameter another value.
TURNS = 4
# Where this is given, the page has nothing else.
ALONE = "shared"

COMPONENTS = ROOT / "pages" / "components"
Place = tuple[str, Mapping[str, str]]
CHAPTER = {slug: str(frame.CHAPTER / f"{slug}.py") for slug in SECTIONS}
WORKBENCH = {name: str(frame.WORKBENCH / f"{name}.py") for name in frame.WORKBENCH_PAGES}
FRESH = {"view": links.MAPS, links.WEIGHTS: links.FRESH_TITLE}
# Every view of a page, and each choice that brings other widgets.
PLACES: list[Place] = [
    *((CHAPTER["nin"], {"view": view}) for view in section.VIEWS),
    (CHAPTER["nin"], FRESH),
    (CHAPTER["nin"], {"view": links.MAPS, "edit_cover": "20"}),
    (CHAPTER["nin"], {"view": "Train", "follow": "true"}),
    *(
        (path, {"view": "Train" if slug == "batch_norm" else "Architecture"})
        for slug, path in CHAPTER.items()
        if slug != "nin"
    ),
    (WORKBENCH["runs"], {}),
    *((WORKBENCH["compare"], {"race.equal": one.title}) for one in TERMS.values()),
    (WORKBENCH["compare"], {"compare.size": "Full size"}),
]


@pytest.fixture(autouse=True)
def runs(store: RunStore) -> None:
    """Runs to filter and to look into."""
    for name in ("one", "two"):
        runs_page.add(store, name)


def open_at(where: str, query: Mapping[str, Any]) -> AppTest:
    """A new tab at an address."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.switch_page(where)
    app.query_params.update(query)
    return app.run()


def bound(app: AppTest) -> set[str]:
    """The parameters that widgets are bound to."""
    session: Any = app.session_state
    return set(session._state._state.query_params._bindings_by_param)


@cache
def survey(place: int) -> tuple[set[str], set[str], set[tuple[str, int]]]:
    """The parameters of a place: of its widgets, and those that the page reads by itself.

    Beside them the lines of our sources from which a widget was bound.
    """
    read: set[str] = set()
    lines: set[tuple[str, int]] = set()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("__getitem__", "__contains__"):
            patch.setattr(QueryParamsProxy, name, noted(getattr(QueryParamsProxy, name), read.add))
        bind = QueryParams.bind_widget
        patch.setattr(QueryParams, "bind_widget", noted(bind, lambda _: lines.add(our_line())))
        app = open_at(*PLACES[place])
    assert not app.exception
    return bound(app), read, lines


def noted(method: Callable[..., Any], note: Callable[[str], object]) -> Callable[..., Any]:
    """A method that tells which key it was called with."""

    def noting(this: object, *given: Any, **named: Any) -> Any:
        note(str([*given, *named.values()][0]))
        return method(this, *given, **named)

    return noting


def our_line() -> tuple[str, int]:
    """Where in the pages Streamlit was called from."""
    frame: Any = sys._getframe()
    while COMPONENTS not in Path(frame.f_code.co_filename).parents:
        frame = frame.f_back
    return Path(frame.f_code.co_filename).name, frame.f_lineno


def strange(app: AppTest) -> list[str]:
    """What a page draws of a stranger's text as Markdown, or at a length that nobody reads."""
    drawn: list[Any] = [element for element in app._tree if hasattr(element, "proto")]
    texts = [str(getattr(element.proto, name, "")) for element in drawn for name in MARKDOWN]
    return [
        text[:200] for text in texts if any(one in text for one in MARKUP) or text.count(WORD) > 20
    ]


def checked(app: AppTest, query: Mapping[str, Any]) -> None:
    """No exception, and no markup of a stranger."""
    assert not app.exception, (query, [box.value for box in app.exception])
    assert not strange(app), (query, strange(app))


def open_twice(where: str, query: Mapping[str, Any]) -> AppTest:
    """Open an address and draw the page again, with what it made of the address."""
    begin_s = time.process_time()
    app = open_at(where, query)
    took_s = time.process_time() - begin_s
    checked(app, query)
    checked(app.run(), query)
    assert took_s < LONGEST_S, (query, took_s)
    return app


@pytest.mark.parametrize("place", range(len(PLACES)), ids=str)
def test_whatever_a_link_says_the_page_works(place: int) -> None:
    where, fixed = PLACES[place]
    there, read, _ = survey(place)
    parts = links.WRITTEN if where in CHAPTER.values() else set[str]()
    names = sorted((there | read | parts) - {*fixed, ALONE})
    for turn in range(TURNS):
        first = turn * len(HOSTILE) // TURNS + place
        query = {name: HOSTILE[(first + 7 * i) % len(HOSTILE)] for i, name in enumerate(names)}
        app = open_twice(where, {**query, **fixed})
        # What is there depends on the knobs, where one of the values was good for one of them.
        if not links.WRITTEN & set(app.query_params):
            assert there <= bound(app), query


def test_a_link_to_a_shared_run() -> None:
    for value in HOSTILE[::4]:
        open_twice(WORKBENCH["runs"], {ALONE: value})


def test_no_widget_is_forgotten() -> None:
    """Each place in the sources where a widget is bound to the address was tried above."""
    tried = {line for place in range(len(PLACES)) for line in survey(place)[2]}
    for file in COMPONENTS.glob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and any(word.arg == "bind" for word in call.keywords):
                lines = range(call.lineno, (call.end_lineno or call.lineno) + 1)
                assert any((file.name, n) in tried for n in lines), f"{file.name}:{call.lineno}"
