"""`pip install .` gives the library, which trains without the rest of the project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

USE_IT = """
import cnnlab, sys
from cnnlab import catalog
from cnnlab.summary import summarize
from cnnlab.training import RunConfig, train
print(cnnlab.__file__)
print(summarize(catalog.build("lenet"), (1, 1, 28, 28)).params)
config = RunConfig(network="lenet", train_size=64, batch_size=32, epochs=1, image_size=16)
print([event for event in train(config)][-1].step)
"""


def test_the_installed_library_works_without_the_rest_of_the_project(tmp_path: Path) -> None:
    # A copy, because building leaves files beside the sources.
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "cnnlab", source / "cnnlab")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "--no-build-isolation", "--target", str(site), str(source)],
        check=True,
        timeout=120,
    )
    done = subprocess.run(
        [sys.executable, "-c", USE_IT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    where, params, steps = done.stdout.split()
    assert Path(where).parent == site / "cnnlab"
    assert (params, steps) == ("61706", "2")
