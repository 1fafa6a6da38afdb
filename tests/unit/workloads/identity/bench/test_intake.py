"""The forms that `headrace bench intake` writes are the same table."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from core.intake.whole_columns import read_table
from core.workloads.identity.bench.intake import FORMS, BadValues, Form, Taken
from core.workloads.identity.bench.intake_command import print_figures
from tests.command import headrace

READ = ("csv", "tsv", "gz", "zst", "bz2", "xz", "zip", "jsonl", "json", "parquet", "arrow", "parts", "stdin", "xlsx")


@pytest.mark.parametrize("form", [form for form in FORMS if form.name in READ], ids=lambda form: form.name)
def test_forms_hold_the_same_table(form: Form, tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [f"P{number}" for number in range(40)], "name": ["A & <B>", None] * 20})
    assert read_table(form.write(frame, tmp_path)).equals(frame)


def test_bench_intake_prints_forms_and_what_bad_values_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = [Taken("csv", 2_000, 0.2, 4.0, 6.0, 500, 100.0), Taken("xlsx", 2_000, 0.3, 0, 0, 0, 0, "no reader")]
    print_figures("headrace bench intake", taken, BadValues(2_000, 2, 6.0, 6.06, 1.0), tmp_path / "figures.json")
    said = capsys.readouterr().out
    assert "xlsx: no reader" in said
    assert "2 bad values in 2,000 rows cost +1.0 % CPU (6.00 s without, 6.06 s with)" in said
    assert max(map(len, said.splitlines())) <= 80
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [each.get("form") for each in figures] == ["csv", "xlsx", None]


def test_bench_intake_refuses_a_form_that_is_none() -> None:
    done = headrace("bench", "intake", "--forms", "csv,punched-cards")
    assert done.returncode == 2
    assert "--forms punched-cards: there are csv, tsv" in done.stderr
