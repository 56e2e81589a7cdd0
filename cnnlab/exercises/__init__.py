"""What the course asks readers to try, as data: settings, promises, and their check."""

from cnnlab.exercises import alexnet, batch_norm, densenet, googlenet, nin, resnet, vgg
from cnnlab.exercises.exercise import Arm, Claim, Exercise
from cnnlab.exercises.running import SEEDS, Result, check

__all__ = ["EXERCISES", "SEEDS", "Arm", "Claim", "Exercise", "Result", "check", "of_section"]

_PAGES = (alexnet, vgg, nin, googlenet, batch_norm, resnet, densenet)
EXERCISES: dict[str, Exercise] = {
    exercise.id: exercise for page in _PAGES for exercise in page.EXERCISES
}


def of_section(slug: str) -> list[Exercise]:
    """The exercises of a page, in the order in which it shows them."""
    return [exercise for exercise in EXERCISES.values() if exercise.section == slug]
