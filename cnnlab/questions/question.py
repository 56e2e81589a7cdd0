"""What a question is: a kind that is put, answered and explained for any configuration."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cnnlab.configuration import Configuration, Value
from cnnlab.errors import CnnLabError
from cnnlab.questions.numbers import is_close, read_number
from cnnlab.questions.subject import Subject

Answer = int | float | str
# Finds the layer that a question is about, by its path; None where a network has none.
LayerChoice = Callable[[Subject], str | None]


class Kind(ABC):
    """How a question is put, answered and explained; each from the network itself."""

    @abstractmethod
    def applies(self, on: Subject) -> bool:
        """Whether it can be asked of such a network."""

    @abstractmethod
    def text(self, on: Subject) -> str:
        """The question, with all that is needed to answer it."""

    @abstractmethod
    def answer(self, on: Subject) -> Answer:
        """A number, or one of the choices."""

    @abstractmethod
    def why(self, on: Subject) -> str:
        """The arithmetic of the answer, with its numbers, in Markdown."""

    def choices(self, on: Subject) -> tuple[str, ...]:  # noqa: ARG002
        """What can be answered; nothing where a number is asked for."""
        return ()


@dataclass(frozen=True)
class Question:
    """A question of a page.

    `varies` are the settings on which the answer depends, for asking it again; `lesson` is what
    its answer teaches, said after the arithmetic; `needs` are the settings without which that is
    not so.
    """

    id: str
    section: str
    kind: Kind
    varies: tuple[str, ...] = ()
    lesson: str = ""
    needs: Mapping[str, Value] = field(default_factory=dict)

    def fits(self, configuration: Configuration) -> bool:
        """Whether it can be asked of this configuration."""
        subject = Subject(configuration)
        if any(configuration.values[name] != value for name, value in self.needs.items()):
            return False
        try:
            return bool(subject.trace) and self.kind.applies(subject)
        except CnnLabError:
            return False

    def subject(self, *candidates: Configuration) -> Subject | None:
        """The first of these configurations of which it can be asked; None for none."""
        return next((Subject(one) for one in candidates if self.fits(one)), None)

    def is_right(self, on: Subject, given: str) -> bool:
        """Whether this is the answer, a number as it was typed or a choice.

        Raises: ConfigError where a number is asked for and something else was typed.
        """
        answer = self.kind.answer(on)
        if isinstance(answer, str):
            return given == answer
        return is_close(read_number(given), answer)


def at(*paths: str) -> LayerChoice:
    """The first of these layers or blocks that a network has."""
    return lambda on: next((path for path in paths if on.has(path)), None)


@dataclass(frozen=True)
class OfLayer(Kind):
    """A question about one layer or block."""

    layer: LayerChoice

    def applies(self, on: Subject) -> bool:
        return self.layer(on) is not None

    def path(self, on: Subject) -> str:
        found = self.layer(on)
        if found is None:
            raise LookupError("This network has no such layer: `applies` says so.")
        return found
