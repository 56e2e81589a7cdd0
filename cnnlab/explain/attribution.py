"""What mattered: where a picture speaks for a class, by three methods, and what each costs.

Source: captum 0.9, which computes them; the papers are named with the methods.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from types import ModuleType

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from cnnlab import pass_price
from cnnlab.errors import CnnLabError, ConfigError
from cnnlab.features import makes_maps
from cnnlab.hooks import private_copy
from cnnlab.trace import Trace

# What one map may take: 10 seconds of a slow core. A gradient costs two passes besides its own.
MOST_MACS = 100 * 10**9
FORWARD_AND_BACK = 3
# Values of all layers that may be in memory at once, for as many pictures as that allows.
MOST_VALUES = 32 * 2**20
# Steps from the black picture, and squares along a side, from the best down to the worst.
STEPS = (192, 96, 48, 32, 24, 16)
SQUARES = (15, 11, 7)


@dataclass(frozen=True)
class Plan:
    """How a map will be computed, known before it is paid for.

    `detail` are steps or squares along a side, `passes` pictures through the network, `at_once`
    those that share the memory.
    """

    detail: int
    passes: int
    macs: int
    at_once: int


@dataclass(frozen=True)
class Method:
    """A way to say what mattered; `source` is its paper.

    `says` and `silent` are what it tells a reader and what it does not; `{}` is filled in with
    what `about` names.
    """

    name: str
    title: str
    source: str
    says: str
    silent: str
    details: tuple[int, ...]
    passes: Callable[[int], int]
    compute: Callable[[nn.Module, Tensor, int, Plan, Trace], Tensor]

    def plan(self, trace: Trace) -> Plan:
        """The finest map that is affordable.

        Raises: ConfigError when not even the coarsest is.
        """
        pass_price.check_price(trace)
        macs = sum(node.macs for node in trace.nodes)
        values = sum(prod(node.output_shape) for node in trace.nodes)
        for detail in self.details:
            passes = self.passes(detail)
            if passes * macs <= MOST_MACS:
                return Plan(detail, passes, passes * macs, max(1, MOST_VALUES // values))
        coarsest = self.passes(self.details[-1])
        raise ConfigError(
            f"{self.title} needs {coarsest} passes through this network, "
            f"{coarsest * macs / 1e9:,.0f} billion multiplications; up to {MOST_MACS / 1e9:,.0f} "
            "billion are allowed. Choose another method, a narrower network or a smaller input."
        )


@dataclass(frozen=True)
class Attribution:
    """A map over the picture: above zero speaks for the class, below zero against it.

    `score` is the logit of the class, `baseline` that of what the method compares with, if any.

    Shape: `values` (H, W).
    """

    values: Tensor
    score: float
    baseline: float | None = None

    @property
    def total(self) -> float:
        return float(self.values.sum())

    @property
    def is_empty(self) -> bool:
        """Whether nothing mattered, or what was computed is no number."""
        return not bool(self.values.isfinite().all() and self.values.any())

    @property
    def nbytes(self) -> int:
        return self.values.numel() * self.values.element_size()


def attribute(
    model: nn.Module, batch: Tensor, target: int, method: Method, trace: Trace
) -> Attribution:
    """The map of one picture for one class; the network is left as it was.

    Shape: `batch` (1, C, H, W).
    Raises: ConfigError for a class that is not there or a map that costs too much; CnnLabError
    where captum is not installed.
    """
    plan = method.plan(trace)
    # The hooks of a method, and its passes, are not those of another visitor.
    own = private_copy(model)
    with torch.no_grad():
        logits = own(batch)[0]
        if not 0 <= target < len(logits):
            raise ConfigError(
                f"There is no class {target}; this network has classes 0 to {len(logits) - 1}."
            )
        black = own(torch.zeros_like(batch))[0] if method is INTEGRATED_GRADIENTS else None
    picture = batch.clone().requires_grad_()
    values = method.compute(own, picture, target, plan, trace).detach().float()
    baseline = None if black is None else float(black[target])
    return Attribution(values, float(logits[target]), baseline)


def last_maps(trace: Trace) -> str:
    """The last layer whose maps have more than one pixel, which is where Grad-CAM looks.

    Raises: ConfigError where there is none.
    """
    found = [
        name
        for name, shape in trace.shapes.items()
        if len(shape) == 4 and min(shape[2:]) > 1 and makes_maps(trace.outline.get_submodule(name))
    ]
    if not found:
        raise ConfigError("No layer of this network has maps of more than one pixel.")
    return found[-1]


def likeness(one: Tensor, other: Tensor) -> float | None:
    """Whether two maps put the same places first: the correlation of their ranks, from -1 to 1.

    None where one of them is the same everywhere.

    Source: Adebayo et al. 2018, who compare maps this way.
    """
    ranks = torch.stack([_ranks(one), _ranks(other)])
    if bool((ranks.std(1) == 0).any()):
        return None
    return float(torch.corrcoef(ranks)[0, 1])


def _ranks(values: Tensor) -> Tensor:
    """The place of each value in order; equal ones share the mean of theirs."""
    _, place, counts = values.flatten().unique(return_inverse=True, return_counts=True)
    ends = counts.cumsum(0).double()
    found: Tensor = (ends - (counts - 1) / 2)[place]
    return found


def grad_cam(model: nn.Module, batch: Tensor, target: int, _plan: Plan, trace: Trace) -> Tensor:
    layer = model.get_submodule(last_maps(trace))
    found = captum().LayerGradCam(model, layer).attribute(batch, target, relu_attributions=True)
    enlarged: Tensor = interpolate(
        found.detach(), batch.shape[2:], mode="bilinear", align_corners=False
    )
    return enlarged[0, 0]


def integrated_gradients(
    model: nn.Module, batch: Tensor, target: int, plan: Plan, _trace: Trace
) -> Tensor:
    found = captum().IntegratedGradients(model, multiply_by_inputs=True)
    parts: Tensor = found.attribute(
        batch,
        torch.zeros_like(batch.detach()),
        target,
        n_steps=plan.detail,
        internal_batch_size=min(plan.at_once, plan.detail),
    )
    return parts[0].sum(0)


def occlusion(model: nn.Module, batch: Tensor, target: int, plan: Plan, _trace: Trace) -> Tensor:
    channels, size = batch.shape[1], batch.shape[2]
    window, stride = square(size, plan.detail)
    found: Tensor = (
        captum()
        .Occlusion(model)
        .attribute(
            batch.detach(),
            (channels, window, window),
            strides=(channels, stride, stride),
            baselines=batch.detach().mean((2, 3), keepdim=True).expand_as(batch),
            target=target,
            perturbations_per_eval=min(plan.at_once, plan.detail),
        )
    )
    # The same for all channels: they are covered together.
    return found[0, 0]


def square(size: int, squares: int) -> tuple[int, int]:
    """Side of the square that covers, and how far it moves: half of itself. Units: pixels."""
    stride = max(1, -(-size // (squares + 1)))
    return 2 * stride, stride


def about(method: Method, batch: Tensor, plan: Plan, trace: Trace) -> tuple[str, str]:
    """What the map of a method says and does not say, with the numbers of this one."""
    height, width = batch.shape[2:]
    layer = last_maps(trace)
    numbers = {
        "layer": layer,
        "cells": "×".join(map(str, trace.shapes[layer][2:])),
        "pixels": f"{height}×{width}",
        "side": square(height, plan.detail)[0],
        "steps": plan.detail,
    }
    return method.says.format(**numbers), method.silent.format(**numbers)


@functools.cache
def captum() -> ModuleType:
    """The methods of captum. Raises: CnnLabError where it is not installed."""
    # Not above: it is large, and all the rest does without it.
    try:
        import captum.attr as methods
    except ImportError as error:
        raise CnnLabError(
            "These maps are computed by captum, which is not installed here. Install it with "
            "`pip install captum` and start the app again."
        ) from error
    found: ModuleType = methods
    return found


GRAD_CAM = Method(
    name="grad_cam",
    title="Grad-CAM",
    source="Selvaraju et al. 2017",
    says="Where in the maps of `{layer}` the channels that raise the score are strong: each "
    "channel counts by the mean of its gradient, and sums below zero are cut off.",
    silent="It knows {cells} places, drawn over {pixels} pixels: it does not say which pixels "
    "mattered there, and nothing of what speaks against the class.",
    details=(1,),
    passes=lambda _: FORWARD_AND_BACK,
    compute=grad_cam,
)
INTEGRATED_GRADIENTS = Method(
    name="integrated_gradients",
    title="Integrated gradients",
    source="Sundararajan et al. 2017",
    says="How the score changes from a black picture to this one in {steps} steps, divided among "
    "the pixels: with more steps, what they get comes closer to the whole change.",
    silent="Black pixels get nothing, wherever they are, and another picture to start from would "
    "give another map. What pixels do only together is divided all the same.",
    details=STEPS,
    passes=lambda steps: FORWARD_AND_BACK * steps,
    compute=integrated_gradients,
)
OCCLUSION = Method(
    name="occlusion",
    title="Occlusion",
    source="Zeiler & Fergus 2014",
    says="How far the score falls when a square of {side}×{side} pixels there has the picture's "
    "mean colour; where squares overlap, the mean of them.",
    silent="Two places that can stand in for each other both look unimportant. The network never "
    "saw pictures with a square in them, and may fall for its edges.",
    details=SQUARES,
    passes=lambda squares: squares**2,
    compute=occlusion,
)
METHODS: Mapping[str, Method] = {
    method.name: method for method in (GRAD_CAM, INTEGRATED_GRADIENTS, OCCLUSION)
}
