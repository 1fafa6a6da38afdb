"""The forms that `headrace bench intake` writes are the same table."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.intake.whole_columns import read_table
from core.workloads.identity.bench.intake import FORMS, Form
from tests.command import headrace

READ = ("csv", "tsv", "jsonl", "json", "parquet", "arrow", "parts", "stdin", "xlsx")


@pytest.mark.parametrize("form", [form for form in FORMS if form.name in READ], ids=lambda form: form.name)
def test_forms_hold_the_same_table(form: Form, tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [f"P{number}" for number in range(40)], "name": ["A & <B>", None] * 20})
    assert read_table(form.write(frame, tmp_path)).equals(frame)


def test_bench_intake_refuses_a_form_that_is_none() -> None:
    done = headrace("bench", "intake", "--forms", "csv,punched-cards")
    assert done.returncode == 2
    assert "--forms punched-cards: there are csv, tsv" in done.stderr
