"""A pydantic model whose complaints are sentences for the reader."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from cnnlab.errors import ConfigError

# What was given is repeated up to here.
LONGEST_GIVEN = 100


class Validated(BaseModel):
    """A frozen model that raises ConfigError, never pydantic's own error.

    Raises: ConfigError naming each field, what was given and what is allowed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise ConfigError(explain(error)) from None

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read back what `model_dump_json` wrote, or a reader edited."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ConfigError(explain(error)) from None

    def replace(self, /, **fields: Any) -> Self:
        """A copy with some fields changed, checked like a new one."""
        kept = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**(kept | fields))


@dataclass(frozen=True, eq=False)
class OneOf:
    """Marks a text field as a name in a registry; a further entry there is a further choice."""

    registry: Mapping[str, object]

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, name: str) -> str:
        if name not in self.registry:
            names = {"names": ", ".join(self.registry)}
            raise PydanticCustomError("one_of", "input should be one of {names}", names)
        return name


@dataclass(frozen=True)
class Counts:
    """Marks a text as a list of counts, one for each block: `1-1-2-2-2`.

    There are at most `longest` of them, each at most `most`, together at most `total`. Where
    another field says how many while the text is empty, `instead_of` is that field, and
    `otherwise` the property that then has the counts.
    """

    longest: int
    most: int
    total: int
    instead_of: str = ""
    otherwise: str = ""

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, text: str) -> str:
        if not text and self.instead_of:
            return text
        found = counts(text) if re.fullmatch(r"[1-9][0-9]{0,2}(-[1-9][0-9]{0,2})*", text) else ()
        fits = len(found) <= self.longest and sum(found) <= self.total
        if not found or not fits or max(found) > self.most:
            raise PydanticCustomError(
                "counts",
                "input should be 1 to {longest} numbers from 1 to {most} joined by hyphens, such "
                "as 1-1-2, together {total} at most{empty}",
                {
                    "longest": self.longest,
                    "most": self.most,
                    "total": self.total,
                    "empty": f"; or nothing, where {self.instead_of} decides"
                    * bool(self.instead_of),
                },
            )
        return text

    def numbers(self, model: BaseModel, name: str) -> tuple[int, ...]:
        """The counts of a field of a model, also where another says them."""
        found: tuple[int, ...] = counts(getattr(model, name)) or getattr(model, self.otherwise)
        return found


def counts(text: str) -> tuple[int, ...]:
    """The numbers of a list of counts; none where it is empty."""
    return tuple(int(number) for number in text.split("-")) if text else ()


def counted(field: FieldInfo) -> Counts | None:
    """What a field's list of counts can be, if it is one."""
    return next((part for part in field.metadata if isinstance(part, Counts)), None)


@dataclass(frozen=True)
class Offered:
    """Marks a number or text with values that a reader is offered; others can be typed."""

    values: tuple[float | str | None, ...]


def offered(field: FieldInfo) -> tuple[Any, ...]:
    """The values that a reader is offered for a number or text, where there are some."""
    return tuple(
        value for part in field.metadata if isinstance(part, Offered) for value in part.values
    )


def choices(field: FieldInfo) -> tuple[Any, ...]:
    """What a field can be, where that is a list of values or of names; else nothing."""
    if get_origin(field.annotation) is Literal:
        return get_args(field.annotation)
    return tuple(
        name for part in field.metadata if isinstance(part, OneOf) for name in part.registry
    )


def explain(error: ValidationError) -> str:
    """One sentence per complaint: the field, what was given, what is allowed."""
    sentences = []
    for problem in error.errors(include_url=False):
        field = ".".join(str(part) for part in problem["loc"]) or "configuration"
        if problem["type"] == "extra_forbidden":
            sentences.append(f"{field}: there is no such field; remove it.")
        elif problem["type"] == "missing":
            sentences.append(f"{field}: is missing; give it a value.")
        else:
            allowed = problem["msg"][0].lower() + problem["msg"][1:]
            sentences.append(f"{field}: {shortened(problem['input'])} was given; {allowed}.")
    return " ".join(sentences)


def shortened(given: object) -> str:
    """What was given, as far as a sentence can repeat it."""
    text = repr(given)
    return text if len(text) <= LONGEST_GIVEN else f"{text[:LONGEST_GIVEN]}…"
