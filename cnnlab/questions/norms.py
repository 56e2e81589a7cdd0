"""Questions about batch normalization: what it learns, measures and takes away."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from cnnlab.networks.batch_norm import BatchNorm, NormKind, norm_kind, norm_layer
from cnnlab.questions.numbers import listed, said
from cnnlab.questions.question import Kind, LayerChoice, OfLayer
from cnnlab.questions.subject import Subject
from cnnlab.trace import Node

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, BatchNorm)
# A feature in a small batch: mean 4, standard deviation 2.
VALUES = (2.0, 2.0, 6.0, 6.0)
GAMMA, BETA = 3.0, 1.0
RUNNING, BATCH_MEAN = 2.0, 12.0
NOTHING, CHANGES = "Nothing changes", "It changes"


def norms(on: Subject) -> list[Node]:
    """The batch normalizations of a network, in the order in which they run."""
    return [n for n in on.trace.nodes if n.is_module and isinstance(on.module(n.path), NORMS)]


def first_norm(*, maps: bool) -> LayerChoice:
    """The first batch normalization of maps, or of the units of a fully-connected layer."""
    axes = 4 if maps else 2
    return lambda on: next((n.path for n in norms(on) if len(n.output_shape) == axes), None)


def kind_of(on: Subject, path: str) -> NormKind:
    module = on.module(path)
    if not isinstance(module, NORMS):
        raise LookupError("This is no batch normalization: `applies` says so.")
    return norm_kind(module)


@dataclass(frozen=True)
class NormParameters(Kind):
    """The parameters that all batch normalizations of a network have together."""

    def applies(self, on: Subject) -> bool:
        return bool(norms(on))

    def text(self, on: Subject) -> str:
        counts = Counter(node.output_shape[1] for node in norms(on))
        widths = listed([f"{n} times {w:,}" if n > 1 else f"{w:,}" for w, n in counts.items()])
        frozen = " γ and β are frozen." if self._is_frozen(on) else ""
        return (
            f"The network has {len(norms(on))} batch normalizations, over this many channels or "
            f"units: {widths}.{frozen} How many parameters do they add that are learned?"
        )

    def answer(self, on: Subject) -> int:
        return sum(node.params for node in norms(on))

    def why(self, on: Subject) -> str:
        if self._is_frozen(on):
            return "Frozen, γ stays 1 and β stays 0: nothing is learned, so it is 0."
        counts = Counter(node.output_shape[1] for node in norms(on))
        sums = " + ".join(f"{n}·{w:,}" if n > 1 else f"{w:,}" for w, n in counts.items())
        return f"A γ and a β for each: 2 · ({sums}) = {self.answer(on):,}."

    def _is_frozen(self, on: Subject) -> bool:
        return kind_of(on, norms(on)[0].path) == "frozen"


@dataclass(frozen=True)
class ValuesPerMean(OfLayer):
    """Over how many values one of the means is taken in training."""

    def text(self, on: Subject) -> str:
        path = self.path(on)
        _, width, *pixels = on.node(path).output_shape
        read = f"{width:,} maps of {pixels[0]}×{pixels[1]}" if pixels else f"{width:,} values"
        return (
            f"In training a batch has {on.number('batch_size'):,} pictures, and of each `{path}` "
            f"reads {read}. Over how many values does it take each of its means?"
        )

    def answer(self, on: Subject) -> int:
        _, _, *pixels = on.node(self.path(on)).output_shape
        return on.number("batch_size") * (pixels[0] * pixels[1] if pixels else 1)

    def why(self, on: Subject) -> str:
        batch = on.number("batch_size")
        _, width, *pixels = on.node(self.path(on)).output_shape
        if not pixels:
            return (
                f"Each of the {width:,} units has a mean of its own, over the pictures of the "
                f"batch: {batch:,}."
            )
        return (
            f"Each of the {width:,} channels has a mean of its own, over all pixels of all "
            f"pictures: {batch:,}·{pixels[0]}·{pixels[1]} = {self.answer(on):,}."
        )


@dataclass(frozen=True)
class Standardized(OfLayer):
    """What becomes of one value of a small batch."""

    def text(self, on: Subject) -> str:
        gamma, beta = self._learned(on)
        kind = kind_of(on, self.path(on))
        only = {"mean_only": " It only subtracts the mean.", "variance_only": ONLY_DIVIDES}
        batch = ", ".join(said(value) for value in VALUES)
        return (
            f"In a training batch a feature has the values {batch}, and `{self.path(on)}` has γ = "
            f"{said(gamma)} and β = {said(beta)} for it.{only.get(kind, '')} What becomes of the "
            f"value {said(VALUES[-1])}?"
        )

    def answer(self, on: Subject) -> float:
        """Computed by such a layer."""
        norm = norm_layer(kind_of(on, self.path(on)), 1, maps=False)
        if any(weight.requires_grad for weight in norm.parameters()):
            scale, shift = norm.parameters()
            with torch.no_grad():
                scale.fill_(GAMMA)
                shift.fill_(BETA)
        with torch.no_grad():
            found = norm.train()(torch.tensor(VALUES)[:, None])
        return round(float(found[-1, 0]), 2)

    def why(self, on: Subject) -> str:
        gamma, beta = (said(number) for number in self._learned(on))
        batch = torch.tensor(VALUES)
        mean, spread = float(batch.mean()), float(batch.std(correction=0))
        kind, x = kind_of(on, self.path(on)), said(VALUES[-1])
        top = x if kind == "variance_only" else f"({x} − {said(mean)})"
        middle = top if kind == "mean_only" else f"{top} / {said(spread)}"
        return (
            f"The mean is {said(mean)} and the standard deviation {said(spread)}: {gamma} · "
            f"{middle} + {beta} = {said(self.answer(on))}."
        )

    def _learned(self, on: Subject) -> tuple[float, float]:
        return (1.0, 0.0) if kind_of(on, self.path(on)) == "frozen" else (GAMMA, BETA)


ONLY_DIVIDES = " It only divides by the standard deviation."


@dataclass(frozen=True)
class RunningMean(OfLayer):
    """Where a running mean stands after one more batch."""

    def text(self, on: Subject) -> str:
        return (
            f"The running mean of a channel of `{self.path(on)}` stands at {said(RUNNING)}. In the "
            f"next training batch its mean is {said(BATCH_MEAN)}. PyTorch's momentum is "
            f"{self._momentum(on):g}. Where does the running mean stand then?"
        )

    def answer(self, on: Subject) -> float:
        """Computed by such a layer."""
        norm = norm_layer(kind_of(on, self.path(on)), 1, maps=False)
        norm.running_mean.fill_(RUNNING)  # type: ignore[union-attr]
        norm.train()(torch.tensor([[BATCH_MEAN - 1], [BATCH_MEAN + 1]]))
        return round(float(norm.running_mean), 2)  # type: ignore[arg-type]

    def why(self, on: Subject) -> str:
        m = self._momentum(on)
        return (
            f"It moves a share of {m:g} of the way: {said(1 - m)}·{said(RUNNING)} + {m:g}·"
            f"{said(BATCH_MEAN)} = {said(self.answer(on))}."
        )

    def _momentum(self, on: Subject) -> float:
        module = on.module(self.path(on))
        return float(getattr(module, "momentum", 0.1))


@dataclass(frozen=True)
class Unmoved(OfLayer):
    """Whether a change of the layer before shows behind batch normalization, in training."""

    change: Literal["bias", "scale"]

    def applies(self, on: Subject) -> bool:
        if not super().applies(on):
            return False
        weighted, _ = self._before(on)
        if weighted is None:
            return False
        return self.change == "scale" or getattr(on.module(weighted), "bias", None) is not None

    def text(self, on: Subject) -> str:
        weighted, between = self._before(on)
        done = {
            "bias": f"Add 1 to every bias of `{weighted}`.",
            "scale": f"Double all weights and biases of `{weighted}`.",
        }[self.change]
        order = ", ".join(f"`{path}`" for path in [weighted, *between, self.path(on)])
        only = {"mean_only": " The norm only subtracts the mean.", "variance_only": ONLY_DIVIDES}
        return (
            f"These layers follow each other: {order}.{only.get(kind_of(on, self.path(on)), '')} "
            f"{done} What happens in training to what leaves `{self.path(on)}`?"
        )

    def choices(self, on: Subject) -> tuple[str, ...]:  # noqa: ARG002
        return NOTHING, CHANGES

    def answer(self, on: Subject) -> str:
        """Computed by such layers."""
        before = torch.linspace(-2, 3, 64)[:, None]
        after = before + 1 if self.change == "bias" else 2 * before
        norm = norm_layer(kind_of(on, self.path(on)), 1, maps=False).train()
        one, other = (norm(self._activated(on, x)) for x in (before, after))
        return NOTHING if torch.allclose(one, other, atol=1e-3) else CHANGES

    def why(self, on: Subject) -> str:
        _, between = self._before(on)
        x = torch.linspace(-2, 3, 64)[:, None]
        if between:
            if self.change == "bias":
                return (
                    f"`{between[0]}` stands between: φ(x + 1) is not φ(x) + 1, so more than the "
                    "mean moves."
                )
            if not torch.allclose(self._activated(on, 2 * x), 2 * self._activated(on, x)):
                return (
                    f"`{between[0]}` stands between: φ(2x) is not 2·φ(x), so more than the "
                    "scale changes."
                )
        return REASONS[self.change].get(kind_of(on, self.path(on)), REASONS[self.change]["full"])

    def _before(self, on: Subject) -> tuple[str | None, list[str]]:
        """The layer with weights that a norm reads from, and what stands between."""
        between: list[str] = []
        for node in reversed(on.way(self.path(on))[:-1]):
            if not node.is_module:
                break
            if isinstance(on.module(node.path), nn.Conv2d | nn.Linear):
                return node.path, between[::-1]
            between.append(node.path)
            if len(between) > 1:
                break
        return None, []

    def _activated(self, on: Subject, x: Tensor) -> Tensor:
        _, between = self._before(on)
        for path in between:
            x = on.module(path)(x)
        return x


REASONS: dict[str, dict[str, str]] = {
    "bias": {
        "full": "The mean rises by 1 as well: (x + 1) − (μ + 1) = x − μ. The bias has no effect.",
        "variance_only": "Without the mean nothing takes the 1 away: (x + 1) / σ = x / σ + 1 / σ.",
    },
    "scale": {
        "full": "Mean and standard deviation double as well: (2x − 2μ) / 2σ = (x − μ) / σ, apart "
        "from the tiny ε.",
        "mean_only": "Without the standard deviation nothing takes the 2 away: 2x − 2μ = "
        "2·(x − μ).",
        "variance_only": "The standard deviation doubles as well: 2x / 2σ = x / σ, apart from the "
        "tiny ε.",
    },
}
