"""Settings of the operator, from the environment."""

import os
from typing import Literal, Self

from pydantic import Field

from cnnlab.errors import ConfigError
from cnnlab.runs.weights import Quota
from cnnlab.validated import Validated


class Settings(Validated):
    """How runs are queued and bounded; each field is the variable CNNLAB_<NAME>."""

    grace_s: float = Field(
        120, gt=0, description="A run whose reader is gone this long is stopped."
    )
    run_limit_s: float = Field(1800, gt=0, description="Longest time that one run may take.")
    run_limit_waiting_s: float = Field(
        600, gt=0, description="The same while somebody else waits for its place."
    )
    step_limit_s: float = Field(
        600, gt=0, description="A run of which nothing was heard for so long is ended."
    )
    queue_per_visitor: int = Field(
        3, ge=1, description="Runs or groups that one visitor may have waiting."
    )
    queue_length: int = Field(
        100, ge=1, description="Runs or groups that may wait, those of all visitors together."
    )
    weights_mb_per_visitor: int = Field(
        2000, ge=1, description="Disk that the weights of one visitor's runs may take."
    )
    weights_mb: int = Field(20_000, ge=1, description="The same for all visitors together.")
    free_mb: int = Field(500, ge=0, description="Disk that weights leave free.")
    runs_per_group: int = Field(48, ge=1, description="Runs that one group may have.")
    cpu_slots: int = Field(1, ge=1, description="Runs on the CPU at once.")
    threads: int | None = Field(
        None, ge=1, description="CPU threads of a run; all cores but one when left out."
    )
    engine: Literal["local", "ray"] = Field("local", description="Where runs are done.")
    ray_address: str = Field("auto", description="The cluster; `auto` is the one joined here.")
    ray_slots: int | None = Field(None, ge=1, description="Runs at once; counted when left out.")
    ray_gpus_per_run: float = Field(1, ge=0, le=1, description="Share of a GPU; 0 is CPU only.")
    ray_cpus_per_run: float = Field(1, gt=0, description="CPU cores that a run may keep busy.")
    ray_restarts: int = Field(0, ge=0, description="Starts after the first, when a machine dies.")

    @property
    def quota(self) -> Quota:
        """What weights may take."""
        per_visitor, all_, free = self.weights_mb_per_visitor, self.weights_mb, self.free_mb
        return Quota(per_visitor * 2**20, all_ * 2**20, free * 2**20)

    @classmethod
    def from_environment(cls) -> Self:
        """Raises: ConfigError naming the variable that has a value out of bounds."""
        given = {
            name: os.environ[variable]
            for name in cls.model_fields
            if (variable := f"CNNLAB_{name.upper()}") in os.environ
        }
        try:
            return cls(**given)
        except ConfigError as error:
            raise ConfigError(f"An environment variable CNNLAB_… is wrong. {error}") from None
