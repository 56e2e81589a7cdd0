"""Health of a server, for whoever watches over it: what goes on, and what is wrong."""

from pydantic import BaseModel, ConfigDict

from cnnlab.jobs.local.engine import LocalEngine
from cnnlab.jobs.manager import RunManager

STARTING = "A process for training is being started or replaced."
PAUSED = "The line is paused: no run begins."


class Health(BaseModel):
    """How a server stands; `problems` are sentences, none where all is well."""

    model_config = ConfigDict(frozen=True)

    status: str
    problems: tuple[str, ...]
    running: int
    waiting: int

    @classmethod
    def of(cls, manager: RunManager) -> "Health":
        """The health of a server by its run manager."""
        engine, line = manager.engine, manager.line()
        found = {
            STARTING: isinstance(engine, LocalEngine) and not engine.warm,
            PAUSED: manager.paused,
            manager.store.notice: bool(manager.store.notice),
        }
        problems = tuple(sentence for sentence, holds in found.items() if holds)
        running = sum(one.running_s is not None for one in line)
        return cls(
            status="degraded" if problems else "ok",
            problems=problems,
            running=running,
            waiting=len(line) - running,
        )
