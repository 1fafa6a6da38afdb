"""`headrace generate KIND`: files, what it says of them, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.cli.generate import paths_of
from core.errors import ConfigError
from core.made_records.kinds import KINDS, make_records


def generated(*words: str) -> str:
    done = CliRunner().invoke(build(), ["generate", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_generate_writes_one_file_for_one_table(tmp_path: Path) -> None:
    out = tmp_path / "names.csv"
    facts = json.loads(generated("spellings", "--rows", "300", "--seed", "5", "--out", str(out), "--json"))
    assert facts["out"] == [str(out)]
    assert facts["rows"] == [300]
    assert facts["rates"].keys() >= {"slip", "capitals"}
    (expected,) = make_records("spellings", 300, 5)
    assert pl.read_csv(out, infer_schema=False).equals(expected)
    assert [path.name for path in tmp_path.iterdir()] == ["names.csv"]


def test_generate_writes_a_file_for_each_side(tmp_path: Path) -> None:
    said = generated("papers-scraped", "--rows", "300", "--out", str(tmp_path / "papers.parquet"))
    expected = make_records("papers-scraped", 300, 1)
    for letter, frame in zip("ab", expected, strict=True):
        path = tmp_path / f"papers-{letter}.parquet"
        assert pl.read_parquet(path).equals(frame)
        assert f"{path} ({len(frame):,} rows)" in said


@pytest.mark.parametrize(
    ("out", "says"),
    [("x.txt", "must end in .parquet or .csv"), ("missing/x.csv", "there is no folder"), ("folder.csv", "is a folder")],
)
def test_generate_refuses_what_it_cannot_write(tmp_path: Path, out: str, says: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ConfigError, match=says):
        paths_of(KINDS["songs"], tmp_path / out)


def test_generate_has_a_command_for_every_kind() -> None:
    shown = CliRunner().invoke(build(), ["generate", "--help"], catch_exceptions=False).stdout
    for kind in ("persons", *KINDS):
        assert kind in shown
