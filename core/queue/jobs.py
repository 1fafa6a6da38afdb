"""Jobs: submitted once per key, resumed while unfinished, finished by whoever sees that nothing is left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import Row, load, run
from core.errors import DuplicateJob, QueueError
from core.queue.batches import Job
from core.queue.flows import DEFAULT_TENANT, policy_of
from core.queue.states import FINISHED, JobStatus, check_job_transition, job_is_open

Q = load("queue")


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
            "parameters": json.dumps(dict(parameters)),
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


def newest(db: DatabaseManager, limit: int) -> list[Job]:
    """The newest jobs first."""
    with db.transaction() as conn:
        return [_job(row, created=False) for row in run(conn, Q["job_list"], {"limit": limit})]


def set_status(db: DatabaseManager, job_id: int, status: JobStatus) -> None:
    """Move the job along its legal transitions; QueueError for another one, or no such job."""
    with db.transaction() as conn:
        old = _locked_status(conn, job_id)
        check_job_transition(old, status)
        params = {"job_id": job_id, "status": status, "finished": status in FINISHED}
        run(conn, Q["job_status_set"], params)


def finish(db: DatabaseManager, job_id: int) -> JobStatus:
    """Seal the job (no more work will be added) and finish it if nothing is left; returns its status then.

    Idempotent. If batches are still live, the last one to complete finishes the job.
    """
    with db.transaction() as conn:
        run(conn, Q["job_seal"], {"job_id": job_id})
    finish_if_drained(db, job_id)
    with db.transaction() as conn:
        return _locked_status(conn, job_id)


def finish_if_drained(db: DatabaseManager, job_id: int) -> bool:
    """Finish a sealed job of which nothing is left; after a completion's commit, never inside it."""
    with db.transaction() as conn:
        return bool(run(conn, Q["job_finish_if_drained"], {"job_id": job_id}))


def _locked_status(conn: psycopg.Connection[Any], job_id: int) -> JobStatus:
    rows = run(conn, Q["job_lock"], {"job_id": job_id})
    if not rows:
        raise QueueError(f"there is no job {job_id}; `headrace jobs` lists them", job_id=job_id)
    status: JobStatus = rows[0][0]
    return status


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
