"""A pydantic model whose complaints are sentences for the reader."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.errors import ConfigError


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
            sentences.append(f"{field}: {problem['input']!r} was given; {allowed}.")
    return " ".join(sentences)
