from __future__ import annotations

import pytest

from core.metrics.catalog import CATALOG
from core.metrics.export import render


def test_export_shows_kind_unit_and_labels() -> None:
    text = render({"headrace_queue_batches": [(("mill", "ready"), 3)], "headrace_consumer_rows": [((), 7)]}).decode()
    assert 'headrace_queue_batches{flow="mill",state="ready"} 3.0' in text
    assert "# TYPE headrace_consumer_rows_total counter" in text
    assert "headrace_consumer_rows_total 7.0" in text
    assert "(batches)" in text


def test_export_knows_only_the_catalogue() -> None:
    with pytest.raises(KeyError):
        render({"headrace_invented": [((), 1)]})


def test_names_carry_their_unit() -> None:
    odd = [one.name for one in CATALOG.values() if one.unit == "seconds" and not one.name.endswith("_seconds")]
    assert not odd
