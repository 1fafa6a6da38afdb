"""One job, several processes with nothing in common but the queue and an object store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.database import DatabaseManager
from core.linkage.prepare import understand
from core.linkage.request import MatchRequest
from core.made_records.persons.generator import generate_persons
from core.storage.object_store import ObjectStore
from tests.integration.storage import store_worker
from tests.integration.storage.conftest import BUCKET
from tests.profiles import is_long

ROOT = Path(__file__).parents[3]
Start = Callable[..., subprocess.Popen[bytes]]
WorkHere = Callable[..., None]
STAGES_OF = "SELECT DISTINCT stage FROM queue_history WHERE outcome = 'completed' AND job_id = :j"
TWICE = """
    SELECT count(*) FROM (SELECT stage, origin_batch_id FROM queue_history
        WHERE outcome = 'completed' GROUP BY 1, 2 HAVING count(*) > 1) AS again
"""
WORKERS = "SELECT count(DISTINCT worker_id) FROM queue_history WHERE outcome = 'completed' AND job_id = :j"
KILLED_IN = [("reduce", 7), ("ingest", 6), ("cluster", 8)]
LEFT = "SELECT (SELECT count(*) FROM processing_queue) + (SELECT count(*) FROM dead_letters)"


def settings_of(machine: str, database_url: str, tmp_path: Path, place: str | None = None) -> dict[str, str]:
    """A state folder of its own, as on a machine of its own."""
    (tmp_path / machine).mkdir(exist_ok=True)
    return {
        "HEADRACE_DATABASE__URL": database_url,
        "HEADRACE_STATE_DIR": str(tmp_path / machine),
        "HEADRACE_MATCHING__WORKSPACE_URI": place or f"s3://{BUCKET}/jobs",
        "HEADRACE_QUEUE__LEASE_TTL_S": "2",
        "HEADRACE_QUEUE__BEAT_S": "0.5",
        "HEADRACE_QUEUE__RESCUE_EVERY_S": "0.5",
    }


@pytest.fixture
def work_here(database_url: str, tmp_path: Path, s3_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> WorkHere:
    """Work on a job in this process, which nobody kills, to its end."""

    def work(machine: str, request: MatchRequest, *, place: str | None = None) -> None:
        for name, value in settings_of(machine, database_url, tmp_path, place).items():
            monkeypatch.setenv(name, value)
        store_worker.work(request)

    return work


@pytest.fixture
def start(database_url: str, tmp_path: Path, s3_env: dict[str, str]) -> Iterator[Start]:
    """Start a worker in a process."""
    started: list[subprocess.Popen[bytes]] = []

    def work(machine: str, request: MatchRequest, *, dies_in: str = "") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.integration.storage.store_worker", request.model_dump_json()]
        settings = settings_of(machine, database_url, tmp_path)
        with (tmp_path / f"{machine}.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, *([dies_in] if dies_in else [])], env={**os.environ, **settings}, stderr=log, cwd=ROOT
            )
        started.append(process)
        return process

    yield work
    for process in started:
        process.kill()
        process.wait()


def request_of(folder: Path, seed: int, suffix: str) -> MatchRequest:
    folder.mkdir()
    persons = generate_persons(1_500, seed=seed, duplicates=0.4)
    path = folder / f"people{suffix}"
    persons.write_csv(path) if suffix == ".csv" else persons.write_parquet(path)
    return MatchRequest(
        input=str(path),
        id_column="id",
        out=str(folder / "store.parquet"),
        entities=str(folder / "store.golden.parquet"),
        range_rows=250,
        pairs_per_batch=1_000,
        # Ids of records are the same in all tests: none may take over the names of another one's entities.
        dataset=f"persons {seed}",
    )


def done(process: subprocess.Popen[bytes], tmp_path: Path) -> int:
    code = process.wait(timeout=240)
    if code not in {0, -signal.SIGKILL}:
        pytest.fail("\n".join(log.read_text()[-3_000:] for log in tmp_path.glob("*.log")))
    return code


def job_of(db: DatabaseManager, request: MatchRequest) -> dict[str, object]:
    ((job_id,),) = db.execute_query(
        "t", "SELECT max(job_id) FROM jobs WHERE job_key = :k", {"k": understand(request).key}
    )
    return {"j": job_id}


def assert_as_in_a_folder(work_here: WorkHere, request: MatchRequest, tmp_path: Path) -> None:
    """Do the job again in a folder: every byte of the answer is the same."""
    out = Path(request.out or "")
    folder = request.model_copy(
        update={
            "out": str(out.with_name("folder.parquet")),
            "entities": str(out.with_name("folder.golden.parquet")),
            "rerun": True,
            "dataset": f"{request.dataset} in a folder",
        }
    )
    work_here("folder", folder, place=str(tmp_path / "mounted"))
    for kind in ("", ".pairs", ".golden"):
        one, other = (out.with_name(f"{name}{kind}.parquet").read_bytes() for name in ("store", "folder"))
        assert one == other, kind
        assert len(one) > 1_000, kind


def test_two_workers_share_a_job_and_a_killed_one_loses_nothing(
    start: Start, work_here: WorkHere, db: DatabaseManager, tmp_path: Path
) -> None:
    request = request_of(tmp_path / "in", 5, ".parquet")
    doomed = [start("one", request, dies_in="match"), start("two", request)]
    assert done(doomed[0], tmp_path) == -signal.SIGKILL
    assert done(doomed[1], tmp_path) == 0
    assert list((tmp_path / "two" / "scratch").iterdir()) == [], "the last user removes the copies"
    assert list((tmp_path / "one" / "scratch").iterdir()) != [], "the killed one had some"
    job = job_of(db, request)
    assert len(db.execute_query("t", STAGES_OF, job)) == 11
    assert db.execute_query("t", WORKERS, job) == [(2,)]
    assert db.execute_query("t", TWICE) == [(0,)]
    assert db.execute_query("t", LEFT) == [(0,)]
    store = ObjectStore(f"s3://{BUCKET}/jobs/{understand(request).key}")
    assert store.read("job.json") is not None
    for log in tmp_path.glob("*.log"):
        assert "very-secret" not in log.read_text()
    assert_as_in_a_folder(work_here, request, tmp_path)


@pytest.mark.parametrize(("stage", "seed"), KILLED_IN if is_long() else KILLED_IN[:1])
def test_a_job_goes_on_where_its_only_worker_was_killed(
    start: Start, work_here: WorkHere, db: DatabaseManager, tmp_path: Path, stage: str, seed: int
) -> None:
    request = request_of(tmp_path / "in", seed, ".csv")
    assert done(start("one", request, dies_in=stage), tmp_path) == -signal.SIGKILL
    # The same machine twice: what the killed process left is used or removed, never believed.
    work_here("one", request)
    assert list((tmp_path / "one" / "scratch").iterdir()) == []
    assert db.execute_query("t", TWICE) == [(0,)]
    assert_as_in_a_folder(work_here, request, tmp_path)
