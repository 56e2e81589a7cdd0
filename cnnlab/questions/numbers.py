"""Numbers as readers type them and as explanations say them."""

import re

from cnnlab.errors import ConfigError

# 1234, 1,234, 1 234, 1.5, -2: a comma or a space stands before three digits.
NUMBER = re.compile(r"[-+]?([0-9]{1,3}([, ][0-9]{3})+|[0-9]+)(\.[0-9]+)?")
LONGEST = 30
# Half of the last digit in which an answer that is no whole number is said.
CLOSE = 0.005


def read_number(text: str) -> float:
    """A number as it was typed. Raises: ConfigError saying how it can be written."""
    tidy = re.sub(r"\s+", " ", text.replace("−", "-")).strip()
    if len(tidy) > LONGEST or not NUMBER.fullmatch(tidy):
        raise ConfigError(
            f"{text[:LONGEST]!r} was given; write a number such as 1234, 1,234 or 0.5."
        )
    return float(re.sub(r"[, ]", "", tidy))


def is_close(given: float, answer: float) -> bool:
    """Whether a number is the answer, as far as an answer is said."""
    return abs(given - answer) <= CLOSE


def said(number: float) -> str:
    """A number as an explanation has it: 73,856 or 53.75."""
    text = f"{number:,.0f}" if number == round(number) else f"{number:,.2f}".rstrip("0")
    return text.replace("-", "−")


def listed(items: list[str]) -> str:
    """Words in a row: "64, 128 and 256"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
