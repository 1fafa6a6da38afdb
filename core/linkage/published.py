"""Published answers: what differs between two of them, and the way back to an earlier one."""

from __future__ import annotations

from dataclasses import dataclass

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import ConfigError

Q = load("identity")


@dataclass(frozen=True, slots=True)
class JobsDiff:
    """From job_a to job_b: ids that one of them has only, entities made of several, entities in several parts.

    `records_moved` are in both jobs under different ids, those added and removed are in one of them only.
    """

    job_a: int
    job_b: int
    entities_gained: int
    entities_lost: int
    entities_merged: int
    entities_split: int
    records_moved: int
    records_added: int
    records_removed: int


@dataclass(frozen=True, slots=True)
class Rollback:
    """A data set whose readers were sent from one job to another."""

    dataset: str
    from_job: int | None
    to_job: int


def diff(db: DatabaseManager, job_a: int, job_b: int) -> JobsDiff:
    """Compare the entities of two jobs.

    Raises:
        ConfigError: a job has written none.
    Cost: one hash join over the members of both, in the database.
    """
    with db.transaction() as conn:
        known = {row[0] for row in run(conn, Q["job_has_members"], {"job_ids": [job_a, job_b]})}
        for job in (job_a, job_b):
            if job not in known:
                raise ConfigError(f"job {job} has no entities in the database; `headrace jobs` lists jobs", job_id=job)
        (found,) = run(conn, Q["jobs_diff"], {"job_a": job_a, "job_b": job_b})
    return JobsDiff(job_a, job_b, *found)


def rollback(db: DatabaseManager, job_id: int) -> list[Rollback]:
    """Point every data set that the job was published for at it again; readers switch at commit.

    Raises:
        ConfigError: it was never published, or its records are gone.
    """
    with db.transaction() as conn:
        found = run(conn, Q["job_datasets"], {"job_id": job_id})
        if not found:
            raise ConfigError(f"job {job_id} was never published, so nobody can go back to it", job_id=job_id)
        done = []
        for dataset, now, whole in found:
            if not whole:
                raise ConfigError(
                    f"the entities of job {job_id} are gone from the database; run it again", job_id=job_id
                )
            if now != job_id:
                run(conn, Q["job_publish"], {"dataset": dataset, "job_id": job_id, "how": "rollback"})
            done.append(Rollback(dataset, now, job_id))
    return done
