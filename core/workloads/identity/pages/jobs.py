"""The pages of data sets and jobs: what is published, what runs, how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from core.charts import bar
from core.pages.access.needs import Viewer
from core.pages.kit import kit_of
from core.pages.problems import NotFound
from core.pages.rendering import show
from core.pages.tables import Column, Table
from core.queue.batches import Job, JobPlace, StageProgress
from core.queue.producers.jobs import find, newest, places
from core.queue.producers.stages import progress
from core.terminal.spans import span_words
from core.workloads.identity.pages import addresses, desk
from core.workloads.identity.workload import FLOW

router = APIRouter(include_in_schema=False)

JOBS_SHOWN = 50
DATASETS = (
    Column("name", "data set", "link"),
    Column("waiting", "pairs wait", "count"),
    Column("settled", "settled", "count"),
    Column("returned", "asked again", "count"),
    Column("job", "job", "link"),
    Column("published", "published", "time"),
    Column("lookup", "", "link"),
    Column("why", "", "link"),
    Column("runs", "", "link"),
)
JOBS = (
    Column("job", "job", "link"),
    Column("input", "input"),
    Column("status", "state", "state"),
    Column("rows", "rows", "count"),
    Column("stage", "stage"),
    Column("drawn", ""),
    Column("took", "time"),
    Column("began", "began", "time"),
)
STAGES = (
    Column("stage", "stage"),
    Column("state", "state", "state"),
    Column("drawn", ""),
    Column("batches", "batches"),
    Column("rows", "rows", "count"),
    Column("rows_done", "rows done", "count"),
    Column("retries", "retries", "count"),
    Column("dead", "dead letters", "count"),
)


@router.get("")
def overview(request: Request, person: Viewer) -> Response:
    """Data sets with what waits for people, and the newest jobs."""
    db = kit_of(request).db
    found = [job for job in newest(db, JOBS_SHOWN) if job.flow_name == FLOW]
    there = places(db, [job.job_id for job in found])
    now = desk.now()
    return show(
        request,
        "identity/overview.html.j2",
        "Identities",
        datasets=Table("Published data sets", DATASETS, [_dataset(each) for each in desk.datasets(db)]),
        jobs=Table("Newest jobs", JOBS, [_job(job, there.get(job.job_id), now) for job in found]),
    )


@router.get("/jobs/{job_id}")
def job(request: Request, person: Viewer, job_id: int) -> Response:
    """One job: its stages, how far each is, and how long the open one may take."""
    db = kit_of(request).db
    found = find(db, job_id)
    if found is None or found.flow_name != FLOW:
        raise NotFound(f"there is no job {job_id} of identities", job_id=job_id)
    stages = progress(db, job_id)
    now = desk.now()
    return show(
        request,
        "identity/job.html.j2",
        f"Job {job_id}",
        job=found,
        input=_input(found),
        took=span_words(_seconds(found, now)),
        eta=eta_words(stages, found, now),
        table=Table("Stages", STAGES, [_stage(each) for each in stages]),
    )


def eta_words(stages: Sequence[StageProgress], found: Job, now: datetime) -> str:
    """How long the open stage may still take, as a range, by its rows so far; nothing before a tenth of it is done.

    A stage does not say when it began, so the rate is at least that of the whole job.
    """
    stage = next((each for each in reversed(stages) if each.state == "open"), None)
    if stage is None or found.finished_at is not None or stage.rows_done < stage.rows / 10 or not stage.rows_done:
        return ""
    most_s = _seconds(found, now) * (stage.rows - stage.rows_done) / stage.rows_done
    return f"{stage.stage}: at most {span_words(most_s)} to go"


def _dataset(found: desk.DataSet) -> dict[str, Any]:
    cases = found.cases
    return {
        "name": (found.name, addresses.review(found.name)),
        "waiting": found.n_waiting,
        "settled": cases.settled if cases else 0,
        "returned": cases.returned if cases else 0,
        "job": (f"job {found.job_id}", f"/identity/jobs/{found.job_id}"),
        "published": found.published_at,
        "lookup": ("look up", addresses.lookup(found.name)),
        "why": ("why two are one", addresses.why(found.name)),
        "runs": ("compare runs", addresses.runs(found.name)),
    }


def _job(found: Job, place: JobPlace | None, now: datetime) -> dict[str, Any]:
    ends = place is not None and found.status != "completed"
    return {
        "job": (f"job {found.job_id}", f"/identity/jobs/{found.job_id}"),
        "input": _input(found),
        "status": found.status.replace("_", " "),
        "rows": None if place is None else place.rows,
        "stage": f"{place.stage} {place.ended}/{place.batches}" if ends and place else "",
        "drawn": bar(place.ended, place.batches) if ends and place else "",
        "took": span_words(_seconds(found, now)),
        "began": found.created_at,
    }


def _stage(stage: StageProgress) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "state": stage.state,
        "drawn": bar(stage.done, stage.total),
        "batches": f"{stage.done:,}/{stage.total:,}",
        "rows": stage.rows,
        "rows_done": stage.rows_done,
        "retries": stage.waiting or None,
        "dead": stage.dead or None,
    }


def _seconds(found: Job, now: datetime) -> float:
    return ((found.finished_at or now) - found.created_at).total_seconds()


def _input(found: Job) -> str:
    """The input's name without its folder."""
    return str(found.parameters.get("input") or found.flow_name).rstrip("/").rpartition("/")[2]
