"""A whole job in this process: the same answer however it is cut, and after an interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.errors import SpecError
from core.linkage.ports import Stage
from core.linkage.prepare import identify
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.workspace import Workspace
from core.workloads.identity.generator import generate_persons


@pytest.fixture(scope="module")
def persons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("persons") / "persons.parquet"
    generate_persons(3_000, seed=3, duplicates=0.3).write_parquet(path)
    return path


@pytest.fixture(scope="module")
def whole(persons: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Any]]:
    """The answer of one undisturbed run in a single range."""
    folder = tmp_path_factory.mktemp("whole")
    request = MatchRequest(input=str(persons), id_column="id", out=str(folder / "out.parquet"))
    summary = resolve(request, folder / "work")
    return pl.read_parquet(folder / "out.parquet"), pl.read_parquet(folder / "out.pairs.parquet"), summary


class Stop(Exception):
    """The process ends here."""


@pytest.mark.parametrize("stage", ["ingest", "match", "survive"])
def test_interrupted_run_resumes_and_answers_alike(
    whole: tuple[pl.DataFrame, pl.DataFrame, dict[str, Any]], persons: Path, tmp_path: Path, stage: Stage
) -> None:
    request = MatchRequest(input=str(persons), id_column="id", out=str(tmp_path / "out.parquet"), range_rows=700)

    def stop(now: Stage, done: int, total: int) -> None:
        if (now, done) == (stage, 2):
            raise Stop

    with pytest.raises(Stop):
        resolve(request, tmp_path / "work", on_progress=stop)
    workspace = Workspace(str(tmp_path / "work" / identify(request)))
    before = {path: path.stat().st_mtime_ns for path in (workspace.root / "manifest").rglob("0*.json")}
    assert before
    kept: dict[Path, int] = {}

    def look(now: Stage, done: int, total: int) -> None:
        if now == "publish":
            kept.update({path: path.stat().st_mtime_ns for path in before})

    resolve(request, tmp_path / "work", on_progress=look)
    assert kept == before
    assert pl.read_parquet(tmp_path / "out.parquet").equals(whole[0])
    assert pl.read_parquet(tmp_path / "out.pairs.parquet").equals(whole[1])


@pytest.mark.parametrize(("rows", "pairs", "threads"), [(100, 1_000, 2), (999, 5_000, 1)])
def test_answer_does_not_depend_on_ranges_batches_or_threads(
    whole: tuple[pl.DataFrame, pl.DataFrame, dict[str, Any]],
    persons: Path,
    tmp_path: Path,
    rows: int,
    pairs: int,
    threads: int,
) -> None:
    out = tmp_path / "out.parquet"
    request = MatchRequest(input=str(persons), id_column="id", out=str(out), range_rows=rows, pairs_per_batch=pairs)
    summary = resolve(request, tmp_path / "work", threads=threads)
    assert pl.read_parquet(out).equals(whole[0])
    assert pl.read_parquet(tmp_path / "out.pairs.parquet").equals(whole[1])
    assert summary["candidate_pairs"] == whole[2]["candidate_pairs"]


def test_row_order_changes_neither_entities_nor_their_names(
    whole: tuple[pl.DataFrame, pl.DataFrame, dict[str, Any]], persons: Path, tmp_path: Path
) -> None:
    shuffled = tmp_path / "shuffled.parquet"
    pl.read_parquet(persons).sample(fraction=1.0, shuffle=True, seed=1).write_parquet(shuffled)
    out = tmp_path / "out.parquet"
    resolve(MatchRequest(input=str(shuffled), id_column="id", out=str(out)), tmp_path / "work")
    names = whole[0].rename({"entity_id": "before"}).join(pl.read_parquet(out), on="id", validate="1:1")
    same = names.filter(pl.col("before") == pl.col("entity_id")).height
    # Training draws its random pairs by row, so weights differ a little, and a pair on the threshold may tip over.
    assert same >= 0.995 * whole[0].height


def test_workspace_is_gone_after_success_and_kept_when_asked(persons: Path, tmp_path: Path) -> None:
    request = MatchRequest(input=str(persons), id_column="id")
    resolve(request, tmp_path / "work")
    assert not (tmp_path / "work" / identify(request)).exists()
    resolve(request, tmp_path / "work", keep_workspace=True)
    assert (tmp_path / "work" / identify(request) / "job.json").exists()


def test_two_records_are_enough_and_one_is_no_error(tmp_path: Path) -> None:
    columns = ["id", "first_name", "last_name", "dob", "ssn", "zip", "street"]
    row = ["1", "ann", "oak", "1990-04-05", "219-09-9999", "10001", "1 elm street"]
    for count in (1, 2):
        frame = pl.DataFrame([[str(n), *row[1:]] for n in range(count)], schema=columns, orient="row")
        frame.write_csv(tmp_path / "few.csv")
        summary = resolve(MatchRequest(input=str(tmp_path / "few.csv"), id_column="id"), tmp_path / "work")
        assert summary["rows"] == count


def test_input_that_fits_no_pass_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,first_name\n1,ann\n2,bob\n")
    with pytest.raises(SpecError, match="at least 3 must"):
        resolve(MatchRequest(input=str(tmp_path / "in.csv"), id_column="id"), tmp_path / "work")
    assert [path for path in (tmp_path / "work").rglob("*") if path.suffix not in {".lock", ".owner"}] == []
