"""Every "Try it" of the course, done as a reader would, and whether the effect is seen.

python -m benchmarks.exercises                    all, with three seeds; writes docs/exercises.md
python -m benchmarks.exercises --id vgg-depth     these only; the others' rows stay as they are
python -m benchmarks.exercises --quick            in their short form, with one seed; writes nothing
"""

import argparse
import time
from pathlib import Path

from benchmarks.figures import heading, machine
from cnnlab import catalog
from cnnlab.exercises import EXERCISES, SEEDS, Exercise, Result, check, of_section

PAGE = Path(__file__).parents[1] / "docs" / "exercises.md"
INTRODUCTION = """# Exercises

Every "Try it" of the course names its settings; here is what is promised of them and what was seen
with the seeds 0, 1 and 2 (counts in the layer table are the same with every seed). Training runs
use the embedded set of shapes and 32-bit numbers, so that another machine gets figures close to
these. A promise holds when it holds with every seed, where it does not say otherwise. An exercise
without rows has not been done at full length yet.

`python -m benchmarks.exercises` does all of them and writes this page; `--id` takes some.
"""
COLUMNS = "| exercise | promised | seen | holds |\n|---|---|---|---|\n"


def main(arguments: list[str] | None = None) -> int:
    """Do the exercises and say which promises hold; 1 where one does not."""
    asked = parse(arguments)
    rows = known_rows(PAGE)
    failed = 0
    print(heading(machine()))
    for name in asked.id or EXERCISES:
        exercise = EXERCISES[name]
        begin_s = time.perf_counter()
        results = check(exercise, SEEDS[:1] if asked.quick else SEEDS, short=asked.quick)
        rows[name] = [row(exercise, result) for result in results]
        print(*rows[name], f"  {time.perf_counter() - begin_s:.0f} s", sep="\n", flush=True)
        failed += sum(not result.holds for result in results)
        if not asked.quick:
            # Written after each: a long series may be broken off.
            PAGE.write_text(page(rows), encoding="utf-8")
    print(f"{failed} promises do not hold." if failed else "Every promise holds.")
    return 1 if failed else 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line. Raises: SystemExit for an exercise that does not exist."""
    parser = argparse.ArgumentParser(prog="benchmarks.exercises", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--id", nargs="+", choices=EXERCISES, metavar="ID")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args(arguments)


def row(exercise: Exercise, result: Result) -> str:
    """A promise and the figures of every arm, one for each seed, as a line of the table."""
    digits = result.claim.measure.format
    seen = "; ".join(
        f"{arm} {' '.join(format(figure, digits) for figure in figures)}"
        for arm, figures in result.figures.items()
    )
    return f"| {exercise.id} | {result.claim.says()} | {seen} | {'yes' if result.holds else 'NO'} |"


def known_rows(file: Path) -> dict[str, list[str]]:
    """The lines of the table that were written before, by exercise."""
    found: dict[str, list[str]] = {}
    for text in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        name = text.removeprefix("| ").partition(" |")[0]
        if name in EXERCISES:
            found.setdefault(name, []).append(text)
    return found


def page(rows: dict[str, list[str]]) -> str:
    """The document: a table for each section."""
    parts = [INTRODUCTION]
    for slug, section in catalog.SECTIONS.items():
        lines = [text for exercise in of_section(slug) for text in rows.get(exercise.id, ())]
        if lines:
            parts.append(f"## {section.heading}\n\n{COLUMNS}" + "\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    raise SystemExit(main())
