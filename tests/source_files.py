"""The project's own Python files, and what each of them imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARY = sorted((ROOT / "cnnlab").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))
BENCHMARKS = sorted((ROOT / "benchmarks").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def module_name(file: Path, root: Path = ROOT) -> str:
    """The name under which a file is imported."""
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def ids(files: list[Path]) -> list[str]:
    """The names of these files' modules, for a parametrized test."""
    return [module_name(file) for file in files]


def imported(file: Path, root: Path = ROOT) -> Iterator[str]:
    """Full names of all that a file imports, wherever in the file; `a.b` for `from a import b`."""
    package = module_name(file, root).split(".")
    if file.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a module is one of these packages or lies in one."""
    return any(name == package or name.startswith(package + ".") for package in packages)
