"""What a teacher can do with the line of all visitors."""

import os
from pathlib import Path

import pytest

from cnnlab import process_memory
from tests.unit.run_server import Server
from tests.waiting import wait_until


def test_the_line_has_what_goes_on_before_what_waits(server: Server) -> None:
    first, second, third = server.begin("ann"), server.submit("bob"), server.submit("cyd")
    server.clock.now_s = 40
    line = server.manager.line()
    assert [one.run.id for one in line] == [first, second, third]
    assert [one.running_s for one in line] == [40, None, None]


def test_a_run_can_be_let_go_first(server: Server) -> None:
    first, second, third = server.begin("ann"), server.submit("bob"), server.submit("cyd")
    server.manager.prefer(third)
    assert [one.run.id for one in server.manager.line()] == [first, third, second]
    server.engine.finish(first)
    wait_until(lambda: server.has_begun(third))
    assert not server.has_begun(second)


def test_a_pause_begins_nothing_and_touches_nothing(server: Server) -> None:
    first = server.begin("ann")
    server.manager.pause(True)
    second = server.submit("bob")
    server.engine.finish(first)
    server.wait_for(first, "finished")
    assert not server.has_begun(second)
    server.manager.pause(False)
    wait_until(lambda: server.has_begun(second))


def test_a_run_that_is_ended_for_its_visitor_says_by_whom(server: Server) -> None:
    running, waiting = server.begin("ann"), server.submit("bob")
    server.manager.end([running, waiting], "Stopped by the teacher.")
    server.wait_for(running, "cancelled")
    server.wait_for(waiting, "cancelled")
    for run in (running, waiting):
        assert "Stopped by the teacher." in server.message(run)


def test_memory_in_use_is_read_where_the_system_tells(tmp_path: Path) -> None:
    for number, line in ((7, "VmRSS:\t  2000 kB\n"), (8, "Name:\tkernel\n")):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "status").write_text(f"Name:\tx\n{line}")
    assert process_memory.resident_bytes([7, 8, 9], tmp_path) == 2000 * 1024
    assert process_memory.resident_bytes([8, 9], tmp_path) is None


@pytest.mark.skipif(not process_memory.PROCESSES.exists(), reason="only some systems tell")
def test_this_process_has_some_memory() -> None:
    found = process_memory.resident_bytes([os.getpid()])
    assert found is not None
    assert found > 2**24
