"""Settings and fixtures of the unit tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.unit.run_server import Server

# Small tensors: a second thread only waits for the first, and on a busy machine for long.
torch.set_num_threads(1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A run manager whose engine and clock the test moves."""
    server = Server(tmp_path)
    yield server
    server.manager.close()
    server.store.close()
