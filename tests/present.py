"""A value that has to be there."""

from typing import TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """The value itself. Raises: AssertionError where there is none."""
    assert value is not None
    return value
