"""Drawn weights that networks share: those of one name, shape and seed are the same numbers."""

from collections.abc import Hashable
from weakref import WeakValueDictionary

import torch
from torch import nn

from cnnlab.training.initialization import draw

# What is there as long as a network uses it: another knob draws only what it changes.
_DRAWN: WeakValueDictionary[Hashable, nn.Parameter] = WeakValueDictionary()


def share(model: nn.Module, init: str, seed: int) -> nn.Module:
    """Give a network on the meta device its initial weights, those that another has with it.

    They are not to be changed. The weights of convolutions lie as their outputs do in memory,
    channel by channel at each pixel, with which small pictures take half as long.
    """
    for path, module in model.named_modules():
        if not isinstance(module, nn.Conv2d | nn.Linear):
            module.to_empty(device="cpu", recurse=False)
            draw(module, path, init, seed)
            continue
        own = dict(module.named_parameters(recurse=False))
        # The weight's shape decides how wide the bias is drawn.
        shapes = tuple(weight.shape for weight in own.values())
        keys = {name: (init, seed, path, name, shapes) for name in own}
        found = {name: _DRAWN.get(key) for name, key in keys.items()}
        if None in found.values():
            module.to_empty(device="cpu", recurse=False)
            draw(module, path, init, seed)
            module.to(memory_format=torch.channels_last)
            found = dict(module.named_parameters(recurse=False))
            _DRAWN.update(
                {keys[name]: weight for name, weight in found.items() if weight is not None}
            )
        for name, weight in found.items():
            module.register_parameter(name, weight)
    return model
