"""How a race came out: the order of its networks, and what can be said of it from one seed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cnnlab.compare.race import title_in_race
from cnnlab.datasets import DATASETS
from cnnlab.experiments.outcome import Outcome

ONE_SEED = (
    "One seed each: with other first weights and another order of the pictures, networks that lie "
    "close together can change places."
)
STOPPED = "Stopped before all had their share: nobody has won."


@dataclass(frozen=True)
class Standing:
    """Where a network stands, so far or in the end; None for what was not measured yet.

    Units: `seconds` since its first step.
    """

    title: str
    status: str
    accuracy: float | None
    train_loss: float | None
    seconds: float
    steps: int
    images: int


def standings(outcomes: Sequence[Outcome]) -> list[Standing]:
    """The best test accuracy first; those without one last."""
    found = [standing(one) for one in outcomes]
    return sorted(found, key=lambda one: math.inf if one.accuracy is None else -one.accuracy)


def standing(outcome: Outcome) -> Standing:
    """Where the run stands; one that ran away has no accuracy, whatever it had before."""
    curve, figures = outcome.curve, outcome.figures
    tests = [] if outcome.failed else curve.test_accuracy
    steps = int(figures.get("step") or max([*curve.steps[-1:], *curve.test_steps[-1:], 0]))
    seconds = figures.get("elapsed_s") or max([*curve.seconds[-1:], *curve.test_seconds[-1:], 0.0])
    return Standing(
        title=title_in_race(outcome.config),
        status=outcome.status,
        accuracy=tests[-1] if tests else None,
        train_loss=curve.train_loss[-1] if curve.train_loss else None,
        seconds=float(seconds),
        steps=steps,
        images=steps * outcome.config.batch_size,
    )


def told(outcomes: Sequence[Outcome]) -> list[str]:
    """Sentences on a race that has ended: who came first, by how much, and what that is worth."""
    found = standings(outcomes)
    failed = [one.title for one in found if one.status == "failed"]
    broken = [f"Could not go on: {', '.join(failed)}."] if failed else []
    finished = [one for one in found if one.status == "finished" and one.accuracy is not None]
    if len(finished) + len(failed) < len(found):
        return [STOPPED, *broken]
    if not finished:
        return broken
    first = finished[0]
    pictures = DATASETS[outcomes[0].config.dataset].test_size
    said = f"**{first.title}** came first: {first.accuracy:.1%} of the {pictures:,} test pictures"
    if len(finished) == 1:
        return [f"{said}.", *broken, ONE_SEED]
    return [*lead(said, first, finished[1], pictures), *broken, ONE_SEED]


def lead(said: str, first: Standing, second: Standing, pictures: int) -> list[str]:
    """By how much the first is ahead, and whether that is more than the choice of pictures.

    Two standard errors of the difference of two shares of so many pictures.
    """
    shares = [one.accuracy or 0.0 for one in (first, second)]
    points = 100 * (shares[0] - shares[1])
    by_chance = 200 * math.sqrt(sum(share * (1 - share) for share in shares) / pictures)
    found = [f"{said}, {points:.1f} points before {second.title}."]
    if points < by_chance:
        found.append(
            f"That is no lead: on {pictures:,} pictures, {by_chance:.1f} points can come from the "
            "choice of the test pictures alone."
        )
    return found
