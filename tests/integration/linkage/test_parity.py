"""The queue and the local manifest hand out the same work: equal files, whoever ran the batches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import ConfigError
from core.linkage.earlier import open_base
from core.linkage.exporting import export_job
from core.linkage.ports import Stage
from core.linkage.prepare import describe, identify
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.session import JobSession
from core.linkage.stages import survive
from core.linkage.workspace import Workspace
from core.queue import BatchQueue
from core.settings import QueueSettings
from core.workloads.identity.generator import generate_persons

PUBLISHED = "SELECT count(*), count(DISTINCT entity_id) FROM entity_members WHERE job_id = :j"
OUTPUTS = ("out", "out.pairs", "golden")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two files that share persons."""
    folder = tmp_path_factory.mktemp("persons")
    persons = generate_persons(2_000, seed=9, duplicates=0.4)
    for name, part in (("a", persons[::2]), ("b", persons[1::2])):
        part.write_parquet(folder / f"{name}.parquet")
    return folder / "a.parquet", folder / "b.parquet"


def request_of(folder: Path, files: tuple[Path, Path], link: bool) -> MatchRequest:
    folder.mkdir()
    return MatchRequest(
        input=str(files[0]),
        link=str(files[1]) if link else None,
        id_column="id",
        out=str(folder / "out.parquet"),
        entities=str(folder / "golden.parquet"),
        range_rows=300,
        pairs_per_batch=1_000,
    )


def drain(session: JobSession, stage: Stage, runners: ThreadPoolExecutor) -> None:
    """Run the batches of an open stage, three at a time."""
    while not session.progress(stage).drained:
        found = list(runners.map(session.run, session.claim(stage, 3)))
        assert {done["outcome"] for done in found} == {"completed"}


def through_the_queue(request: MatchRequest, db: DatabaseManager, folder: Path) -> dict[str, object]:
    """Run every batch of a job as two runners of one process do."""
    key = identify(request)
    workspace = Workspace(str(folder / "work" / key))
    session = JobSession(BatchQueue(db, QueueSettings(), "worker"), describe(request, key, workspace), workspace)
    with ThreadPoolExecutor(2) as runners:
        for stage in session.stages:
            session.open(stage)
            drain(session, stage, runners)
            session.share_done(stage)
    summary = session.finish()
    session.write_outputs(summary)
    session.close()
    return summary


@pytest.mark.parametrize("link", [False, True])
def test_queue_and_manifest_give_equal_outputs(
    db: DatabaseManager, files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: bool
) -> None:
    monkeypatch.setattr(survive, "ROWS_MIN", 1)
    queued = through_the_queue(request_of(tmp_path / "queue", files, link), db, tmp_path)
    local = resolve(request_of(tmp_path / "local", files, link), tmp_path / "own")
    for name in OUTPUTS:
        one, other = (pl.read_parquet(tmp_path / via / f"{name}.parquet") for via in ("queue", "local"))
        assert one.height > 100
        assert one.equals(other), name
    for figure in ("rows", "candidate_pairs", "matches", "entities", "clusters", "recall", "batches"):
        assert queued[figure] == local[figure], figure
    exported = export_job(BatchQueue(db, QueueSettings(), "test"), int(str(queued["job_id"])), tmp_path / "exports")
    for kind in ("", ".pairs"):
        one = pl.read_parquet(exported.with_name(f"{exported.stem}{kind}.parquet"))
        assert one.equals(pl.read_parquet(tmp_path / "queue" / f"out{kind}.parquet")), kind
    if not link:
        assert open_base(exported).description.rows == local["rows"]
    published = db.execute_query(
        "test",
        "SELECT count(*), count(DISTINCT entity_id) FROM entity_members WHERE job_id = :j",
        {"j": queued["job_id"]},
    )
    assert [tuple(row) for row in published] == [(local["rows"], local["entities"])]


def test_only_a_completed_job_is_exported(db: DatabaseManager, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="job 99999 is no completed job"):
        export_job(BatchQueue(db, QueueSettings(), "test"), 99_999, tmp_path)
