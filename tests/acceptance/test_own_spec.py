"""The spec of the how-to, on suppliers: what is documented must work as it stands."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import polars as pl
import pytest

from tests.acceptance.conftest import Headrace

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-match-spec.md"
SYLLABLES = ("tor", "mek", "ind", "glob", "nor", "sol", "var", "tek", "lum", "ost", "pra", "vel", "hal", "ber", "kri")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """The YAML block of the how-to as a file."""
    block = re.search(r"```yaml\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert block is not None
    path = tmp_path / "suppliers.yaml"
    path.write_text(block.group(1))
    return path


def _suppliers(path: Path) -> Path:
    """1,200 suppliers, two in five with a second row that has one slip."""
    draw = random.Random(4)
    rows = []
    for entity in range(1_200):
        words = ["".join(draw.sample(SYLLABLES, 2)).title() for _ in range(4)]
        row = {
            "supplier": f"{words[0]} {words[1]} {draw.choice(('GmbH', 'Ltd', 'Foods', 'Steel'))}",
            "street": f"{draw.randint(1, 400)} {words[2]} street",
            "city": words[3],
            "zip": str(draw.randint(10_000, 99_999)),
            "tax_id": str(draw.randint(10**8, 10**9 - 1)),
            "entity": entity,
        }
        rows.append(row)
        if draw.random() < 0.4:
            field = draw.choice(("supplier", "zip", "tax_id", "city"))
            at = draw.randrange(len(str(row[field])))
            slip = draw.choice("0123456789" if field in {"zip", "tax_id"} else "abcdefg")
            rows.append({**row, field: str(row[field])[:at] + slip + str(row[field])[at + 1 :]})
    draw.shuffle(rows)
    pl.DataFrame(rows).with_row_index("no").write_csv(path)
    return path


def test_spec_of_the_how_to_matches_suppliers(headrace: Headrace, spec: Path, tmp_path: Path) -> None:
    file, out = _suppliers(tmp_path / "suppliers.csv"), tmp_path / "out.parquet"
    done = headrace("match", file, "--spec", spec, "--id", "no", "--out", out)
    assert done.returncode == 0, done.stderr
    measured = headrace("evaluate", out, "--truth", file, "--id", "no", "--entity", "entity", "--json")
    assert json.loads(measured.stdout)["pairwise"]["f1"] >= 0.98


def test_spec_with_an_error_names_file_key_and_choice(headrace: Headrace, spec: Path, tmp_path: Path) -> None:
    file = _suppliers(tmp_path / "suppliers.csv")
    spec.write_text(spec.read_text().replace("kind: street", "kind: road"))
    done = headrace("match", file, "--spec", spec, "--id", "no")
    assert done.returncode == 2
    assert "suppliers.yaml: fields.1.kind" in done.stderr
    assert "'street'" in done.stderr
