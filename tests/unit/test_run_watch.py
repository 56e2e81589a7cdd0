"""Runs that the manager ends by itself: those that nobody watches, and those that take too long."""

from tests.unit.run_server import SETTINGS, Server
from tests.waiting import wait_until


def test_a_reader_who_is_gone_loses_the_run_after_the_grace_period(server: Server) -> None:
    running, waiting = server.begin("gone"), server.submit("gone")
    server.clock.now_s = SETTINGS.grace_s
    server.manager.check()
    assert server.engine.cancelled == []
    server.clock.now_s += 1
    server.manager.check()
    server.wait_for(running, "cancelled")
    server.wait_for(waiting, "cancelled")
    for run in (running, waiting):
        assert "nobody had watched it for 100 s" in server.message(run)


def test_a_reader_who_looks_in_keeps_the_run(server: Server) -> None:
    run = server.begin("ann")
    for _ in range(5):
        server.clock.now_s += 0.9 * SETTINGS.grace_s
        server.manager.seen("ann")
        server.manager.check()
    assert server.engine.cancelled == []
    server.engine.finish(run)
    server.wait_for(run, "finished")


def test_a_run_takes_no_longer_than_allowed(server: Server) -> None:
    run = server.begin("ann")
    server.clock.now_s = SETTINGS.run_limit_s + 1
    server.manager.seen("ann")
    server.manager.check()
    server.wait_for(run, "cancelled")
    assert "may take 1000 s" in server.message(run)


def test_waiting_does_not_count_as_running(server: Server) -> None:
    first, second = server.begin("ann"), server.submit("ann")
    server.clock.now_s = SETTINGS.run_limit_s - 1
    server.manager.seen("ann")
    server.engine.finish(first)
    wait_until(lambda: second in server.engine.begun)
    server.clock.now_s += 2
    server.manager.check()
    assert server.engine.cancelled == []


def test_an_open_tab_keeps_a_run_although_its_reader_only_reads(server: Server) -> None:
    server.manager.arrived("ann")
    run = server.begin("ann")
    server.clock.now_s += 5 * SETTINGS.grace_s
    server.manager.arrived("ann")  # a reload: the new tab may open before the old one closes
    server.manager.left("ann")
    server.clock.now_s += SETTINGS.grace_s + 1
    server.manager.check()
    assert server.engine.cancelled == []

    server.manager.left("ann")
    server.clock.now_s += SETTINGS.grace_s - 1
    server.manager.check()
    assert server.engine.cancelled == []
    server.clock.now_s += 2
    server.manager.check()
    server.wait_for(run, "cancelled")
    assert "nobody had watched" in server.message(run)


def test_a_run_may_take_less_while_somebody_else_waits(server: Server) -> None:
    for name in ("ann", "bob"):
        server.manager.arrived(name)
    run = server.begin("ann")
    server.submit("ann")
    server.clock.now_s = SETTINGS.run_limit_waiting_s + 1
    server.manager.check()
    # The reader's own next run is no reason.
    assert server.engine.cancelled == []
    server.submit("bob")
    server.manager.check()
    server.wait_for(run, "cancelled")
    assert "may take 500 s here while somebody waits" in server.message(run)
