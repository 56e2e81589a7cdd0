"""Many runs as one: the manager's rules for groups, with an engine that does what the test says."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cnnlab.errors import TrainingError
from cnnlab.jobs.job import Job
from cnnlab.jobs.manager import RunManager
from cnnlab.jobs.schedule import Schedule
from cnnlab.runs.store import RunStore
from cnnlab.training.events import Failed
from tests.present import present
from tests.unit.run_server import CONFIG, SETTINGS, Clock, FakeEngine, Server, progress
from tests.waiting import wait_until

CORES = 2


class FakeCpu(FakeEngine):
    """One CPU with two cores: a single run takes it whole, a group's run one core of it."""

    def __init__(self, cores: int = CORES) -> None:
        super().__init__(cores)
        self.devices = ["cpu"] * cores

    def share(self, slot: int, grouped: bool) -> Fraction:  # noqa: ARG002
        return Fraction(1, len(self.devices)) if grouped else Fraction(1)


class Lab(Server):
    """A manager of one CPU."""

    def __init__(self, home: Path) -> None:
        self.store, self.engine, self.clock = RunStore(home), FakeCpu(), Clock()
        self.manager = RunManager(self.store, self.engine, SETTINGS, self.clock)

    def group(self, visitor: str, size: int) -> tuple[str, list[str]]:
        configs = [CONFIG.replace(seed=seed) for seed in range(size)]
        group = self.manager.submit_group(configs, visitor, "lenet", "seeds")
        return group, [run.id for run in self.store.groups.runs(group)]

    def wait_for_begun(self, *runs: str) -> None:
        wait_until(lambda: self.engine.begun == [*runs])

    def statuses(self, group: str) -> list[str]:
        return [run.status for run in self.store.groups.runs(group)]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    lab.manager.close()
    lab.store.close()


def test_the_runs_of_a_group_go_side_by_side_to_their_end(lab: Lab) -> None:
    group, runs = lab.group("ann", 3)
    wait_until(lambda: set(lab.engine.begun) == set(runs[:2]))
    lab.engine.finish(runs[1])
    wait_until(lambda: runs[2] in lab.engine.begun)
    lab.engine.finish(runs[0])
    lab.engine.finish(runs[2])
    wait_until(lambda: lab.statuses(group) == ["finished"] * 3)
    records = lab.store.groups.runs(group)
    assert [run.name for run in records] == ["seeds, seed 0", "seeds, seed 1", "seeds, seed 2"]
    assert {run.group_name for run in records} == {"seeds"}


def test_a_single_run_gets_its_turn_and_the_whole_cpu(lab: Lab) -> None:
    _, runs = lab.group("ann", 4)
    wait_until(lambda: set(lab.engine.begun) == set(runs[:2]))
    single = lab.submit("bob")
    lab.engine.finish(runs[0])
    # Half of the CPU is free, but bob's run needs all of it and comes first.
    wait_until(lambda: present(lab.store.run(runs[0])).status == "finished")
    assert present(lab.manager.place(single)).place == 1
    assert set(lab.engine.begun) == set(runs[:2])
    lab.engine.finish(runs[1])
    wait_until(lambda: single in lab.engine.begun)
    assert len(lab.engine.begun) == 3
    lab.engine.finish(single)
    wait_until(lambda: set(lab.engine.begun) == {*runs, single})


def test_what_a_stopped_run_held_back_begins_at_once(lab: Lab) -> None:
    _, runs = lab.group("ann", 3)
    single = lab.submit("bob")
    wait_until(lambda: len(lab.engine.begun) == 2)
    lab.engine.finish(runs[0])
    wait_until(lambda: present(lab.store.run(runs[0])).status == "finished")
    assert runs[2] not in lab.engine.begun
    lab.manager.stop(single, "bob")
    wait_until(lambda: runs[2] in lab.engine.begun)


def test_the_limit_counts_groups_not_runs(lab: Lab) -> None:
    lab.submit("bob")
    groups = [lab.group("ann", 5)[0] for _ in range(SETTINGS.queue_per_visitor)]
    with pytest.raises(TrainingError, match="already have 3 runs waiting"):
        lab.group("ann", 2)
    assert len(lab.store.runs("ann")) == 15
    lab.manager.stop_group(groups[0], "ann")
    lab.submit("ann")


@pytest.mark.parametrize("size", [0, SETTINGS.runs_per_group + 1])
def test_a_group_is_bounded(lab: Lab, size: int) -> None:
    configs = [CONFIG] * size
    with pytest.raises(TrainingError, match=f"1 to {SETTINGS.runs_per_group} runs.*{size} were"):
        lab.manager.submit_group(configs, "ann", "lenet", "many")
    assert lab.store.runs("ann") == []


def test_how_many_go_side_by_side_is_known_before_they_begin(lab: Lab) -> None:
    assert lab.manager.at_once(CONFIG) == CORES
    lab.engine.only_slot = 0
    assert lab.manager.at_once(CONFIG) == 1


def test_a_group_stopped_half_way_keeps_what_is_done(lab: Lab) -> None:
    group, runs = lab.group("ann", 5)
    wait_until(lambda: len(lab.engine.begun) == 2)
    lab.engine.finish(runs[0])
    wait_until(lambda: len(lab.engine.begun) == 3)
    lab.manager.stop_group(group, "ann", wait_s=20)
    assert lab.statuses(group) == ["finished", *["cancelled"] * 4]
    assert set(lab.engine.begun) == set(runs[:3])
    assert set(lab.engine.cancelled) == set(runs[1:3])
    single = lab.begin("ann")
    lab.engine.finish(single)
    lab.wait_for(single, "finished")


