"""The same question with other knobs: a configuration near the reader's, drawn at random."""

from collections.abc import Sequence
from random import Random
from typing import Any

from pydantic.fields import FieldInfo

from cnnlab.configuration import Configuration, Value, choices_of, names, setting
from cnnlab.errors import CnnLabError, ConfigError
from cnnlab.questions.question import Question
from cnnlab.validated import offered

TRIES = 60
MOST_CHANGES = 2
FACTORS = (0.5, 0.75, 0.9, 1.1, 1.25, 1.5, 2)
STEPS = (-2, -1, 1, 2)
# Numbers from so many steps on are multiples of so many: 202 and not 201, 3688 and not 3686.
COARSE = ((512, 8), (32, 2))


def nearby(question: Question, configuration: Configuration, rng: Random) -> Configuration:
    """A configuration of which the question can be asked, and explained otherwise than now.

    Raises: ConfigError where none was found among many.
    """
    subject = question.subject(configuration)
    now = question.kind.why(subject) if subject else ""
    knobs = [name for name in question.varies if name in names(configuration.spec)]
    for _ in range(TRIES):
        try:
            found = configuration.with_changes(**changes(configuration, knobs, rng))
        except CnnLabError:
            continue
        subject = question.subject(found)
        if subject and question.kind.why(subject) != now:
            return found
    raise ConfigError(
        "No other knobs were found of which this can be asked. Change them in Architecture."
    )


def changes(configuration: Configuration, knobs: Sequence[str], rng: Random) -> dict[str, Value]:
    """Other values of one or two of the knobs."""
    count = min(len(knobs), rng.randint(1, MOST_CHANGES))
    found: dict[str, Value] = {}
    for name in rng.sample(list(knobs), count):
        values = near(configuration, name)
        if values:
            found[name] = rng.choice(values)
    return found


def near(configuration: Configuration, name: str) -> list[Value]:
    """The values of a setting that are not far from the one that it has."""
    spec, now = configuration.spec, configuration.values[name]
    field = setting(spec, name)
    if field.annotation is bool:
        return [not now]
    if listed := choices_of(spec, name):
        return [one for one in listed if one != now]
    if not isinstance(now, int | float):
        return [one for one in offered(field) if one != now]
    bounds = number_bounds(field)
    step = bounds.get("multiple_of", 1)
    step *= next((coarse for least, coarse in COARSE if now >= least * step), 1)
    wanted = [*(now * factor for factor in FACTORS), *(now + n * step for n in STEPS)]
    rounded = {round(round(value / step) * step, 6) for value in wanted} - {now}
    kind = float if field.annotation is float else int
    return [
        kind(value)
        for value in sorted(rounded)
        if bounds.get("ge", value) <= value <= bounds.get("le", value)
    ]


def number_bounds(field: FieldInfo) -> dict[str, Any]:
    """The bounds of a number and its step, by the names that pydantic has for them."""
    return {
        name: getattr(part, name)
        for part in field.metadata
        for name in ("ge", "le", "multiple_of")
        if hasattr(part, name)
    }
