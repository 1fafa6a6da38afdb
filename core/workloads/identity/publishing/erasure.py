"""After records were removed or changed: what earlier jobs hold of them goes, tables and files."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from core.database.queries import Connection, load, run
from core.linkage.description import JobDescription
from core.linkage.history.earlier_runs import EarlierRuns, forget_here, inputs_of
from core.runtime import Runtime
from core.workloads.identity.workload import FLOW

Q = load("identity")


@dataclass(frozen=True, slots=True)
class Erasure:
    """Forgets what came before a job.

    Args:
        earlier: the runs that led to the output it was added to.
        job: what it does itself; the files it reads stay.
    """

    runtime: Runtime
    earlier: EarlierRuns
    job: JobDescription

    def forget(self, job_id: int) -> list[str]:
        """Empty the tables of jobs that were published for the data set before, or never, and delete their files.

        Again changes nothing. Nobody can go back to these jobs: `rollback` says that their entities are gone.

        Args:
            job_id: of the job; it is published.
        Returns:
            What should be known of other jobs, which keep what they have.
        """
        said = {
            "job_id": job_id,
            "dataset": self.job.dataset_name,
            "flow": FLOW,
            "digests": sorted(self.earlier.digests),
        }
        with self.runtime.db.transaction() as conn:
            run(conn, Q["dataset_lock"], said)
            gone = run(conn, Q["jobs_to_forget"], said)
            for number, _ in gone:
                _empty(conn, int(number))
            run(conn, Q["answer_forget"], {"job_ids": [int(number) for number, _ in gone]})
            others = [int(number) for (number,) in run(conn, Q["jobs_that_hold"], said)]
        for number, parameters in gone:
            self._delete_files(int(number), parameters)
        state = self.runtime.settings.state_dir
        forget_here(state / "workspaces" / "local", self.earlier, self._copies, self.job)
        for key in self.earlier.keys - {self.job.key}:
            _remove(partial(self.runtime.workspace_of, key))
        return _notices(others)

    @property
    def _copies(self) -> Path:
        return self.runtime.settings.state_dir / "exports"

    def _delete_files(self, number: int, parameters: dict[str, Any]) -> None:
        """Of a job: its workspace, what was exported of it, and the private copies of its input."""
        if parameters.get("workspace") is not None:
            _remove(partial(self.runtime.workspace, parameters["workspace"]))
        for path in self._copies.glob(f"job-{number}.*"):
            path.unlink(missing_ok=True)
        mine = {path.absolute() for path in inputs_of(self.job)}
        for path in map(Path, (parameters.get("input", ""), *parameters.get("more", ()))):
            if path.parent == self._copies.absolute() and path not in mine:
                path.unlink(missing_ok=True)


def _empty(conn: Connection, job_id: int) -> None:
    for name, _ in run(conn, Q["own_tables"], {"job_id": job_id}):
        # Names as the server gave them, made of a number each.
        query = Q["own_table_empty"]
        run(conn, replace(query, sql=query.sql.format(table=name)))


def _remove(opened: Any) -> None:
    with closing(opened()) as workspace:
        workspace.remove()


def _notices(others: list[int]) -> list[str]:
    if not others:
        return []
    numbers = ", ".join(map(str, others))
    return [
        f"jobs of other data sets, or not ended, read the same files and hold the former values still: {numbers}; "
        "match those data sets again, or end the jobs"
    ]
