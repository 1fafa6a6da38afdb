"""Seconds, memory and accuracy of one reconciliation, files to allocations, in a process of its own."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.bench.harness.process import Ran, run
from core.made_records.invoices.books import made_books
from core.processes import python
from core.workloads.invoices.evaluation.answer_files import read_allocations, read_listed, read_money, read_truth
from core.workloads.invoices.evaluation.evaluate import Evaluation, evaluate
from core.workloads.invoices.made_files import write_books
from core.workloads.invoices.warm import warm

CHILD = "core.workloads.invoices.bench.reconcile_child"


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. rows: invoices and payments. seconds: without the start of the process, kernels compiled. growth_mb:
    most resident memory over that of the process before it read. top3_recall: of what is suggested and pays something.
    misfits: bands of stated probability that do not come true. broken: invariants.
    """

    rows: int
    seed: int
    payments: int
    seconds: float
    growth_mb: float
    applied: int
    wrong: int
    precision_low: float | None
    touchless: float | None
    top3_recall: float | None
    misfits: int
    broken: int


def measure(rows: int, seed: int) -> Measured:
    """Make books, reconcile them, and hold the answer against the truth.

    Raises:
        MatchError: the process failed; with the end of what it said.
    """
    warm()
    with tempfile.TemporaryDirectory(prefix="headrace-reconcile-") as name:
        folder = Path(name)
        write_books(made_books(rows, seed), folder)
        ran = run(python(CHILD), {"folder": name}, {})
        return _measured(rows, seed, ran, _evaluated(folder))


def _evaluated(folder: Path) -> Evaluation:
    answer = folder / "answer"
    return evaluate(
        read_allocations(answer),
        read_listed(answer),
        read_truth(folder / "truth.csv"),
        read_money(folder / "payments.csv", required=True),
        read_money(folder / "invoices.csv", required=True),
    )


def _measured(rows: int, seed: int, ran: Ran, held: Evaluation) -> Measured:
    whole = held.slices[0]
    precision = whole.precision
    return Measured(
        rows=rows,
        seed=seed,
        payments=whole.touchless.whole,
        seconds=round(float(ran.answer["seconds"]), 3),
        growth_mb=round(ran.peak_rss_mb - float(ran.answer["idle_mb"]), 1),
        applied=precision.whole,
        wrong=precision.whole - precision.part,
        precision_low=precision.interval[0] if precision.interval else None,
        touchless=whole.touchless.value,
        top3_recall=whole.recall.value,
        misfits=sum(not band["fits"] for band in held.bands),
        broken=sum(bool(invariant.broken) for invariant in held.invariants),
    )
