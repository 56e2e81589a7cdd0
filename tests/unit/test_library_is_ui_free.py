"""The library needs no user interface, and its imports go one way."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = sorted((ROOT / "cnnlab").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import cnnlab
names = [m.name for m in pkgutil.walk_packages(cnnlab.__path__, "cnnlab.")]
for name in names:
    if not name.endswith(".__main__"):
        importlib.import_module(name)
print(*sorted(names))
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""

# Who may import what, by the first part of the path inside the library.
NETWORKS_MAY_IMPORT = ("cnnlab.errors", "cnnlab.validated", "cnnlab.networks")
MAY_IMPORT_TRAINING = ("training", "experiments", "export")


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(file: Path) -> Iterator[str]:
    """Full names of all that a file imports, wherever in the file; `a.b` for `from a import b`."""
    package = module_name(file).split(".")
    if file.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def ids(files: list[Path]) -> list[str]:
    return [module_name(file) for file in files]


def test_importing_the_whole_library_loads_no_user_interface():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names, loaded = (set(line.split()) for line in done.stdout.splitlines()[-2:])
    assert names == {module_name(file) for file in LIBRARY} - {"cnnlab"}
    assert "torch" in loaded
    assert not loaded & {"streamlit", "plotly", "pages", "app"}


@pytest.mark.parametrize("file", LIBRARY, ids=ids(LIBRARY))
def test_the_library_imports_neither_pages_nor_a_user_interface(file):
    forbidden = ("pages", "app", "streamlit", "plotly", "tests")
    assert [name for name in imported(file) if within(name, forbidden)] == []


def test_networks_import_no_other_part_of_the_library():
    files = [file for file in LIBRARY if module_name(file).startswith("cnnlab.networks")]
    assert files
    for file in files:
        for name in imported(file):
            assert not within(name, ("cnnlab",)) or within(name, NETWORKS_MAY_IMPORT), (file, name)


def test_only_experiments_and_export_import_training():
    for file in LIBRARY:
        part = [*module_name(file).split("."), ""][1]
        uses = [name for name in imported(file) if within(name, ("cnnlab.training",))]
        assert not uses or part in MAY_IMPORT_TRAINING, (file, uses)


def test_pages_do_not_import_each_other():
    for file in PAGES:
        uses = [
            name
            for name in imported(file)
            if within(name, ("pages",)) and not within(name, ("pages.components",))
        ]
        assert uses == [], file


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import cnnlab.training.loop as loop", ["cnnlab.training.loop"]),
        ("from cnnlab import training, catalog", ["cnnlab.training", "cnnlab.catalog"]),
        ("def f():\n    from ..training import train", ["cnnlab.training.train"]),
        ("from . import sizes", ["cnnlab.networks.sizes"]),
    ],
)
def test_every_way_to_import_is_seen(source, names, tmp_path, monkeypatch):
    """The checks above are as good as this."""
    file = tmp_path / "cnnlab" / "networks" / "new.py"
    file.parent.mkdir(parents=True)
    file.write_text(source, encoding="utf-8")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert list(imported(file)) == names
