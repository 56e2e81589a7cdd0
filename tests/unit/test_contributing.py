"""CONTRIBUTING.md names every file that something new touches: one of each is added to a copy."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.additions import ADDITIONS, Addition
from tests.conftest import ROOT

# In a process of its own, because it imports the copy.
USE_THEM = """
import json
from cnnlab import catalog, datasets, diagrams, exercises
from cnnlab.trace import trace_of
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Finished, Measurement

spec = catalog.network("plain")
trace = trace_of(spec, spec.preset("d2l"), 28)
config = RunConfig(
    network="plain", dataset="dots", optimizer="rmsprop", probes=[{"kind": "logits"}],
    train_size=32, lr=0.001, device="cpu", precision="float32",
)
config = RunConfig.from_json(config.model_dump_json())
events = list(train(config))
found = {
    "operations": [node.operation for node in trace.nodes],
    "figures": [figure.title for figure in diagrams.figures("plain", {"plain": trace})],
    "state": datasets.state("dots").message,
    "classes": len(datasets.load("dots").class_names),
    "steps": [event.step for event in events if isinstance(event, Finished)],
    "promises": [one.holds for one in exercises.check(exercises.EXERCISES["plain-width"])],
    "measured": [(e.kind, e.step, list(e.values)) for e in events if isinstance(e, Measurement)],
}

from streamlit.testing.v1 import AppTest

pages = {
    "read": ("pages/chapter/plain.py", "Read"),
    "section": ("pages/chapter/plain.py", "Architecture"),
    "train": ("pages/chapter/plain.py", "Train"),
    "page across sections": ("pages/workbench/glossary.py", None),
}
for name, (file, view) in pages.items():
    app = AppTest.from_file("app.py", default_timeout=60).switch_page(file)
    if view:
        app.session_state["view"] = view
    app.run()
    found[name] = {
        "titles": [title.value for title in app.title],
        "problems": [str(one.value) for one in [*app.exception, *app.error]],
        "code": any("class PlainBlock" in block.value for block in app.code),
        "text": "".join(block.value for block in app.markdown),
        "choices": [option for box in app.selectbox for option in box.options],
    }
from pages.components import services

services.run_manager().close()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project to which one thing of each kind was added."""
    root = tmp_path_factory.mktemp("project")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    for addition in ADDITIONS:
        addition.apply(root)
    return root


@pytest.fixture(scope="module")
def found(project: Path) -> Any:
    """What the copy makes of what was added."""
    done = subprocess.run(
        [sys.executable, "-c", USE_THEM],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def promised() -> dict[str, set[str]]:
    """The table of CONTRIBUTING.md: the files of each kind of thing, as patterns."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:A|An) ([a-z ]+?) \|(.+)\|$", text, flags=re.MULTILINE)
    return {kind: set(re.findall(r"`([\w/<>]+\.\w+)`", cells)) for kind, cells in rows}


@pytest.mark.parametrize("addition", ADDITIONS, ids=lambda addition: addition.name)
def test_exactly_the_files_of_the_table_are_touched(addition: Addition) -> None:
    names = {re.sub(r"<\w+>", "*", name) for name in promised()[addition.name]}
    matched = {
        name: [file for file in addition.touched if Path(file).match(name)] for name in names
    }
    assert all(matched.values()), matched
    assert addition.touched == {file for files in matched.values() for file in files}


def test_every_row_of_the_table_is_tried() -> None:
    assert set(promised()) == {addition.name for addition in ADDITIONS}


def test_a_new_network_is_traced_and_drawn(found: Any) -> None:
    assert found["operations"] == ["input", "Conv2d", "ReLU", "MaxPool2d", "Flatten", "Linear"]
    assert found["figures"] == ["Plain from input to output", "PlainBlock of Plain in detail"]


def test_it_trains_on_a_new_data_set_with_a_new_optimizer_under_a_new_probe(found: Any) -> None:
    assert (found["state"], found["classes"]) == ("Dots are drawn.", 2)
    assert found["steps"] == [2]
    assert ["logits", 1, ["mean"]] in found["measured"]


def test_a_new_section_has_its_views(found: Any) -> None:
    for view in ("read", "section", "train"):
        assert found[view]["titles"] == ["9.8 Plain"]
        assert found[view]["problems"] == []
    assert "In plain words." in found["read"]["text"]
    assert "flowchart" in found["read"]["text"]
    assert found["section"]["code"]
    assert {"Dots", "Rmsprop"} <= set(found["train"]["choices"])


def test_a_new_exercise_is_on_its_page_and_keeps_its_promise(found: Any) -> None:
    assert "Double the channels." in found["read"]["text"]
    assert found["promises"] == [True]


def test_a_new_page_across_sections_opens(found: Any) -> None:
    assert found["page across sections"]["titles"] == ["Glossary"]
    assert found["page across sections"]["problems"] == []
