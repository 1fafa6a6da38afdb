"""Jobs: submitted once per key, resumed while unfinished, finished by whoever sees that nothing is left; paused,
resumed and cancelled by operators.

A pause or a cancellation changes the job and all its batches in one transaction. It locks the job against those who
add work (enqueue, stages, retries that fall due, redrive), then all headers, in id order, against those who end one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import Row, load, run
from core.errors import ConfigError, DuplicateJob, QueueError
from core.queue import checks, payloads
from core.queue.batches import Job, JobPlace
from core.queue.states import FINISHED, JobStatus, check_job_transition, job_is_open
from core.queue.store import wake
from core.queue.store.flows import DEFAULT_TENANT, policy_of

Q = load("queue")
FORGET_LIMIT = 50_000
# A key stands in two indexes.
KEY_CHARS_MAX = 500
ID_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Steered:
    """What a pause, a resumption or a cancellation did. `batches` and `rows` it moved (cancelled rows include waiting
    retries); `running`: batches under a lease, which a pause lets finish and a cancellation takes away."""

    job_id: int
    status: JobStatus
    batches: int = 0
    rows: int = 0
    running: int = 0


def submit(
    db: DatabaseManager,
    flow_name: str,
    job_key: str,
    parameters: Mapping[str, Any],
    input_digest: str,
    *,
    rerun: bool = False,
) -> Job:
    """The key's unfinished job if there is one, else a new one.

    A job that completed comes back as it is unless `rerun`; one that failed or was cancelled is started anew.
    Raises UnknownFlow; DuplicateJob (the key belongs to another flow or another input).
    """
    tenant_id = DEFAULT_TENANT
    checks.check_name("a job key", job_key, KEY_CHARS_MAX)
    with db.transaction() as conn:
        policy_of(conn, flow_name, tenant_id)
        key = {"tenant_id": tenant_id, "job_key": job_key}
        run(conn, Q["job_key_lock"], key)
        if found := run(conn, Q["job_by_key"], key):
            job = _job(found[0], created=False)
            if (job.flow_name, job.input_digest) != (flow_name, input_digest):
                raise DuplicateJob(
                    f"the job key {job_key} belongs to job {job.job_id} of flow {job.flow_name} with another input",
                    key=job_key,
                    job_id=job.job_id,
                )
            if job_is_open(job.status) or (job.status in {"completed", "completed_with_errors"} and not rerun):
                return job
        new = {
            **key,
            "flow_name": flow_name,
            "parameters": payloads.document("the parameters of the job", parameters),
            "input_digest": input_digest,
            "priority": 100,
        }
        return _job(run(conn, Q["job_insert"], new)[0], created=True)


def find(db: DatabaseManager, job: int | str) -> Job | None:
    """By id (int) or by key (str): the newest of that key."""
    with db.transaction() as conn:
        if isinstance(job, int):
            rows = run(conn, Q["job_by_id"], {"job_id": job})
        else:
            rows = run(conn, Q["job_by_key"], {"tenant_id": DEFAULT_TENANT, "job_key": job})
    return _job(rows[0], created=False) if rows else None


def require(db: DatabaseManager, named: str) -> Job:
    """As `find`, of what a person wrote: digits are an id. Raises ConfigError: there is none."""
    found = find(db, int(named) if named.isdecimal() else named)
    if found is None:
        raise ConfigError(f"there is no job {named}; `headrace jobs` lists them")
    return found


def newest(db: DatabaseManager, limit: int) -> list[Job]:
    """The newest jobs first."""
    with db.transaction() as conn:
        return [_job(row, created=False) for row in run(conn, Q["job_list"], {"limit": limit})]


def places(db: DatabaseManager, job_ids: Sequence[int]) -> dict[int, JobPlace]:
    """How far each job is; one without stages is left out. Cost: one statement, a count of live batches a job."""
    with db.transaction() as conn:
        rows = run(conn, Q["job_list_stages"], {"job_ids": list(job_ids)})
    return {job_id: JobPlace(n_rows, stage, total, total - live) for job_id, n_rows, stage, total, live in rows}


def set_status(db: DatabaseManager, job_id: int, status: JobStatus) -> Steered:
    """Move the job along its legal transitions; QueueError for another one, or no such job.

    `paused` puts its waiting batches aside and lets running ones finish; leaving it for another open state puts them
    back, scheduled ones with the time they had. `cancelled` ends every batch and every waiting retry, running ones too:
    their workers lose the lease and write nothing. Staying is legal and changes nothing.
    Cost: one update, or one history row, per live batch of the job.
    """
    with db.transaction() as conn:
        old, flow_name = _locked(conn, job_id)
        check_job_transition(old, status)
        if old == status:
            return Steered(job_id, status)
        params = {"job_id": job_id, "status": status, "finished": status in FINISHED}
        run(conn, Q["job_status_set"], params)
        done = Steered(job_id, status)
        if status == "paused":
            done = _steer(conn, job_id, status, "job_hold")
        elif status == "cancelled":
            done = _cancel(conn, job_id)
        elif old == "paused" and job_is_open(status):
            done = _steer(conn, job_id, status, "job_unhold")
            wake.notify(conn, flow_name)
    if old == "paused" and status == "running":
        # Its last batch may have finished during the pause.
        finish_if_drained(db, job_id)
    return done


def pause(db: DatabaseManager, job_id: int) -> Steered:
    """Put the job's waiting batches aside; running ones may finish. See `set_status`."""
    return set_status(db, job_id, "paused")


