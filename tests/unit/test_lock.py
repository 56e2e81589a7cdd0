"""requirements.lock: all that requirements.txt asks for, by the hashes of its files."""

import re
from functools import cache

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

ASKED = [
    Requirement(line)
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@cache
def locked() -> dict[str, list[str]]:
    """The blocks of the file, by package; one has several where Python versions differ."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=[a-z0-9])", text.strip()):
        found.setdefault(block.partition("==")[0], []).append(block)
    return found


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_what_is_asked_for_is_locked_at_a_version_that_will_do(asked: Requirement) -> None:
    for block in locked()[asked.name]:
        version = re.match(r"[^=]+==([^ ]+)", block)
        assert version is not None
        assert asked.specifier.contains(version[1], prereleases=True)


def test_every_version_has_hashes_and_no_address() -> None:
    blocks = [block for blocks in locked().values() for block in blocks]
    assert len(blocks) > 50
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:60]
        assert "//" not in block
