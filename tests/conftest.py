"""What all tests share: folders of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import cnnlab  # noqa: F401  (before PyTorch: it sets how threads wait)

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test touches the runs or the data of whoever runs it."""
    patch = pytest.MonkeyPatch()
    patch.setenv("CNNLAB_HOME", str(tmp_path_factory.mktemp("home")))
    patch.setenv("CNNLAB_DATA", str(tmp_path_factory.mktemp("data")))
    patch.setenv("CNNLAB_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()
