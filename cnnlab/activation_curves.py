"""Curves of the activation functions and of their slopes, for drawing."""

from dataclasses import dataclass

import torch

from cnnlab.networks.options import ACTIVATIONS, Activation

REACH = 8.0
POINTS = 321


@dataclass(frozen=True)
class ActivationCurve:
    """An activation function and its derivative at equally spaced inputs.

    Shape: three sequences of one length.
    """

    x: list[float]
    y: list[float]
    slope: list[float]


def activation_curve(name: Activation) -> ActivationCurve:
    """The function that the networks use, and its slope as autograd finds it."""
    x = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64, requires_grad=True)
    y = ACTIVATIONS[name]()(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return ActivationCurve(x.tolist(), y.tolist(), slope.tolist())
