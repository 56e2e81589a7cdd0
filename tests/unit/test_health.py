"""What a server says of itself to whoever watches over it."""

from cnnlab.jobs.health import PAUSED, Health
from tests.unit.run_server import Server


def test_all_is_well(server: Server) -> None:
    server.begin("ann")
    server.submit("bob")
    assert Health.of(server.manager) == Health(status="ok", problems=(), running=1, waiting=1)


def test_what_is_wrong_is_said(server: Server) -> None:
    server.manager.pause(True)
    server.store.notice = "Results wait to be written."
    found = Health.of(server.manager)
    assert found.status == "degraded"
    assert found.problems == (PAUSED, "Results wait to be written.")
