"""A colour for each run, which stays with it as long as the tab is open."""

from collections.abc import Mapping, Sequence

from cnnlab.runs.store import RunRecord
from pages.components import state
from pages.components.charts import SERIES

KEY = "run_colours"


def colours(runs: Sequence[RunRecord]) -> dict[str, str]:
    """The colour of each run, by its id; no two the same while there are enough colours."""
    remembered = state.get(KEY, {})
    kept: dict[str, str] = dict(remembered) if isinstance(remembered, Mapping) else {}
    taken: set[str] = set()
    # The older of two runs that meet in one colour keeps it.
    for run in sorted(runs, key=lambda run: (run.id not in kept, run.number)):
        # The same in another tab: as the id says, or the next one that is free.
        start = int(run.id[:8], 16) % len(SERIES)
        wanted = [kept[run.id]] if run.id in kept else []
        choices = [*wanted, *SERIES[start:], *SERIES[:start]]
        kept[run.id] = next((c for c in choices if c not in taken), choices[0])
        taken.add(kept[run.id])
    state.put(KEY, kept)
    return {run.id: kept[run.id] for run in runs}
