"""Settings and fixtures of the unit tests."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from cnnlab.training import precision, step_timing
from tests.unit.run_server import Server

# Small tensors: a second thread only waits for the first, and on a busy machine for long.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No run times its steps before it starts: that takes longer than a test's few steps."""
    monkeypatch.setattr(
        precision, "StepTimer", lambda *_: SimpleNamespace(step_s=lambda: 1.0, busy=False)
    )


@pytest.fixture
def really_timed(monkeypatch: pytest.MonkeyPatch, untimed: None) -> None:  # noqa: ARG001
    """Steps are timed as outside of the tests."""
    monkeypatch.setattr(precision, "StepTimer", step_timing.StepTimer)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A run manager whose engine and clock the test moves."""
    server = Server(tmp_path)
    yield server
    server.manager.close()
    server.store.close()
