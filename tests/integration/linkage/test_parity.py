"""The queue and the local manifest hand out the same work: equal files, whoever ran the batches."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import ConfigError
from core.jobs.ports import Stage
from core.linkage.history.base_run import open_base
from core.linkage.prepare import describe, understand
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results.report_facts import gather
from core.linkage.results.report_page import write_page
from core.linkage.stages import survive
from core.made_records.persons.generator import generate_persons
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings
from core.storage.workspace import Workspace
from core.workloads.identity.publishing import result_tables
from core.workloads.identity.publishing.export import export_job
from core.workloads.identity.publishing.published import keep_published, publish
from core.workloads.identity.session import IdentitySession

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
        link=(str(files[1]),) if link else (),
        id_column="id",
        out=str(folder / "out.parquet"),
        entities=str(folder / "golden.parquet"),
        range_rows=300,
        pairs_per_batch=1_000,
    )


def drain(session: IdentitySession, stage: Stage, runners: ThreadPoolExecutor) -> None:
    """Run the batches of an open stage, three at a time."""
    while not session.progress(stage).drained:
        found = list(runners.map(session.run, session.claim(stage, 3)))
        assert {done["outcome"] for done in found} == {"completed"}


def through_the_queue(request: MatchRequest, db: DatabaseManager, folder: Path) -> dict[str, object]:
    """Run every batch of a job as two runners of one process do."""
    understood = understand(request)
    workspace = Workspace(str(folder / "work" / understood.key))
    session = IdentitySession(BatchQueue(db, QueueSettings(), "worker"), describe(understood, workspace), workspace)
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
    request = request_of(tmp_path / "queue", files, link)
    queued = through_the_queue(request, db, tmp_path)
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
    page = tmp_path / "report.html"
    write_page(gather(exported, with_values=False), page)
    assert f"{queued['entities']:,}" in page.read_text()
    if not link:
        assert open_base(exported).description.rows == local["rows"]
    published = db.execute_query(
        "test",
        "SELECT count(*), count(DISTINCT entity_id) FROM entity_members WHERE job_id = :j",
        {"j": queued["job_id"]},
    )
    assert [tuple(row) for row in published] == [(local["rows"], local["entities"])]
    shutil.rmtree(tmp_path / "work")
    with pytest.raises(
        ConfigError, match=rf"job {queued['job_id']} was done before, but its files in .* are gone; set"
    ):
        through_the_queue(request, db, tmp_path)


def test_only_a_completed_job_is_exported(db: DatabaseManager, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="job 99999 is no completed job"):
        export_job(BatchQueue(db, QueueSettings(), "test"), 99_999, tmp_path)


def only(folder: Path, frame: pl.DataFrame, **changed: object) -> MatchRequest:
    """A request for one file, always of the same name: that is what a data set is known by."""
    folder.mkdir()
    frame.write_parquet(folder / "people.parquet")
    return MatchRequest(
        input=str(folder / "people.parquet"), id_column="id", out=str(folder / "out.parquet"), **changed
    )


def entities_of(db: DatabaseManager, job_id: object) -> dict[str, str]:
    found = db.execute_query(
        "test", "SELECT record_id, entity_id::text FROM entity_members WHERE job_id = :j", {"j": job_id}
    )
    return dict(map(tuple, found))


def test_a_new_answer_keeps_the_ids_of_the_published_one(db: DatabaseManager, tmp_path: Path) -> None:
    persons = generate_persons(1_500, seed=4, duplicates=0.4)
    ids = persons["id"].sort()
    # The smallest record ids come later: entities would be named anew after them.
    early = persons.filter(~pl.col("id").is_in(ids[: persons.height // 3].implode()))
    first = through_the_queue(only(tmp_path / "first", early), db, tmp_path)
    second = through_the_queue(only(tmp_path / "second", persons), db, tmp_path)
    before, after = entities_of(db, first["job_id"]), entities_of(db, second["job_id"])
    local = resolve(only(tmp_path / "alone", persons), tmp_path / "own")
    assert local["entities"] == second["entities"]
    alone = dict(pl.read_parquet(tmp_path / "alone" / "out.parquet").iter_rows())
    renamed = {record for record, entity in before.items() if alone[record] != entity}
    kept = {record for record in renamed if after[record] == before[record]}
    assert len(renamed) > 50
    assert len(kept) > 0.9 * len(renamed)
    kinds = db.execute_query(
        "test", "SELECT DISTINCT kind FROM entity_changes WHERE job_id = :j ORDER BY 1", {"j": second["job_id"]}
    )
    assert ("new",) in [tuple(row) for row in kinds]
    log = pl.read_parquet(tmp_path / "second" / "out.changes.parquet")
    assert log.height == log_rows(db, second["job_id"])


def log_rows(db: DatabaseManager, job_id: object) -> int:
    return int(db.execute_query("test", "SELECT count(*) FROM entity_changes WHERE job_id = :j", {"j": job_id})[0][0])


def test_links_records_and_all_are_published(
    db: DatabaseManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_tables, "OWN_IDENTITIES_ROWS", 1_500)
    persons = generate_persons(1_600, seed=5, duplicates=0.3)
    counts = {}
    for wanted in ("links", "records", "all"):
        done = through_the_queue(only(tmp_path / wanted, persons, publish=wanted), db, tmp_path)
        job = {"j": done["job_id"]}
        counts[wanted] = [
            db.execute_query("test", query, job)[0][0]
            for query in (
                "SELECT count(*) FROM entity_members WHERE job_id = :j",
                "SELECT sum(n_members) FROM entities WHERE job_id = :j",
                "SELECT count(*) FROM identities WHERE job_id = :j",
                "SELECT count(golden) FROM entities WHERE job_id = :j",
            )
        ]
        assert (
            done["entities"] == db.execute_query("test", "SELECT count(*) FROM entities WHERE job_id = :j", job)[0][0]
        )
    rows = persons.height
    assert counts["links"] == [rows, rows, 0, 0]
    assert counts["records"] == [rows, rows, rows, 0]
    assert counts["all"] == [rows, rows, rows, done["entities"]]
    own = db.execute_query("test", "SELECT name FROM own_tables(:j)", {"j": done["job_id"]})
    assert len(own) == 3 + 53
    kinds = db.execute_query(
        "test", "SELECT count(*) FROM pg_indexes WHERE tablename = :t", {"t": f"identities_ca_j{done['job_id']}"}
    )
    assert kinds[0][0] == 6


def test_a_job_that_was_overtaken_is_not_published(db: DatabaseManager, tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path / "work"))
    queue = BatchQueue(db, QueueSettings(), "test")
    queue.register_flow(FlowPolicy("overtaken"))
    slow, fast = (queue.submit_job("overtaken", key, {}, "digest").job_id for key in ("slow", "fast"))
    keep_published(db, "overtaken", workspace, slow)
    publish(db, "overtaken", Workspace(str(tmp_path / "other")), fast)
    with pytest.raises(ConfigError, match=f"job {fast} was published for overtaken while job {slow} was at work"):
        publish(db, "overtaken", workspace, slow)
    found = db.execute_query("test", "SELECT job_id FROM published_jobs WHERE dataset = 'overtaken'")
    assert [tuple(row) for row in found] == [(fast,)]
