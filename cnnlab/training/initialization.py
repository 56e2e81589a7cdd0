"""What the weights are before the first step."""

from collections.abc import Callable

from torch import Tensor, nn

from cnnlab.training.config import Init

WEIGHTS: dict[Init, Callable[[Tensor], Tensor] | None] = {
    "default": None,
    # Keeps the variance of values and gradients for symmetric activations: Glorot & Bengio 2010.
    "xavier": nn.init.xavier_uniform_,
    # The same for ReLU, which throws half of the variance away: He et al. 2015.
    "kaiming": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
}


def initialize(model: nn.Module, init: Init) -> None:
    """Draw the weights of every convolution and fully-connected layer anew; biases stay."""
    draw = WEIGHTS[init]
    if draw is None:
        return
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            draw(module.weight)
