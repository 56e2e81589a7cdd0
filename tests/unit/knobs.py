"""What the knobs of a network can be, read from its pydantic model."""

import threading
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MultipleOf
from hypothesis import strategies as st
from pydantic.fields import FieldInfo
from torch import nn

from cnnlab import catalog
from cnnlab.networks.options import Options
from cnnlab.validated import Counts, counted

PRESETS = [(name, preset) for name, spec in catalog.NETWORKS.items() for preset in spec.presets]
FIELDS = [
    (name, field) for name, spec in catalog.NETWORKS.items() for field in spec.options.model_fields
]

# Knobs that make a network thin. They change no size of a map, so they make a real run cheap.
THIN: dict[str, dict[str, Any]] = {
    "lenet": {},
    "alexnet": {"width": 0.125, "hidden": 16},
    "vgg": {"base_channels": 1, "hidden": 16},
    "nin": {"width": 0.125},
    "googlenet": {"width": 0.125},
    "resnet": {"base_channels": 4},
    "densenet": {"growth_rate": 2, "stem_channels": 4},
}


def thin(name: str, preset: str) -> Options:
    """The preset with few channels and classes."""
    return catalog.NETWORKS[name].presets[preset].replace(**THIN[name], num_classes=3)


def image_size(name: str, options: Options) -> int:
    """Side of the pictures that a network with these knobs is meant for."""
    return catalog.NETWORKS[name].default_image_size(options)


def options_of(model: nn.Module) -> Options:
    """The knobs that a network was built with."""
    assert isinstance(model.options, Options)
    return model.options


def field_of(name: str, field: str) -> FieldInfo:
    return catalog.NETWORKS[name].options.model_fields[field]


def choices(field: FieldInfo) -> list[Any] | None:
    """All values of a switch or a list to choose from; None for a number."""
    if field.annotation is bool:
        return [False, True]
    if get_origin(field.annotation) is Literal:
        return list(get_args(field.annotation))
    return None


def bounds(field: FieldInfo) -> tuple[Any, Any]:
    """Lowest and highest value of a number. It has to have both."""
    low = next(rule.ge for rule in field.metadata if isinstance(rule, Ge))
    high = next(rule.le for rule in field.metadata if isinstance(rule, Le))
    return low, high


def edge_values(field: FieldInfo) -> list[Any]:
    """Every choice, or the lowest and the highest number; of a list, one block and the most."""
    if allowed := counted(field):
        return ["1", str(min(allowed.most, allowed.total)), "-".join("1" * allowed.longest)]
    return choices(field) or list(bounds(field))


def bad_values(field: FieldInfo) -> list[Any]:
    """Values just outside what is allowed, and of the wrong kind."""
    wrong = [None, "many", [1], float("nan")]
    if allowed := counted(field):
        return [*wrong, 17, *bad_lists(allowed)]
    if choices(field) is not None:
        return [*wrong, 17]
    low, high = bounds(field)
    return [*wrong, low - 1, high + 1, float("inf"), -(10**30)]


def bad_lists(allowed: Counts) -> list[str]:
    """Lists with a block too many, a count too large, too much in all, or no list at all."""
    most = min(allowed.most, allowed.total)
    return [
        *([] if allowed.instead_of else [""]),
        "0",
        "-1",
        "1-",
        "1--2",
        "1-2 ",
        "01",
        "1,2",
        "1.5",
        "٣",
        "9" * 50,
        str(most + 1),
        "-".join("1" * (allowed.longest + 1)),
        "-".join([str(most)] * allowed.longest),
    ]


def legal_lists(allowed: Counts) -> st.SearchStrategy[str]:
    """Lists of few counts; empty ones where they can be."""
    # Deep networks are tried elsewhere: here there are many.
    numbers = st.integers(1, min(allowed.most, 4))
    lists = st.lists(numbers, min_size=0 if allowed.instead_of else 1, max_size=allowed.longest)
    return lists.map(lambda found: "-".join(map(str, found)))


def legal_values(field: FieldInfo) -> st.SearchStrategy[Any]:
    if (members := choices(field)) is not None:
        return st.sampled_from(members)
    if allowed := counted(field):
        return legal_lists(allowed)
    low, high = bounds(field)
    steps: list[Any] = [r.multiple_of for r in field.metadata if isinstance(r, MultipleOf)]
    if not steps:
        return st.integers(low, high)
    (step,) = steps
    return st.integers(round(low / step), round(high / step)).map(lambda n: n * step)


def random_options(name: str, **fixed: Any) -> st.SearchStrategy[Options]:
    """Any knobs of a network that are within their bounds."""
    spec = catalog.NETWORKS[name]
    free = {
        field: legal_values(info)
        for field, info in spec.options.model_fields.items()
        if field not in fixed
    }
    return st.builds(lambda **knobs: spec.options(**knobs, **fixed), **free)


def meet_inside(model: nn.Module) -> None:
    """Make two threads that use `model` wait for each other at its first layer and its last."""
    together = threading.Barrier(2, timeout=30)

    def wait(*_: Any) -> None:
        together.wait()

    children = list(model.children())
    children[0].register_forward_pre_hook(wait)
    children[-1].register_forward_hook(wait)
