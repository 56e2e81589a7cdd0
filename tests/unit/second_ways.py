"""The answers of the Check yourself questions, found in another way: by the network itself.

A network is built for real, a picture goes through it, its weights are counted one by one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnlab.configuration import Configuration
from cnnlab.networks.batch_norm import BatchNorm
from cnnlab.questions import Question, Subject, channels, counts, logits, norms, sizes, skips
from cnnlab.questions import parts as compared
from cnnlab.questions import settings as others
from tests.unit.knobs import THIN
from tests.unit.test_receptive_field import measured

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, BatchNorm)


@dataclass(frozen=True)
class Built:
    """A network for real, in a computer's memory, with the picture that the page has."""

    configuration: Configuration

    @cached_property
    def model(self) -> nn.Module:
        chosen = self.configuration
        on_meta = chosen.spec.build(chosen.options, "meta", chosen.image_size)
        # Shapes and counts do not depend on what the weights are, so none are drawn.
        return on_meta.to_empty(device="cpu").eval()

    def picture(self, pictures: int = 1) -> torch.Tensor:
        side = self.configuration.image_size
        return torch.rand(pictures, self.configuration.options.in_channels, side, side)

    @cached_property
    def shapes(self) -> dict[str, tuple[torch.Size, torch.Size]]:
        """What every module was given and made."""
        found = {}

        def note(name: str) -> Any:
            def hook(_: nn.Module, given: Any, made: torch.Tensor) -> None:
                found[name] = (given[0].shape, made.shape)

            return hook

        handles = [m.register_forward_hook(note(n)) for n, m in self.model.named_modules()]
        with torch.no_grad():
            self.model(self.picture())
        for handle in handles:
            handle.remove()
        return found

    @cached_property
    def macs(self) -> dict[str, int]:
        """By module, as PyTorch's own counter has it."""
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            self.model(self.picture())
        root = type(self.model).__name__
        found = {n.removeprefix(f"{root}."): c for n, c in counter.get_flop_counts().items()}
        return {name: sum(counts.values()) // 2 for name, counts in found.items()}

    def params(self, path: str = "") -> int:
        return sum(p.numel() for p in self.model.get_submodule(path).parameters())

    def with_changes(self, given: dict[str, Any]) -> "Built":
        return Built(self.configuration.with_changes(**given))


def part(kind: compared.Most, on: Subject, built: Built) -> str:
    """The part with the most, weights or work added up module by module."""

    def count(name: str, module: nn.Module) -> int:
        if kind.quantity == "macs":
            return built.macs.get(name, 0)
        return sum(p.numel() for p in module.parameters(recurse=False))

    sums = {}
    for one in kind.parts:
        sums[one.label] = sum(
            count(name, module)
            for name, module in built.model.named_modules()
            if not list(module.children())
            and (
                type(module).__name__ == one.operation
                or any(f"{name}.".startswith(f"{path}.") for path in one.paths)
            )
        )
    assert set(kind.choices(on)) <= set(sums)
    return max(sums, key=sums.__getitem__)


def difference(kind: others.Difference, built: Built) -> int:
    then = built.with_changes(kind.given)
    if kind.quantity == "macs":
        found = sum(then.macs.values()) - sum(built.macs.values())
    else:
        found = then.params() - built.params()
    return found if kind.more else -found


def compared_work(kind: compared.Compare, on: Subject, built: Built) -> str:
    first, second = (built.macs[path] for path in (kind.first(on) or "", kind.second(on) or ""))
    return kind.choices(on)[2 if first == second else 0 if first > second else 1]


def field(kind: sizes.ReceptiveField, on: Subject, built: Built) -> int:
    """Seen by single white columns; of a view that leaves the picture only that it does."""
    spec, side = built.configuration.spec, built.configuration.image_size
    # How wide a network is, how it bends and normalizes changes nothing of what it sees.
    narrow = built.configuration.options.replace(
        **THIN[spec.name], activation="relu", batch_norm=False
    )
    model = spec.build(narrow, image_size=side)
    seen = measured(model, narrow.in_channels, side)[kind.path(on)]
    answer = kind.answer(on)
    return seen if answer <= side // 2 else max(seen, answer)


def smallest(built: Built) -> int:
    """Found by trying one size after the other."""
    options = built.configuration.options
    for side in range(1, 257):
        model = built.configuration.spec.network(options).eval()
        try:
            with torch.no_grad():
                model(torch.rand(1, options.in_channels, side, side))
        except RuntimeError:
            continue
        return side
    raise AssertionError("no picture passes")


def times(kind: others.Factor, on: Subject, built: Built) -> str:
    then = built.with_changes(kind.given(on))
    ratio = then.params(kind.path(on)) / built.params(kind.path(on))
    return kind.choices(on)[kind.factors.index(round(ratio))]


def negative(kind: logits.NegativeLogits, on: Subject, built: Built) -> str:
    """Tried: the last convolution of the network makes −1 at every pixel."""
    spec = built.configuration.spec
    model = spec.build(built.configuration.options, image_size=built.configuration.image_size)
    last = [module for module in model.modules() if isinstance(module, nn.Conv2d)][-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(-1)  # type: ignore[union-attr]
        found = model.eval()(built.picture())
    return kind.choices(on)[0 if found.min() < 0 else 1]


def values(kind: norms.ValuesPerMean, on: Subject, built: Built) -> int:
    shape = built.shapes[kind.path(on)][0]
    return int(built.configuration.values["batch_size"] or 0) * shape.numel() // shape[1]


def standardized(kind: norms.Standardized, on: Subject) -> float:
    """By hand: mean 4, standard deviation 2, the value 6."""
    layer = {"full": 4, "frozen": 1, "mean_only": 7, "variance_only": 10, "batch_statistics": 4}
    return layer[norms.kind_of(on, kind.path(on))]


def unmoved(kind: norms.Unmoved, on: Subject, built: Built) -> str:
    """Tried in the network, in training mode."""
    torch.manual_seed(0)
    spec = built.configuration.spec
    model = spec.build(built.configuration.options, image_size=built.configuration.image_size)
    model.double().train()
    for module in model.modules():
        if isinstance(module, NORMS):
            module.eps = 1e-12  # "apart from the tiny ε"
    made: list[torch.Tensor] = []
    handle = model.get_submodule(kind.path(on)).register_forward_hook(
        lambda _m, _x, y: made.append(y.detach().clone())
    )
    before = next(n for n in reversed(on.way(kind.path(on))[:-1]) if n.operation == "Conv2d")
    pictures = built.picture(4).double()
    with torch.no_grad():
        model(pictures)
        for weight in model.get_submodule(before.path).parameters():
            if kind.change == "scale":
                weight.mul_(2)
            elif weight.dim() == 1:
                weight.add_(1)
        model(pictures)
    handle.remove()
    return kind.choices(on)[0 if torch.allclose(made[0], made[1]) else 1]


def stacked(kind: counts.Stacked, on: Subject, built: Built) -> int:
    conv = built.model.get_submodule(kind.path(on))
    assert isinstance(conv, nn.Conv2d)
    side, width = int(conv.kernel_size[0]), conv.out_channels
    one, two = (
        nn.Conv2d(width, width, k, bias=False, device="meta").weight.numel()
        for k in (side + side - 1, side)
    )
    return one - 2 * two


def readings(kind: channels.Readings, on: Subject, built: Built) -> int:
    layers = len(list(built.model.get_submodule(kind.path(on)).children()))
    return layers * (layers + 1) // 2


def learned(built: Built) -> int:
    return sum(
        p.numel() for m in built.model.modules() if isinstance(m, NORMS) for p in m.parameters()
    )


def weighted(built: Built) -> int:
    return sum(
        isinstance(module, nn.Conv2d) and ".shortcut" in name
        for name, module in built.model.named_modules()
    )


def made(axis: int) -> Callable[[Any, Subject, Built], int]:
    """An axis of what a layer or block made of a real picture."""
    return lambda kind, on, built: built.shapes[kind.path(on)][1][axis]


def parameters(kind: counts.Parameters, built: Built) -> int:
    found = built.with_changes(kind.given)
    there = Subject(found.configuration)
    return found.params(kind.layer(there) or "none")


WAYS: dict[type, Callable[[Any, Subject, Built], object]] = {
    sizes.OutputSide: made(-1),
    sizes.SideAfter: made(-1),
    sizes.FirstFlattened: lambda kind, on, built: built.shapes[kind.path(on)][0].numel(),
    sizes.ReceptiveField: field,
    sizes.SmallestPicture: lambda _kind, _on, built: smallest(built),
    counts.Parameters: lambda kind, _on, built: parameters(kind, built),
    counts.PartParameters: lambda kind, on, built: built.params(kind.path(on)),
    counts.Multiplications: lambda kind, on, built: built.macs[kind.path(on)],
    counts.Stacked: stacked,
    channels.Concatenated: made(1),
    channels.Grown: made(1),
    channels.Compressed: made(1),
    channels.Readings: readings,
    compared.Most: part,
    compared.Compare: compared_work,
    others.Difference: lambda kind, _on, built: difference(kind, built),
    others.MoreOrFewer: lambda kind, on, built: kind.choices(on)[
        0 if built.with_changes(kind.given).params() > built.params() else 1
    ],
    others.Factor: times,
    norms.NormParameters: lambda _kind, _on, built: learned(built),
    norms.ValuesPerMean: values,
    norms.Standardized: lambda kind, on, _built: standardized(kind, on),
    norms.RunningMean: lambda _kind, _on, _built: 2 + (12 - 2) / 10,
    norms.Unmoved: unmoved,
    skips.WeightedSkips: lambda _kind, _on, built: weighted(built),
    logits.NegativeLogits: negative,
}


def answer(question: Question, on: Subject) -> object:
    """The answer of a question, found in another way."""
    return WAYS[type(question.kind)](question.kind, on, Built(on.configuration))
