"""Large numbers in words."""


def engineering(number: float) -> str:
    """A large number with three digits and a word: 1.82 billion."""
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if number >= size:
            return f"{number / size:,.3g} {word}"
    return f"{number:,.0f}"
