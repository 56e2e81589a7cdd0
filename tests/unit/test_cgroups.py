"""Time and memory that a container gives, from files as Linux writes them."""

import os
from pathlib import Path

import pytest

from cnnlab import cgroups, devices

V2 = "24 19 0:20 {mounted} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "30 29 0:26 {mounted} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "31 29 0:27 {mounted} /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
)


def machine(root: Path, mounts: str, groups: str, files: dict[str, str]) -> Path:
    """A machine whose process is in some groups."""
    for name, content in {
        "proc/self/mountinfo": "22 1 0:2 / / rw - ext4 /dev/vda rw\n" + mounts,
        "proc/self/cgroup": groups,
        **{f"sys/fs/cgroup/{name}": content for name, content in files.items()},
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    ("content", "limit"),
    [
        ("150000 100000\n", 1.5),
        ("max 100000\n", None),
        ("400000 200000\n", 2),
        ("5000 100000", 0.05),
    ],
)
def test_version_2(tmp_path: Path, content: str, limit: float | None) -> None:
    root = machine(tmp_path, V2.format(mounted="/"), "0::/\n", {"cpu.max": content})
    assert cgroups.cpu_limit(root) == limit


def test_the_smallest_quota_of_nested_groups_holds(tmp_path: Path) -> None:
    files = {
        "kubepods/cpu.max": "300000 100000",
        "kubepods/pod1/cpu.max": "200000 100000",
        "kubepods/pod1/box/cpu.max": "max 100000",
        "kubepods/pod2/cpu.max": "100000 100000",
    }
    groups = "0::/kubepods/pod1/box\n"
    root = machine(tmp_path, V2.format(mounted="/"), groups, files)
    assert cgroups.cpu_limit(root) == 2


def test_a_container_that_sees_only_its_own_branch(tmp_path: Path) -> None:
    files = {"cpu.max": "700000 100000", "inner/cpu.max": "600000 100000"}
    groups = "0::/docker/abc/inner\n"
    root = machine(tmp_path, V2.format(mounted="/docker/abc"), groups, files)
    assert cgroups.cpu_limit(root) == 6


def test_a_group_outside_what_is_mounted_is_the_top_of_it(tmp_path: Path) -> None:
    root = machine(
        tmp_path, V2.format(mounted="/docker/abc"), "0::/other\n", {"cpu.max": "100000 50000"}
    )
    assert cgroups.cpu_limit(root) == 2


@pytest.mark.parametrize(("quota", "limit"), [("250000", 2.5), ("-1", None)])
def test_version_1(tmp_path: Path, quota: str, limit: float | None) -> None:
    folder = "cpu,cpuacct/docker/abc"
    files = {
        f"{folder}/cpu.cfs_quota_us": quota,
        f"{folder}/cpu.cfs_period_us": "100000",
        "cpu,cpuacct/cpu.cfs_quota_us": "-1",
        "cpu,cpuacct/cpu.cfs_period_us": "100000",
        # Nobody's quota: this controller places processes, it does not limit their time.
        "cpuset/docker/abc/cpu.cfs_quota_us": "1",
    }
    groups = "5:cpuset:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n"
    root = machine(tmp_path, V1.format(mounted="/"), groups, files)
    assert cgroups.cpu_limit(root) == limit


def test_both_versions_side_by_side(tmp_path: Path) -> None:
    mounts = V1.format(mounted="/") + V2.format(mounted="/").replace(
        "cgroup rw", "cgroup/unified rw"
    )
    files = {
        "cpu,cpuacct/a/cpu.cfs_quota_us": "300000",
        "cpu,cpuacct/a/cpu.cfs_period_us": "100000",
    }
    root = machine(tmp_path, mounts, "4:cpu,cpuacct:/a\n0::/\n", files)
    assert cgroups.cpu_limit(root) == 3


def test_a_system_without_control_groups_has_no_limit(tmp_path: Path) -> None:
    assert cgroups.cpu_limit(tmp_path) is None


@pytest.mark.parametrize(
    ("limit", "cores"), [(None, 8), (4.0, 4), (1.5, 1), (0.2, 1), (64.0, 8), (2.99, 2)]
)
def test_the_cores_are_those_that_can_be_kept_busy(
    monkeypatch: pytest.MonkeyPatch, limit: float | None, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False)
    monkeypatch.setattr(cgroups, "cpu_limit", lambda: limit)
    assert devices.usable_cores() == cores


@pytest.mark.parametrize(("content", "limit"), [("2147483648\n", 2**31), ("max\n", None)])
def test_memory_in_version_2(tmp_path: Path, content: str, limit: int | None) -> None:
    files = {"box/memory.max": content, "memory.max": "max\n", "box/cpu.max": "1 100000"}
    root = machine(tmp_path, V2.format(mounted="/"), "0::/box\n", files)
    assert cgroups.memory_limit(root) == limit


@pytest.mark.parametrize(("content", "limit"), [("1073741824", 2**30), (f"{2**63 - 4096}", None)])
def test_memory_in_version_1(tmp_path: Path, content: str, limit: int | None) -> None:
    mounts = V1.replace("cpuset", "memory").format(mounted="/")
    files = {"memory/a/memory.limit_in_bytes": content}
    root = machine(tmp_path, mounts, "4:memory:/a\n3:cpu,cpuacct:/b\n", files)
    assert cgroups.memory_limit(root) == limit
    assert cgroups.memory_limit(tmp_path / "nothing here") is None
