"""Trials on a cluster that is gone: a sentence for the page, and asked again when it is back."""

from types import SimpleNamespace
from typing import Any

import pytest

from cnnlab.jobs.ray.trials import NO_ANSWER, Trials
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate

CONFIG = RunConfig(network="lenet")
ANSWER = Estimate(precision="float32", step_s=0.5)


class RayError(Exception):
    """Ray's own."""


class Cluster:
    """A Ray that does at once what it is asked for, unless it is away."""

    def __init__(self) -> None:
        self.exceptions = SimpleNamespace(RayError=RayError)
        self.away: Exception | None = None
        self.begun = 0

    def _here(self) -> None:
        if self.away is not None:
            raise self.away

    def remote(self, *_given: object) -> object:
        self._here()
        self.begun += 1
        return object()

    def wait(self, references: list[Any], **_options: object) -> tuple[list[Any], list[Any]]:
        self._here()
        return references, []

    def get(self, _reference: object) -> str:
        return ANSWER.model_dump_json()


@pytest.mark.parametrize(
    "error", [RayError("the head died"), RuntimeError("shut down"), ConnectionError("closed")]
)
def test_a_cluster_that_is_gone_is_a_sentence_on_the_page(error: Exception) -> None:
    cluster = Cluster()
    trials = Trials(cluster, cluster)
    cluster.away = error
    for _ in range(3):
        assert trials.estimate(CONFIG, 0) == NO_ANSWER
    assert cluster.begun == 0
    cluster.away = None
    assert trials.estimate(CONFIG, 0) is None
    assert trials.estimate(CONFIG, 0) == ANSWER
    # What is known stays known, whatever becomes of the cluster.
    cluster.away = error
    assert trials.estimate(CONFIG, 0) == ANSWER
