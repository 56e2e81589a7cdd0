"""How far a visitor has come with the questions of a page."""

from collections.abc import Mapping

from cnnlab import questions
from cnnlab.catalog import Section
from cnnlab.runs.answers import Answered


def of_section(section: Section, answered: Mapping[str, Answered]) -> tuple[int, int]:
    """How many questions of a page were answered right, and how many there are."""
    asked = questions.of_section(section.slug)
    right = [one for one in asked if one.id in answered and answered[one.id].right_s]
    return len(right), len(asked)
