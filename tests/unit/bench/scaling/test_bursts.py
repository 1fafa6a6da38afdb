from __future__ import annotations

from dataclasses import asdict

from core.bench.harness.table import rows
from core.bench.scaling.bursts import Bursts, Round, figures


def test_figures_are_of_all_rounds() -> None:
    rounds = [Round(float(n), 10.0 + n, 11.0, 2, n % 2) for n in range(1, 11)]
    told = figures("headrace scale run", Bursts(), rounds, busy=0.5)
    # The nearest rank: of ten the slowest.
    assert (told.first_p50_s, told.first_p95_s, told.first_max_s) == (5.5, 10.0, 10.0)
    assert (told.zero_max_s, told.peak, told.oscillations_max) == (11.0, 2, 1)
    lines = {line[""]: line["headrace scale run"] for line in rows([asdict(told)])}
    assert lines["burst to the first batch begun p95, s"] == "10.0"
