"""lines.csv and truth.csv of made purchases."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from core.errors import ConfigError
from core.workloads.emissions.inventory.lines import COLUMNS
from core.workloads.emissions.made_purchases.groups import GROUPS
from core.workloads.emissions.made_purchases.traps import TRAPS
from core.workloads.emissions.made_purchases.world import Line, Truth, World, made_world, plain, truth_of
from core.workloads.emissions.rules.categories import place_of

ROWS_MIN, ROWS_MAX = 100, 5_000_000
TRAP_SHARE: Final = 0.12
TRUTH: Final = ("line_id", "entity", "category", "kg", "fate", "slice")


def write_purchases(rows: int, seed: int, out: Path) -> dict[str, Any]:
    """Write the two files; the same rows and seed make the same bytes.

    Raises ConfigError: rows out of range, or the folder cannot be made.
    Cost: some 25 us a row.
    """
    if not ROWS_MIN <= rows <= ROWS_MAX:
        raise ConfigError(f"--rows must be {ROWS_MIN} to {ROWS_MAX:,}, not {rows:,}", option="rows", got=rows)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out} cannot be made a folder ({error.strerror})") from None
    made = list(made_lines(made_world(rows, seed), rows))
    _write(out / "lines.csv", COLUMNS, (line for line, _ in made))
    _write(out / "truth.csv", TRUTH, (truth for _, truth in made))
    slices: dict[str, int] = {}
    for _, truth in made:
        slices[truth["slice"]] = slices.get(truth["slice"], 0) + 1
    return {"rows": rows, "seed": seed, "out": str(out), "slices": dict(sorted(slices.items()))}


def made_lines(world: World, rows: int) -> Iterator[tuple[Line, Truth]]:
    """Every line with its truth: groups and traps in their shares, the rest plain."""
    row = 0
    for share, size, make in GROUPS:
        for _ in range(max(int(rows * share) // size, 1)):
            for line, truth in make(world, row):
                yield line, _with_category(line, truth)
            row += size
    for _ in range(max(int(rows * TRAP_SHARE) // len(TRAPS), 1)):
        for name, change in TRAPS.items():
            if row < rows:
                line, fate = change(plain(world, row)[0])
                yield line, truth_of(world, row, name, None, fate)
                row += 1
    for number in range(row, rows):
        line, truth = plain(world, number)
        yield line, _with_category(line, truth)


def _with_category(line: Line, truth: Truth) -> Truth:
    place = place_of(line["code_scheme"], line["code"])
    return {**truth, "category": str(place.category) if place and truth["kg"] else ""}


def _write(path: Path, columns: Iterable[str], rows: Iterable[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
