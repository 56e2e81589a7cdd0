"""Text that a reader typed, inside Markdown."""

import re

# Some signs mean something anywhere, others only where a line begins: "# ", "- ", "1. ".
ANYWHERE = re.compile(r"([\\`*_\[\]<>~:$|{}])")
AT_THE_START = re.compile(r"^(\s*\d*)([#+\-.)=])")


def escaped(name: str) -> str:
    """A name that Markdown shows as it is."""
    return AT_THE_START.sub(r"\1\\\2", ANYWHERE.sub(r"\\\1", name))
