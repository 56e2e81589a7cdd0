"""docs/security.md: each promise names the code that keeps it and the test that shows it."""

import ast
import re

import pytest

from tests.conftest import ROOT

DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in DOCUMENT.splitlines() if line.startswith("| ")][1:]
NAMED = re.findall(r"`((?:cnnlab|pages|tests)/[\w/.]+)(?:::(\w+))?`", DOCUMENT)


def test_every_threat_has_a_promise_a_mechanism_and_a_test() -> None:
    assert len(ROWS) > 10
    for row in ROWS:
        threat, promise, mechanism, test = (cell.strip() for cell in row.strip("| ").split(" | "))
        assert threat
        assert promise
        assert mechanism
        assert "tests/" in test, threat


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_the_document_names_is_there(path: str, name: str) -> None:
    file = ROOT / path
    assert file.is_file(), path
    if name:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in functions