def test_a_failed_run_is_the_only_one_to_fail(lab: Lab) -> None:
    group, runs = lab.group("ann", 3)
    wait_until(lambda: len(lab.engine.begun) == 2)
    lab.engine.put(runs[0], Failed(message="The process that trained broke off."))
    wait_until(lambda: len(lab.engine.begun) == 3)
    lab.engine.finish(runs[1])
    lab.engine.finish(runs[2])
    wait_until(lambda: lab.statuses(group) == ["failed", "finished", "finished"])


def test_a_group_is_one_persons(lab: Lab) -> None:
    group, _ = lab.group("ann", 2)
    for target, visitor in ((group, "bob"), ("unknown", "ann")):
        for act, more in (
            ("stop_group", ()),
            ("delete_group", ()),
            ("rename_group", ("x",)),
            ("pin_group", (True,)),
            ("share_group", ()),
        ):
            with pytest.raises(TrainingError, match="not yours"):
                getattr(lab.manager, act)(target, visitor, *more)
    assert lab.engine.cancelled == []


def test_a_group_is_changed_and_deleted_as_one(lab: Lab) -> None:
    group, runs = lab.group("ann", 2)
    wait_until(lambda: len(lab.engine.begun) == 2)
    lab.engine.finish(runs[0])
    wait_until(lambda: lab.statuses(group)[0] == "finished")
    with pytest.raises(TrainingError, match="still going on"):
        lab.manager.delete_group(group, "ann")
    assert len(lab.store.runs("ann")) == 2
    lab.engine.finish(runs[1])
    wait_until(lambda: lab.statuses(group)[1] == "finished")
    lab.manager.rename_group(group, "ann", "other")
    lab.manager.pin_group(group, "ann", True)
    assert {(run.group_name, run.pinned) for run in lab.store.runs("ann")} == {("other", True)}
    assert lab.store.groups.by_token(lab.manager.share_group(group, "ann"))
    lab.manager.delete_group(group, "ann")
    assert lab.store.runs("ann") == []


def test_the_time_left_comes_from_the_groups_own_runs(lab: Lab) -> None:
    group, runs = lab.group("ann", 5)
    wait_until(lambda: len(lab.engine.begun) == 2)
    assert lab.manager.group_time_left_s(group) is None
    for run in runs[:2]:
        lab.engine.put(run, progress(1, eta_s=10))
    # Two go on for 10 s, then two, then one.
    wait_until(lambda: lab.manager.group_time_left_s(group) == 30)
    lab.clock.now_s = 20
    lab.engine.finish(runs[0])
    wait_until(lambda: len(lab.engine.begun) == 3)
    # One has 10 s to go, the new one the 20 s that the first took; two more follow.
    assert lab.manager.group_time_left_s(group) == 40
    assert lab.manager.group_time_left_s("unknown") == 0


def test_closing_interrupts_a_group_and_a_new_server_knows_it(lab: Lab) -> None:
    group, runs = lab.group("ann", 3)
    wait_until(lambda: len(lab.engine.begun) == 2)
    lab.engine.finish(runs[0])
    wait_until(lambda: lab.statuses(group)[0] == "finished")
    lab.manager.close()
    again = RunStore(lab.store.home)
    assert sorted(run.status for run in again.groups.runs(group)) == [
        *("finished", "interrupted", "interrupted")
    ]
    again.close()


def test_a_server_that_starts_again_shows_a_dead_ones_group_as_it_stands(tmp_path: Path) -> None:
    dead = RunStore(tmp_path)
    configs = [CONFIG.replace(seed=seed) for seed in range(3)]
    group, runs = dead.add_group(configs, "ann", "lenet", "seeds", ["a", "b", "c"])
    dead.ended(runs[0], "finished")
    dead.close()
    again = Lab(tmp_path)
    assert again.statuses(group) == ["finished", "interrupted", "interrupted"]
    assert again.engine.begun == []
    again.manager.close()
    again.store.close()


def test_a_reader_who_is_gone_loses_the_group(lab: Lab) -> None:
    group, _ = lab.group("gone", 3)
    wait_until(lambda: len(lab.engine.begun) == 2)
    lab.clock.now_s = SETTINGS.grace_s + 1
    lab.manager.check()
    wait_until(lambda: lab.statuses(group) == ["cancelled"] * 3)
    assert len(lab.engine.begun) == 2


VISITORS = st.sampled_from("abc")


@hypothesis_settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(VISITORS, st.integers(1, 4)), min_size=1, max_size=8), st.data())
def test_the_cpu_is_never_overfull_and_nobody_starves(
    submissions: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Jobs end in any order, and further submissions come between."""
    schedule = Schedule(FakeCpu(4), 1000, Clock())
    going_on: list[Job] = []
    # How often another visitor's job began while a visitor waited with nothing going on.
    passed: dict[str, Counter[str]] = {visitor: Counter() for visitor in "abc"}
    submitted = done = 0
    while submissions or going_on:
        if submissions and (not going_on or data.draw(st.booleans())):
            visitor, size = submissions.pop()
            group = f"group {submitted}" if size > 1 else None
            schedule.add([Job(f"{submitted + i}", visitor, CONFIG, group) for i in range(size)])
            submitted += size
        else:
            job = going_on.pop(data.draw(st.integers(0, len(going_on) - 1)))
            schedule.end(job)
            done += 1
        begun = schedule.begin()
        going_on += begun
        assert sum(job.share for job in going_on) <= 1
        assert len({job.slot for job in going_on}) == len(going_on)
        served = {job.visitor for job in going_on}
        idle = {job.visitor for job in schedule.jobs()} - served
        for visitor, turns in passed.items():
            if visitor in idle:
                turns.update(job.visitor for job in begun)
                assert max(turns.values(), default=0) <= 1, "somebody took two turns meanwhile"
            else:
                turns.clear()
    assert done == submitted
