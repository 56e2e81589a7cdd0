"""Whose run it is: nobody stops, changes or deletes the run of somebody else."""

import pytest

from cnnlab.errors import TrainingError
from tests.present import present
from tests.unit.run_server import Server


def test_nobody_touches_anothers_run(server: Server) -> None:
    running, waiting = server.begin("ann"), server.submit("ann")
    for run in (running, waiting, "unknown"):
        with pytest.raises(TrainingError, match="not yours"):
            server.manager.stop(run, "bob")
        with pytest.raises(TrainingError, match="not yours"):
            server.manager.delete(run, "bob")
    assert server.engine.cancelled == []
    assert present(server.manager.place(waiting)).place == 1


def test_a_run_is_deleted_when_it_has_ended(server: Server) -> None:
    run = server.begin("ann")
    with pytest.raises(TrainingError, match="Stop it first"):
        server.manager.delete(run, "ann")
    server.engine.finish(run)
    server.wait_for(run, "finished")
    server.manager.delete(run, "ann")
    assert server.store.run(run) is None


@pytest.mark.parametrize("act", ["stop", "delete", "rename", "pin", "share", "withdraw"])
def test_only_ones_own_runs_can_be_changed(server: Server, act: str) -> None:
    run = server.begin("ann")
    server.engine.finish(run)
    server.wait_for(run, "finished")
    more = {"rename": ("x",), "pin": (True,)}.get(act, ())
    for target, visitor in ((run, "bob"), ("unknown", "ann")):
        with pytest.raises(TrainingError, match="not yours"):
            getattr(server.manager, act)(target, visitor, *more)
    getattr(server.manager, act)(run, "ann", *more)