def cancel(db: DatabaseManager, job_id: int) -> Steered:
    """End everything of the job that is not done, for good; running batches lose their lease."""
    return set_status(db, job_id, "cancelled")


def resume(db: DatabaseManager, job_id: int) -> Steered:
    """Let a paused or blocked job run; QueueError if it is finished."""
    job = find(db, job_id)
    if job is not None and not job_is_open(job.status):
        raise QueueError(
            f"job {job_id} is {job.status}: nothing to resume; `headrace queue redrive` runs dead letters again",
            job_id=job_id,
            status=job.status,
        )
    return set_status(db, job_id, "running")


def _steer(conn: psycopg.Connection[Any], job_id: int, status: JobStatus, query: str) -> Steered:
    _lock_headers(conn, job_id)
    return Steered(job_id, status, *run(conn, Q[query], {"job_id": job_id})[0])


def _lock_headers(conn: psycopg.Connection[Any], job_id: int) -> None:
    """Lock the job's headers until no more appear: a split in flight adds two. Locked ones cannot vanish."""
    n_locked, n_before = -1, -2
    while n_locked != n_before:
        n_before, n_locked = n_locked, int(run(conn, Q["job_headers_lock"], {"job_id": job_id})[0][0])


def _cancel(conn: psycopg.Connection[Any], job_id: int) -> Steered:
    """Nothing of the job is left but what it did; each batch and each run of waiting retries has its history row."""
    _lock_headers(conn, job_id)
    n_retries = int(run(conn, Q["job_cancel_retries"], {"job_id": job_id})[0][0])
    n_batches, n_rows, n_running = run(conn, Q["job_cancel_headers"], {"job_id": job_id})[0]
    while forget_cancelled(conn) == FORGET_LIMIT:
        pass
    return Steered(job_id, "cancelled", n_batches, n_rows + n_retries, n_running)


def forget_all_cancelled(db: DatabaseManager) -> int:
    """The leader's part of a cancellation; returns how many rows went."""
    with db.transaction() as conn:
        return forget_cancelled(conn)


def forget_cancelled(conn: psycopg.Connection[Any]) -> int:
    """Delete retries of jobs cancelled lately, up to FORGET_LIMIT. The leader repeats it: rows that a completion
    held at the moment of the cancellation stay behind."""
    return int(run(conn, Q["retries_cancelled"], {"limit": FORGET_LIMIT})[0][0])


def join(conn: psycopg.Connection[Any], job_id: int, tenant_id: str) -> bool:
    """Hold the job while work is added in this transaction; True: it is paused, so the work begins paused.

    Raises QueueError: there is no such job, it is finished, or it is another tenant's: a claim by job looks for the
    batches of the job's own tenant, and would never find these.
    """
    _check_id(job_id)
    rows = run(conn, Q["job_join"], {"job_id": job_id})
    if not rows:
        raise _no_job(job_id)
    status: JobStatus = rows[0][0]
    owner: str = rows[0][1]
    if owner != tenant_id:
        raise QueueError(
            f"job {job_id} belongs to tenant {owner}, not to {tenant_id}: enqueue for {owner}, or without the job",
            job_id=job_id,
            tenant_id=tenant_id,
        )
    if not job_is_open(status):
        raise QueueError(f"job {job_id} is {status}: it gets no more work", job_id=job_id, status=status)
    return status == "paused"


def finish(db: DatabaseManager, job_id: int) -> JobStatus:
    """Seal the job (no more work will be added) and finish it if nothing is left; returns its status then.

    Idempotent. If batches are still live, the last one to complete finishes the job.
    """
    _check_id(job_id)
    with db.transaction() as conn:
        run(conn, Q["job_seal"], {"job_id": job_id})
    finish_if_drained(db, job_id)
    with db.transaction() as conn:
        return _locked(conn, job_id)[0]


def finish_if_drained(db: DatabaseManager, job_id: int) -> bool:
    """Finish a sealed job of which nothing is left; after a completion's commit, never inside it."""
    with db.transaction() as conn:
        return bool(run(conn, Q["job_finish_if_drained"], {"job_id": job_id}))


def _locked(conn: psycopg.Connection[Any], job_id: int) -> tuple[JobStatus, str]:
    _check_id(job_id)
    rows = run(conn, Q["job_lock"], {"job_id": job_id})
    if not rows:
        raise _no_job(job_id)
    status, flow_name = rows[0]
    return status, flow_name


def _check_id(job_id: object) -> None:
    if not isinstance(job_id, int) or not 0 < job_id <= ID_MAX:
        raise _no_job(job_id)


def _no_job(job_id: object) -> QueueError:
    return QueueError(f"there is no job {job_id!r}; `headrace jobs` lists them", job_id=job_id)


def _job(row: Row, *, created: bool) -> Job:
    job_id, flow_name, job_key, status, tenant_id, parameters, input_digest, created_at, finished_at = row
    return Job(
        job_id=job_id,
        flow_name=flow_name,
        job_key=job_key,
        status=status,
        created=created,
        tenant_id=tenant_id,
        parameters=parameters,
        input_digest=input_digest,
        created_at=created_at,
        finished_at=finished_at,
    )
