"""The stages of a queued reconciliation, run in a folder: the answer of a run in one go, whatever the batches."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.errors import InputError
from core.jobs.local import run_job
from core.jobs.local_source import LocalManifest
from core.made_records.invoices.books import made_books
from core.storage.workspace import Workspace, load_frame
from core.workloads.invoices.made_files import write_books
from core.workloads.invoices.publishing.standing import Standing
from core.workloads.invoices.publishing.told import told_frame
from core.workloads.invoices.queued.job import ReceivablesJob, describe_job, digests
from core.workloads.invoices.queued.kept import keep
from core.workloads.invoices.queued.request import ReconcileRequest, job_key
from core.workloads.invoices.queued.stages import TABLE
from core.workloads.invoices.reconciling.explained import outlines_of
from core.workloads.invoices.reconciling.run import Reconciled, reconcile

NOTHING = {"item_id": pl.String, "open_minor": pl.Int64, "version": pl.Int64}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books")
    write_books(made_books(1_200, seed=4), folder)
    return folder


@pytest.fixture(scope="module")
def at_once(books: Path) -> Reconciled:
    return reconcile(_request(books).plain())


def _request(books: Path, batch_records: int = 10_000) -> ReconcileRequest:
    named = {kind: str(books / f"{kind}.csv") for kind in ("invoices", "customers", "rates")}
    return ReconcileRequest(**named, payments=(str(books / "payments.csv"),), batch_records=batch_records)


def _job(
    request: ReconcileRequest, folder: Path, decided: tuple[str, ...] = ()
) -> tuple[ReceivablesJob, LocalManifest]:
    workspace, source = Workspace(str(folder)), LocalManifest(folder)
    description = describe_job(request, digests(request), workspace, "tests")
    job = ReceivablesJob(description, TABLE, (workspace, 1), source)
    place = folder / job.standing_folder
    place.mkdir(parents=True)
    keep(place, "standing", Standing(pl.DataFrame(schema=NOTHING), decided))
    return job, source


def _run(job: ReceivablesJob, source: LocalManifest) -> ReceivablesJob:
    run_job(job, source, on_progress=lambda *_: None)
    return job


@pytest.mark.parametrize("batch_records", [20, 100, 10_000])
def test_batches_of_any_size_answer_as_a_run_in_one_go(
    books: Path, at_once: Reconciled, tmp_path: Path, batch_records: int
) -> None:
    job = _run(*_job(_request(books, batch_records), tmp_path))
    for name in ("allocations", "exceptions", "unapplied", "states"):
        assert getattr(job.answer, name).equals(getattr(at_once.answer, name)), name
    told = pl.concat([load_frame(folder, "told") for folder in job.folders("settle")]).sort("payment_id")
    assert told.equals(told_frame(at_once.sides.payments["id"], outlines_of(at_once)))
    assert job.outputs("refresh")[0]["figures"] == at_once.figures()
    assert job.model.to_dict() == at_once.run.model.to_dict()
    # Whole groups and components: more than one of each unless all fit into one batch.
    assert (len(job.outputs("propose")) > 1) == (len(job.outputs("settle")) > 1) == (batch_records < 10_000)


def test_a_job_of_which_all_was_decided_before_has_nothing_to_settle(books: Path, tmp_path: Path) -> None:
    decided = tuple(pl.read_csv(books / "payments.csv")["id"].to_list())
    job = _run(*_job(_request(books), tmp_path, decided))
    assert len(job.answer.states) == len(job.answer.allocations) == 0


def test_a_file_that_changed_since_the_job_was_asked_for_is_refused(books: Path, tmp_path: Path) -> None:
    changed = tmp_path / "invoices.csv"
    changed.write_bytes((books / "invoices.csv").read_bytes())
    job, source = _job(_request(books).model_copy(update={"invoices": str(changed)}), tmp_path / "work")
    changed.write_bytes(changed.read_bytes() + b"\n")
    with pytest.raises(InputError, match="has changed since the job was asked for"):
        _run(job, source)


def test_a_job_is_named_by_what_determines_its_answer(books: Path) -> None:
    request = _request(books)
    sha256 = digests(request)
    same = {"out": "elsewhere", "batch_records": 7, "rerun": True}
    other = {"tenant": "second", "auto_min": 0.999, "loss_minor": 5, "mapping": {"": {"decimal": ","}}}
    assert job_key(request.model_copy(update=same), sha256) == job_key(request, sha256)
    keys = {job_key(request.model_copy(update={name: value}), sha256) for name, value in other.items()}
    assert len(keys | {job_key(request, sha256)}) == 5
