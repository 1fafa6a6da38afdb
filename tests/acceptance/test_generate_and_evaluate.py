"""`headrace generate` and `headrace evaluate` as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.command import headrace


def _as_a_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from core.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def persons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "persons.csv"
    done = _as_a_process(
        "generate", "persons", "--rows", 2000, "--seed", 7, "--duplicates", 0.3, "--out", path, "--json"
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["rows"], facts["entities"], facts["duplicates"]) == (2000, 1400, 600)
    assert facts["bytes"] == path.stat().st_size
    return path


def test_generate_persons_again_writes_the_same_bytes(persons: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    done = headrace("generate", "persons", "--rows", 2000, "--seed", 7, "--threads", 3, "--out", again)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2,000 rows of 1,400 persons (600 duplicates)" in done.stdout
    assert again.read_bytes() == persons.read_bytes()
    assert (
        headrace("generate", "persons", "--rows", 2000, "--seed", 7, "--profile", "plain", "--out", again).returncode
        == 0
    )
    assert again.read_bytes() != persons.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rows", 0, "--out", "x.csv"), "--rows must be 1 to"),
        (("--rows", 500_000_001, "--out", "x.csv"), "--rows must be 1 to 500,000,000, not 500,000,001"),
        (("--rows", 10, "--out", "x.txt"), "must end in .parquet or .csv"),
        (("--rows", 10, "--duplicates", 1, "--out", "x.csv"), "--duplicates must be 0 to 0.8"),
    ],
)
def test_generate_persons_refuses_in_one_sentence(arguments: tuple[object, ...], message: str, tmp_path: Path) -> None:
    placed = [tmp_path / part if str(part).startswith("x.") else part for part in arguments]
    done = headrace("generate", "persons", *placed)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def _answer(persons: Path, tmp_path: Path, *, halve: bool = False, drop: int = 0) -> Path:
    """The true entities, or every one torn in single rows (`halve`), less the first `drop` rows."""
    truth = pl.read_csv(persons, infer_schema=False)
    entity = pl.col("id") if halve else pl.col("entity_id").str.replace("E", "X")
    path = tmp_path / "out.parquet"
    truth.select("id", entity.alias("entity_id")).slice(drop).write_parquet(path)
    return path


def _evaluate(out: Path, truth: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return headrace("evaluate", out, "--truth", truth, "--id", "id", "--entity", "entity_id", *more)


def test_evaluate_truth_is_perfect_and_renaming_does_not_matter(persons: Path, tmp_path: Path) -> None:
    done = _evaluate(_answer(persons, tmp_path), persons, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    scores = json.loads(done.stdout)
    perfect = {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert (scores["pairwise"], scores["b_cubed"], scores["rows"]) == (perfect, perfect, 2000)


def test_evaluate_single_rows_have_no_recall(persons: Path, tmp_path: Path) -> None:
    scores = json.loads(_evaluate(_answer(persons, tmp_path, halve=True), persons, "--json").stdout)
    assert scores["pairwise"] == {"precision": 1.0, "recall": 0.0, "f1": 0.0}
    assert scores["b_cubed"]["precision"] == 1.0
    assert 0.5 < scores["b_cubed"]["recall"] < 0.9


def test_evaluate_counts_absent_rows_as_unresolved_and_says_so(persons: Path, tmp_path: Path) -> None:
    done = _evaluate(_answer(persons, tmp_path, drop=500), persons, "--json")
    assert "500 of 2000 ids" in done.stderr
    scores = json.loads(done.stdout)
    assert (scores["unresolved"], scores["rows"]) == (500, 2000)
    assert scores["pairwise"]["precision"] == 1.0
    assert 0.3 < scores["pairwise"]["recall"] < 0.8


def test_evaluate_prints_a_table(persons: Path, tmp_path: Path) -> None:
    done = _evaluate(_answer(persons, tmp_path), persons)
    assert done.returncode == 0
    assert "pairwise" in done.stdout
    assert "1.0000" in done.stdout


def test_evaluate_tells_sources_apart_when_ids_repeat(tmp_path: Path) -> None:
    out, truth = tmp_path / "out.csv", tmp_path / "truth.csv"
    out.write_text("id,source,entity_id\n1,0,a\n1,1,b\n2,0,b\n")
    truth.write_text("id , source, person\n1,0,x\n1,1,y\n2,0,y\n")
    scores = json.loads(
        headrace("evaluate", out, "--truth", truth, "--id", "id", "--entity", "person", "--json").stdout
    )
    assert scores["pairwise"]["f1"] == 1.0
    truth.write_text("id,person\n1,x\n2,y\n")
    done = headrace("evaluate", out, "--truth", truth, "--id", "id", "--entity", "person")
    assert done.returncode == 2
    assert "id '1' stands in more than one row" in done.stderr
