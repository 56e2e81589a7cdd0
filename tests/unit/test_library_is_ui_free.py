"""The library needs no user interface, and its imports go one way."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_files import LIBRARY, PAGES, ROOT, ids, imported, module_name, within

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
# Rooms from the inside out; a room imports from those before it, never from those after it.
ORDER = (
    ("errors", "validated", "folders", "atomic", "words", "kept", "forgetting"),
    ("networks",),
    ("devices", "gpus", "cgroups", "allocator", "run_delay", "process_memory"),
    (
        "catalog",
        "misfit",
        "network_spec",
        "obstacle",
        "hooks",
        "shape_rules",
        "datasets",
        "images",
        "image_headers",
        "picture_edits",
    ),
    ("trace", "receptive_field"),
    ("budget", "pass_price"),
    ("summary", "layer_csv", "diagrams", "features", "activation_curves"),
    ("layer_maps", "colour_maps", "mosaic", "difference", "explain", "scores"),
    ("training",),
    ("checkpoints",),
    ("augmented", "configuration", "norm_bench", "norm_by_hand", "pointwise"),
    ("runs",),
    ("jobs",),
    ("experiments", "exercises", "questions", "compare"),
)


def test_importing_the_whole_library_loads_no_user_interface_and_no_cluster() -> None:
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
    # A cluster is chosen by the operator; without, its library need not be there.
    assert "ray" not in loaded
    # It takes a third of the time in which a process starts, and only reading a data set needs it.
    assert "torchvision" not in loaded


@pytest.mark.parametrize("file", LIBRARY, ids=ids(LIBRARY))
def test_the_library_imports_neither_pages_nor_a_user_interface(file: Path) -> None:
    forbidden = ("pages", "app", "streamlit", "plotly", "tests")
    assert [name for name in imported(file) if within(name, forbidden)] == []


def test_networks_import_no_other_part_of_the_library() -> None:
    files = [file for file in LIBRARY if module_name(file).startswith("cnnlab.networks")]
    assert files
    for file in files:
        for name in imported(file):
            assert not within(name, ("cnnlab",)) or within(name, NETWORKS_MAY_IMPORT), (file, name)


def room(name: str) -> int:
    """How far out the room of a module is."""
    part = name.split(".")[1]
    found = [level for level, parts in enumerate(ORDER) if part in parts]
    assert found, f"{name} belongs to no room: give it a place in ORDER"
    return found[0]


@pytest.mark.parametrize("file", LIBRARY, ids=ids(LIBRARY))
def test_inside_the_library_imports_go_one_way(file: Path) -> None:
    if module_name(file) == "cnnlab":
        return
    own = room(module_name(file))
    inside = [name for name in imported(file) if name.startswith("cnnlab.")]
    assert [name for name in inside if room(name) > own] == []


def test_pages_do_not_import_each_other() -> None:
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
def test_every_way_to_import_is_seen(source: str, names: list[str], tmp_path: Path) -> None:
    """The checks above are as good as this."""
    file = tmp_path / "cnnlab" / "networks" / "new.py"
    file.parent.mkdir(parents=True)
    file.write_text(source, encoding="utf-8")
    assert list(imported(file, tmp_path)) == names
