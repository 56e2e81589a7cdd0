"""The plan of rooms: sizes of files and functions, and what each of them keeps to."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlab.catalog import NETWORKS, SECTIONS
from pages.components.section import VIEWS
from tests.source_files import BENCHMARKS, LIBRARY, PAGES, ROOT, TESTS, ids, imported, module_name

LONGEST_FILE, LONGEST_FUNCTION, LONGEST_PAGE = 300, 50, 60
APP = ROOT / "app.py"
SHIPPED = [*LIBRARY, *PAGES, *BENCHMARKS, APP]
EVERYTHING = [*SHIPPED, *TESTS]
PAGE_FILES = [file for file in PAGES if file.parent.name in ("chapter", "workbench")]


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_the_servers_settings_can_be_read() -> None:
    """Streamlit starts without any of them where one line is wrong, and only logs it."""
    found = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert found["server"]["address"] == "127.0.0.1"
    assert found["global"]["disableWidgetStateDuplicationWarning"]
    assert found["global"]["minCachedMessageSize"] < 10_000


def test_no_file_holds_two_ideas() -> None:
    assert [module_name(f) for f in EVERYTHING if len(lines(f)) > LONGEST_FILE] == []


def test_no_function_holds_two_ideas() -> None:
    long = [
        f"{module_name(file)}.{function.name}"
        for file in EVERYTHING
        for function in functions(file)
        if length(function) > LONGEST_FUNCTION
    ]
    assert long == []


def test_every_file_is_named_after_its_idea() -> None:
    vague = {"utils", "util", "helpers", "misc", "common"}
    assert [file for file in EVERYTHING if vague & set(file.relative_to(ROOT).parts)] == []
    assert [file for file in EVERYTHING if file.stem in vague] == []


def test_every_module_of_the_library_is_used_by_more_than_tests() -> None:
    """Used: imported, started with `python -m`, or shown to readers."""
    imports = {name for file in SHIPPED for name in imported(file)}
    started = {
        node.value
        for file in SHIPPED
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    shown = {
        f"cnnlab.networks.{file.stem}"
        for section in SECTIONS.values()
        for file in section.source_files(NETWORKS[section.networks[0]])
    }
    unused = [
        name
        for name in ids(LIBRARY)
        if not name.endswith(".__main__")
        and name not in started | shown
        and not any(used == name or used.startswith(name + ".") for used in imports)
    ]
    assert unused == []


@pytest.mark.parametrize("file", PAGE_FILES, ids=ids(PAGE_FILES))
def test_a_page_says_what_is_particular_to_it_and_calls_components(file: Path) -> None:
    assert len(lines(file)) <= LONGEST_PAGE
    assert list(functions(file)) == [], "functions belong into pages/components"
    outside = [n for n in imported(file) if not n.startswith(("cnnlab.catalog", "pages."))]
    assert outside == []


def test_views_of_a_page_do_not_import_each_other() -> None:
    """What two views need stands in a component of its own. Directly or by way of others."""
    own = {module_name(file): set(imported(file)) & set(ids(PAGES)) for file in PAGES}
    views = {show.__module__ for show in VIEWS.values()}
    assert len(views) == len(VIEWS) > 3
    for view in views:
        reached, ahead = set[str](), own[view]
        while ahead:
            reached |= ahead
            ahead = {name for module in ahead for name in own[module]} - reached
        assert reached & views == set(), view


def test_one_file_alone_knows_the_session_state() -> None:
    users = [
        module_name(file)
        for file in [*PAGES, APP]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "session_state"
    ]
    assert set(users) == {"pages.components.state"}
