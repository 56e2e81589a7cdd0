"""Runs whose rows or weights were tampered with: left out, or a sentence, and the page works."""

import json
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig
from pages.components import links
from tests.app.conftest import Open
from tests.app.maps_page import add_trained, fine
from tests.app.runs_page import add, listed, open_runs

GOOD = json.loads(RunConfig(network="lenet").model_dump_json())
NESTED = "[" * 50_000


def tamper(store: RunStore, run: str, **columns: str) -> None:
    with store._db.write() as db:
        for column, value in columns.items():
            db.execute(f"UPDATE runs SET {column} = ? WHERE id = ?", (value, run))


LIES: list[dict[str, str]] = [
    {"config": ""},
    {"config": NESTED},
    {"config": json.dumps({**GOOD, "lr": float("nan")})},
    {"config": json.dumps({**GOOD, "network": "no such"})},
    {"config": json.dumps({**GOOD, "dataset": "../../etc"})},
    {"config": json.dumps({**GOOD, "image_size": 10**400})},
    {"config": json.dumps({**GOOD, "probes": [{"kind": "x"}] * 10_000})},
    {"environment": "[]"},
    {"environment": NESTED},
    {"figures": '{"test_accuracy": "<b>"}'},
    {"figures": "[1]"},
    {"figures": "null"},
    {"status": "<script>"},
    {"page": "../../etc"},
    {"name": "=1+1\0![x](http://evil.example)" * 1000},
    {"weights": "/etc/passwd"},
    {"network": "no such"},
]


def test_runs_that_were_tampered_with_break_no_page(store: RunStore, open_page: Open) -> None:
    """All of them among a visitor's runs, beside a good one."""
    good = add(store, "good", network="vgg")
    bad = [add_trained(store, f"bad {number}", 0.5) for number in range(len(LIES))]
    for run, columns in zip(bad, LIES, strict=True):
        tamper(store, run, **columns)
    try:
        assert "good" in listed(open_runs())
        assert not open_runs([good, *bad]).exception
        for view in ("Train", links.MAPS):
            assert not open_page("batch_norm", view, network="lenet").exception, view
    finally:
        # Some are not among the runs that are taken away in the end.
        for run in bad:
            store.delete(run)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e38])
def test_weights_that_are_no_numbers_are_shown_as_such(
    store: RunStore, open_page: Open, value: float
) -> None:
    run = add_trained(store, "bad", 0.5)
    path = store.weights_path(run)
    tensors: dict[str, Any] = {
        name: torch.full_like(t, value) for name, t in load_file(path).items()
    }
    found = store.run(run)
    assert found is not None
    save_file(tensors, path, metadata={"config": found.config.model_dump_json()})
    app = open_page("batch_norm", links.MAPS, network="lenet", weights=run)
    assert fine(app)
    assert app.selectbox(key="weights").value == run


def test_weights_of_another_network_get_a_sentence(store: RunStore, open_page: Open) -> None:
    run, other = add_trained(store, "one", 0.5), add_trained(store, "two", 0.5, channels1=8)
    store.weights_path(run).write_bytes(store.weights_path(other).read_bytes())
    app = open_page("batch_norm", links.MAPS, network="lenet", weights=run)
    assert not app.exception
    assert "are of another network than their run" in app.error[0].value
