"""Times as a reader says them."""


def duration(seconds: float | None) -> str:
    """A time as a reader says it."""
    if seconds is None:
        return "?"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
