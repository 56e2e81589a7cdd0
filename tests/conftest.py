"""What all tests share: folders of their own, and threads that wait politely."""

import os
from collections.abc import Iterator
from pathlib import Path

# Read when PyTorch is first imported, so before anything else is.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test touches the runs or the data of whoever runs it."""
    patch = pytest.MonkeyPatch()
    patch.setenv("CNNLAB_HOME", str(tmp_path_factory.mktemp("home")))
    patch.setenv("CNNLAB_DATA", str(tmp_path_factory.mktemp("data")))
    yield
    patch.undo()
