"""What `headrace bench reconcile` measures and prints."""

from __future__ import annotations

import json

import pytest

from core.workloads.invoices.bench.commands import print_figures
from core.workloads.invoices.bench.reconcile import Measured, measure

ONE = Measured(10_000, 3, 3_700, 1.25, 88.4, 2_806, 2, 0.9974, 0.8547, None, 5, 0)


def test_measure_holds_a_reconciliation_against_the_truth() -> None:
    found = measure(300, 5)
    assert found.payments > 50
    assert 0 < found.applied <= found.payments
    assert (found.broken, found.seconds > 0, found.growth_mb > 0) == (0, True, True)


def test_print_figures_says_what_a_person_looks_for(capsys: pytest.CaptureFixture[str]) -> None:
    print_figures("headrace bench reconcile --rows 10000", [ONE], as_json=False)
    printed = capsys.readouterr().out
    assert {"10,000", "1.25", "99.74", "85.47", "2,806"} <= set(printed.split())
    assert max(map(len, printed.splitlines())) <= 80
    print_figures("headrace bench reconcile --rows 10000", [ONE], as_json=True)
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["wrong"], told["top3_recall"], told["command"]) == (2, None, "headrace bench reconcile --rows 10000")
