"""What makes the runs of a group comparable: one number format, and names by what differs."""

from collections.abc import Callable, Sequence

from cnnlab.runs.groups import name_within
from cnnlab.runs.phrases import phrases
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate


def in_one_format(
    configs: Sequence[RunConfig], estimate: Callable[[RunConfig], Estimate | None]
) -> list[RunConfig]:
    """The runs with "auto" replaced by one number format for all of them.

    It is the one that would be chosen for each of them alone; float32 where these differ or are
    not known yet. A format that a run asks for stays.
    """
    free = [config for config in configs if config.precision == "auto"]
    known = {found.precision if (found := estimate(config)) else "" for config in free}
    common = known.pop() if len(known) == 1 else ""
    return [
        config.replace(precision=common or "float32") if config.precision == "auto" else config
        for config in configs
    ]


def names_within(group: str, configs: Sequence[RunConfig], titles: Sequence[str] = ()) -> list[str]:
    """A name for each run of a group: the group's, and its title or what sets the run apart."""
    if titles:
        return [name_within(group, title) for title in titles]
    return [
        name_within(group, ", ".join(found) or f"run {number}")
        for number, found in enumerate(phrases(configs), 1)
    ]
