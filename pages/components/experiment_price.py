"""How long an experiment takes here."""

import math

from cnnlab.experiments import SEEDS, Experiment
from pages.components import services


def total_s(experiment: Experiment, dataset: str) -> float | None:
    """Seconds for all arms and seeds; None as long as the speed of one is not known."""
    manager = services.run_manager()
    configs = [experiment.config(arm, dataset=dataset) for arm in experiment.arms]
    budget_s = experiment.run.get("budget_s")
    total = 0.0
    for config in configs:
        if budget_s is not None:
            total += budget_s
            continue
        found = manager.estimate(config)
        if found is None or found.problem:
            return None
        total += found.run_s(config)
    at_once = min(len(configs) * len(SEEDS), manager.at_once(configs[0]))
    return total * len(SEEDS) / max(1, at_once) if math.isfinite(total) else None
