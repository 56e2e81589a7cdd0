"""The steps that a diagram draws: the nodes of a trace, those of a block as one."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from torch import nn

from cnnlab.trace import INPUT, Node, Shape, Trace

ModuleTypes = tuple[type[nn.Module], ...]


@dataclass(frozen=True)
class Step:
    """A module, or the name of a function, with the steps whose outputs it reads.

    Shape: without the batch, (C, H, W) or (features,).
    """

    path: str
    operation: nn.Module | str
    sources: tuple[int, ...]
    input_shape: Shape
    shape: Shape

    @property
    def name(self) -> str:
        """The module's path; of a function, its name after that of the module that calls it."""
        own = self.operation if isinstance(self.operation, str) else ""
        return ".".join(part for part in (self.path, own) if part)


Steps = dict[int, Step]


def steps(found: Trace, whole: ModuleTypes = (), inside: str = "") -> Steps:
    """What ran in the module at the path `inside`, in running order; "" is the model.

    A module of `whole` is one step. What is read from elsewhere is an input.
    """
    modules = dict(found.outline.named_modules(remove_duplicate=False))
    blocks = {path for path, module in modules.items() if isinstance(module, whole)}
    made: Steps = {}
    # The step of which each node is a part, and the last one made.
    became: dict[int, int] = {}
    last = 0
    for i, node in enumerate(found.nodes):
        if node.operation == INPUT or not within(node.path, inside):
            continue
        read = found.sources(i)
        for source in read:
            if source not in became:
                shape = found.nodes[source].output_shape[1:]
                made[source] = Step("", INPUT, (), shape, shape)
                became[source] = source
                last = max(last, source)
        block = enclosing(blocks, node.path, inside)
        if block is not None and goes_on(found.nodes[last], node, block):
            became[i] = last
            outside = (*made[last].sources, *(became[s] for s in read if became[s] != last))
            made[last] = replace(
                made[last], sources=tuple(dict.fromkeys(outside)), shape=node.output_shape[1:]
            )
            continue
        path = node.path if block is None else block
        is_module = block is not None or node.is_module
        made[i] = Step(
            path,
            modules[path] if is_module else node.operation,
            tuple(dict.fromkeys(became[source] for source in read)),
            node.input_shapes[0][1:] if node.input_shapes else (),
            node.output_shape[1:],
        )
        became[i] = last = i
    return made


def within(path: str, outer: str) -> bool:
    """Whether a module is the outer one or a part of it."""
    return not outer or path == outer or path.startswith(f"{outer}.")


def enclosing(blocks: Collection[str], path: str, inside: str) -> str | None:
    """The outermost of these modules, below the one looked into, of which `path` is a part."""
    names = path.split(".")
    outers = (".".join(names[:count]) for count in range(1, len(names) + 1))
    return next(
        (
            outer
            for outer in outers
            if outer in blocks and outer != inside and within(outer, inside)
        ),
        None,
    )


def goes_on(first: Node, node: Node, block: str) -> bool:
    """Whether a node belongs to the run of a block that began with `first`, and is no new run."""
    begins_anew = node.is_module and node.path == first.path
    return within(first.path, block) and first.operation != INPUT and not begins_anew
