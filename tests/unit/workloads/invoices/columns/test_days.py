"""Dates read in the order that their column tells."""

from __future__ import annotations

from datetime import date

import polars as pl

from core.workloads.invoices.columns.days import order_of, read_days

MAY_3 = (date(2024, 5, 3) - date(1970, 1, 1)).days


def test_read_days_knows_the_usual_forms() -> None:
    texts = ["2024-05-03", "2024-05-03T10:00:00Z", "20240503", "3.5.2024", "03/05/2024", "03-05-24", "2024/5/3"]
    assert read_days(pl.Series(texts), day_first=True).to_list() == [MAY_3] * len(texts)
    assert read_days(pl.Series(["05/03/2024", "3.5.2024"]), day_first=False).to_list() == [MAY_3, MAY_3]
    assert read_days(pl.Series(["31.02.2024", "soon", None, "2024-13-01"]), day_first=True).to_list() == [None] * 4


def test_order_of_is_told_by_days_above_twelve() -> None:
    assert order_of(pl.Series(["01/02/2024", "13/02/2024"])) == (True, None)
    assert order_of(pl.Series(["01/02/2024", "02/13/2024"])) == (False, None)
    assert order_of(pl.Series(["01/02/2024", "2024-05-03"])) == (None, None)
    assert order_of(pl.Series(["02/13/2024", "13/02/2024"])) == (False, 1)
