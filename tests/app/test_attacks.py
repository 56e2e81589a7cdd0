"""The attacks that once took the server away from a class, as they were."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from cnnlab import devices, layer_maps
from cnnlab.catalog import NETWORKS
from cnnlab.layer_maps import Seen
from pages.components import links, maps_cache, state
from pages.components.maps_cache import Pass, Weights
from tests.app.conftest import Open
from tests.memory import peak_mb

# The link kept the maps of every layer: 8.8 GB for one picture.
LINK = {
    "growth_rate": "64",
    "layers": "6-12-24-16",
    "bottleneck": "true",
    "compression": "1.0",
    "stem": "3x3",
    "stem_channels": "128",
    "image_size": "256",
}


def test_the_link_that_took_eight_gigabytes(open_page: Open) -> None:
    open_page("densenet", links.MAPS)
    begin_mb = peak_mb()
    app = open_page("densenet", links.MAPS, link={links.WEIGHTS: links.FRESH_TITLE, **LINK})
    assert not app.exception
    assert not app.warning, "the knobs are legal"
    assert "Make the network narrower or the input smaller" in app.error[0].value
    assert peak_mb() - begin_mb < 500
    # The way back is there.
    assert app.selectbox(key="densenet.densenet.stem").value == "3x3"


def test_six_presses_of_an_arrow_key_and_thirty_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each press wants a pass over another picture; six at once once took 3.3 GB."""
    presser = threading.local()
    monkeypatch.setattr(state, "visitor", lambda: presser.name)
    look, lock = layer_maps.look, threading.Lock()
    working: list[str] = []
    most = {"all": 0, "ann": 0}

    def watched(*given: Any) -> Seen:
        with lock:
            working.append(presser.name)
            most["all"] = max(most["all"], len(working))
            most["ann"] = max(most["ann"], working.count("ann"))
        time.sleep(0.02)
        try:
            return look(*given)
        finally:
            with lock:
                working.remove(presser.name)

    monkeypatch.setattr(layer_maps, "look", watched)
    spec = NETWORKS["lenet"]
    weights = Weights(spec.name, spec.presets["small"], spec.preset_image_size("small"), seed=4711)

    def press(name: str, number: int) -> int:
        presser.name = name
        picture = torch.full((1, 1, weights.image_size, weights.image_size), number / 255)
        return len(maps_cache.maps_of(Pass(weights, picture)))

    readers = [("ann", number) for number in range(6)]
    readers += [(f"reader {number}", 6 + number) for number in range(30)]
    with ThreadPoolExecutor(len(readers)) as pool:
        found = list(pool.map(press, *zip(*readers, strict=True)))
    assert len(set(found)) == 1
    assert found[0] > 0
    assert most["ann"] == 1
    assert 1 <= most["all"] <= devices.usable_cores()
