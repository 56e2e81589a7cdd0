"""What the machine has, and what of it a request may take."""

import pytest

from cnnlab import budget, catalog, cgroups
from cnnlab.errors import ConfigError
from cnnlab.trace import trace_of


def test_the_container_counts_where_it_has_less_than_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cgroups, "memory_limit", lambda: None)
    installed = budget.memory_bytes()
    assert installed > 2**28
    monkeypatch.setattr(cgroups, "memory_limit", lambda: 2**28)
    assert budget.memory_bytes() == 2**28
    monkeypatch.setattr(cgroups, "memory_limit", lambda: 2**50)
    assert budget.memory_bytes() == installed


def test_the_operator_sets_what_runs_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CNNLAB_MEMORY_MB", raising=False)
    assert budget.runs_bytes() == int(budget.RUNS * budget.memory_bytes())
    monkeypatch.setenv("CNNLAB_MEMORY_MB", "1500")
    assert budget.runs_bytes() == 1500 * 2**20


@pytest.mark.parametrize("given", ["", "0", "-1", "1e9", "lots", "٣"])
def test_other_values_are_a_sentence(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("CNNLAB_MEMORY_MB", given)
    with pytest.raises(ConfigError, match="whole number of megabytes"):
        budget.runs_bytes()


def test_a_page_refuses_a_network_that_is_too_large_for_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = catalog.network("vgg")
    found = trace_of(spec, spec.preset("vgg19"), 224)
    monkeypatch.setattr(budget, "memory_bytes", lambda: 8 * 2**30)
    params = sum(node.params for node in found.nodes)
    budget.check_pass(found, params)
    monkeypatch.setattr(budget, "memory_bytes", lambda: 2 * 2**30)
    with pytest.raises(ConfigError, match=r"takes 58\d MB of memory, and a page may take 256 MB"):
        budget.check_pass(found, params)
    # Without the layers that only classify it fits.
    budget.check_pass(found, 20_000_000)
