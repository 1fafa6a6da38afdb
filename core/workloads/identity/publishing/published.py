"""Published answers: what a new one takes over, what differs between two of them, the way back to an earlier one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.database import DatabaseManager
from core.database.copy import copy_out
from core.database.queries import Connection, load, run, stream
from core.errors import ConfigError
from core.linkage.history.base_run import LOG_SCHEMA, MEMBERS, member_keys
from core.storage.workspace import BASE, Array, Workspace, save, save_frame

Q = load("identity")
_REMEMBERED = "published.json"


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


def keep_published(db: DatabaseManager, dataset: str, workspace: Workspace, job_id: int) -> None:
    """Put into the workspace what the answer that counts now calls its entities, for a new one to call them so too.

    Nothing is put there when there is none, or when this job's own counts already.
    Cost: one reading of the members of the published job, once a job: 0.5 us and 32 bytes a record.
    """
    remembered = workspace.read_json(_REMEMBERED)
    if remembered is not None and remembered["job_id"] == job_id:
        return
    base = workspace.root / BASE
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    with db.transaction() as conn:
        found = run(conn, Q["published_job"], {"dataset": dataset})
        before = found[0][0] if found else None
        if before == job_id:
            return
        if before is None:
            for name in (*(f"{each}.npy" for each in MEMBERS), "log.parquet"):
                workspace.remove_file(f"{BASE}/{name}")
        else:
            said = {"job_id": before}
            save_frame(base, "log", copy_out(conn, Q["published_changes"], said, LOG_SCHEMA))
            save(base, _members(conn, before))
    workspace.keep(base)
    workspace.write_json(_REMEMBERED, {"job_id": job_id, "published": before})


def _members(conn: Connection, job_id: int) -> dict[str, Array]:
    """Of each record of a job: its key, and that of its entity."""
    keys, entities = [np.empty((0, 2), dtype=np.uint64)], [np.empty((0, 2), dtype=np.uint64)]
    for sources, lengths, texts, uuids in stream(conn, Q["published_members"], {"job_id": job_id}):
        starts = np.concatenate([[0], np.cumsum(np.frombuffer(lengths, dtype=">i4"), dtype=np.int64)])
        # Kernels are compiled for arrays that can be written.
        ids = (np.frombuffer(texts, dtype=np.uint8).copy(), starts)
        keys.append(member_keys(ids, np.frombuffer(sources, dtype=">i2").astype(np.uint8)))
        entities.append(np.frombuffer(uuids, dtype=">u8").astype(np.uint64).reshape(-1, 2))
    return {name: np.concatenate(found) for name, found in zip(MEMBERS, (keys, entities), strict=True)}


def publish(db: DatabaseManager, dataset: str, workspace: Workspace, job_id: int) -> None:
    """Point the data set's one row at the job: readers of the `current_*` views switch at commit.

    Raises:
        ConfigError: another job was published since this one took over the names of entities, or what the job once
            published is gone; nothing is switched.
    """
    remembered = workspace.read_json(_REMEMBERED)
    with db.transaction() as conn:
        run(conn, Q["dataset_lock"], {"dataset": dataset})
        found = run(conn, Q["published_job"], {"dataset": dataset})
        now = found[0][0] if found else None
        if now == job_id:
            return
        before = run(conn, Q["job_datasets"], {"job_id": job_id})
        if not all(whole for _, _, whole in before):
            raise ConfigError(
                f"job {job_id} was done before, and its entities are gone from the database since; set `rerun` to do "
                "it again",
                job_id=job_id,
                fields=("rerun",),
            )
        if not before and remembered is not None and remembered["published"] != now:
            raise ConfigError(
                f"job {now} was published for {dataset} while job {job_id} was at work, so its entities have other "
                "names; run the same command again with `rerun`",
                job_id=job_id,
                published=now,
                fields=("rerun",),
            )
        run(conn, Q["job_publish"], {"dataset": dataset, "job_id": job_id, "how": "publish"})


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
