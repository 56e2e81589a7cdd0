"""What tests of faults share: a small data set."""

from collections.abc import Iterator

import pytest

from cnnlab.datasets import cache
from cnnlab.training import loop


@pytest.fixture(scope="module")
def few_pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A data set that is drawn in a moment, read by all processes that start here."""
    patch = pytest.MonkeyPatch()
    patch.setenv("CNNLAB_CACHE", str(tmp_path_factory.mktemp("few")))
    patch.setattr(cache, "TRAIN_SIZE", 512)
    patch.setattr(cache, "TEST_SIZE", 64)
    # A process keeps the set that it trained with last: none is taken over, none is left behind.
    loop.resident.cache_clear()
    cache.load_shapes()
    yield
    patch.undo()
    loop.resident.cache_clear()
