"""What activations cost in a step: the probe that measures it, and the figures made of it."""

import math

import pytest
import torch
from torch import nn

from cnnlab.experiments.activation_time import ActivationShare, ActivationTime
from cnnlab.experiments.outcome import Outcome, gather
from cnnlab.runs.records import Curve
from cnnlab.training import train
from cnnlab.training.events import Event, Measurement, Progress
from cnnlab.training.probes import activation_cost
from cnnlab.training.probes.activation_cost import ActivationCostProbe
from tests.unit.probing import CONFIG


def test_every_activation_of_a_step_is_timed() -> None:
    found = gather(CONFIG, train(CONFIG.replace(probes=[ActivationCostProbe(every=6)])))
    last = {one.layer: one.values for one in found.measurements if one.step == 12}
    assert set(last) == {None, "act1", "act2", "act3", "act4"}
    whole = last.pop(None)["pass_s"]
    assert all(set(values) == {"forward_s", "backward_s"} for values in last.values())
    times = [time for values in last.values() for time in values.values()]
    assert all(isinstance(time, float) and time > 0 for time in times)
    assert isinstance(whole, float)
    # Two numbers, read in two ways: all of it, and a part of it.
    assert ActivationTime().read(found) < 1000 * whole
    assert 0 < ActivationShare().read(found) < 1


def test_a_timed_run_learns_the_same() -> None:
    def curve(events: list[Event]) -> list[float]:
        return [event.train_loss for event in events if isinstance(event, Progress)]

    timed = CONFIG.replace(probes=[ActivationCostProbe(every=1)])
    assert curve(list(train(timed))) == curve(list(train(CONFIG)))


def test_the_shortest_of_several_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    # Begin, middle and end of five repetitions; the third is the fastest forward.
    clock = iter([0, 5, 9, 10, 14, 18, 20, 22, 25, 30, 33, 35, 40, 47, 48])
    monkeypatch.setattr(activation_cost, "now_s", lambda _: float(next(clock)))
    assert activation_cost.shortest_s(nn.Sigmoid(), torch.randn(3)) == (2.0, 1.0)


def measured(step: int, layer: str | None, **values: float) -> Measurement:
    place = {"step": step, "epoch": 0.0, "elapsed_s": 0.0, "kind": "activation_cost"}
    return Measurement.model_validate({**place, "layer": layer, "values": values})


def test_figures_are_medians_over_the_steps() -> None:
    seen = []
    for step, forward in ((1, 0.5), (2, 0.001), (3, 0.002)):
        seen.append(measured(step, None, pass_s=0.02))
        seen.append(measured(step, "a", forward_s=forward, backward_s=0.001))
        seen.append(measured(step, "b", forward_s=0.001, backward_s=0.001))
    outcome = Outcome(CONFIG, Curve(), "finished", {}, tuple(seen))
    assert ActivationTime().read(outcome) == pytest.approx(5.0)
    assert ActivationTime("forward").read(outcome) == pytest.approx(3.0)
    assert ActivationTime("backward").read(outcome) == pytest.approx(2.0)
    assert ActivationShare().read(outcome) == pytest.approx(0.25)
    assert ActivationTime().text(5.0) == "5.00 ms"
    assert ActivationTime().apart(2.0, 5.0) == "2.5 times faster"
    assert ActivationShare().apart(0.1, 0.25) == "15.0 points less"


def test_what_was_not_observed_was_not_measured() -> None:
    nothing = Outcome(CONFIG, Curve(), "finished")
    for metric in (ActivationTime(), ActivationShare()):
        assert metric.read(nothing) == math.inf
        assert metric.text(math.inf) == "not measured"
