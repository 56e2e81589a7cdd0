"""Probes at work: which steps they look at, and what they read off one."""

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from cnnlab.training.probes.probe import Observed, Probe, Readings
from cnnlab.training.probes.values import Values, fetch


class Observer:
    """The probes of a run and the steps at which each of them looks.

    `steps` gives those of a probe's `every`.
    Raises: ConfigError where the network lacks what a probe asks for.
    """

    def __init__(
        self,
        probes: Sequence[Probe],
        run: Observed,
        steps: Callable[[int | None], frozenset[int]],
    ) -> None:
        for probe in probes:
            probe.check(run.model)
        self._run = run
        self._steps = [(probe, steps(probe.every)) for probe in probes]

    def at(self, step: int) -> "Observation | None":
        """The observation of a step; None where no probe looks at it."""
        looking = [probe for probe, steps in self._steps if step in steps]
        return Observation(looking, self._run) if looking else None


class Observation:
    """One step as its probes see it: entered before it, advanced after its backward pass."""

    def __init__(self, probes: Iterable[Probe], run: Observed) -> None:
        self._probes = [(probe.kind, probe.observe(run)) for probe in probes]
        self._readings: list[tuple[str, Readings]] = []

    def __enter__(self) -> Self:
        try:
            self.advance()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._readings = [(kind, _result(probe)) for kind, probe in self._probes]
        finally:
            self._close()

    def advance(self) -> None:
        """Let every probe go on to where it waits for the next part of the step."""
        for _, probe in self._probes:
            next(probe)

    def values(self) -> Iterator[tuple[str, str | None, Values]]:
        """What was read: a probe's kind, a layer (None for the whole network) and its values."""
        # All probes in one copy from the device.
        together = {
            f"{index} {layer}": tensors
            for index, (_, readings) in enumerate(self._readings)
            for layer, tensors in readings.items()
        }
        values = fetch(together)
        for index, (kind, readings) in enumerate(self._readings):
            for layer in readings:
                yield kind, layer or None, values[f"{index} {layer}"]

    def _close(self) -> None:
        with contextlib.ExitStack() as stack:
            for _, probe in self._probes:
                stack.callback(probe.close)


def _result(probe: Generator[None, None, Readings]) -> Readings:
    """What a probe returns after the last part of a step."""
    try:
        next(probe)
    except StopIteration as end:
        readings: Readings = end.value
        return readings
    raise RuntimeError("a probe waits for a third part of the step; a step has two")
