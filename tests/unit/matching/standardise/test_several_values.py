"""Cells are divided where each piece is a value by itself, and nowhere else."""

from __future__ import annotations

import polars as pl
import pytest

from core.matching.standardise.several_values import (
    ValueCounts,
    count_values,
    may_be_several,
    may_divide,
    may_hold_several,
    split_values,
)
from core.matching.text.string_views import bytes_in

TELEPHONES = {
    "217-555-0142; 302-555-0188": ["217-555-0142", "302-555-0188"],
    "217-555-0142 |302-555-0188|": ["217-555-0142", "302-555-0188"],
    "217-555-0142\n302-555-0188\r\n555-0100": ["217-555-0142", "302-555-0188", "555-0100"],
    "217-555-0142 or 302-555-0188": ["217-555-0142", "302-555-0188"],
    "0171 5550142 oder 030 5550188": ["0171 5550142", "030 5550188"],
    "217-555-0142 / 302-555-0188": ["217-555-0142", "302-555-0188"],
    "217-555-0142/302-555-0188": ["217-555-0142", "302-555-0188"],
    "555-0142, 555-0188": ["555-0142", "555-0188"],
    "217-555-0142; n/a": ["217-555-0142; n/a"],
    "217-555-0142; 217-555-0142": ["217-555-0142"],
    # An area code, an extension or an ending is no number of its own.
    "217/555-0142": ["217/555-0142"],
    "02102 / 5550142": ["02102 / 5550142"],
    "217; 555-0142": ["217; 555-0142"],
    "217-555-0142, x123": ["217-555-0142, x123"],
    "217-555-0142; ext. 123456": ["217-555-0142; ext. 123456"],
    "+1 217 555 0142": ["+1 217 555 0142"],
}
IDENTIFIERS = {
    "123-45-6789; 987-65-4320": ["123-45-6789", "987-65-4320"],
    "4711|4712": ["4711", "4712"],
    "123/456/7890": ["123/456/7890"],
}
MAILS = {
    "ann@example.com; a.oak@example.org": ["ann@example.com", "a.oak@example.org"],
    "ann@example.com a.oak@example.org": ["ann@example.com", "a.oak@example.org"],
    "ann@example.com or a.oak@example.org": ["ann@example.com", "a.oak@example.org"],
    "ann@example.com/a.oak@example.org": ["ann@example.com", "a.oak@example.org"],
    "Ann Oak <ann@example.com>, <a.oak@example.org>": ["ann@example.com", "a.oak@example.org"],
    "ann @example.com": ["ann @example.com"],
    "sales/ann@example.com": ["sales/ann@example.com"],
    "ann@home; a.oak@example.org": ["ann@home; a.oak@example.org"],
}


@pytest.mark.parametrize(
    ("cells", "kind", "telephone"),
    [(TELEPHONES, "digits", True), (IDENTIFIERS, "digits", False), (MAILS, "email", False)],
)
def test_split_values_divides_where_each_piece_is_a_value(
    cells: dict[str, list[str]], kind: str, telephone: bool
) -> None:
    column = pl.Series([*cells, None], dtype=pl.String)
    assert split_values(column, kind, telephone=telephone).to_list() == [*cells.values(), None]
    several = may_be_several(column, kind).to_list()
    assert all(may for may, values in zip(several, cells.values(), strict=False) if len(values) > 1)
    assert several == [text is not None and may_divide(text, kind) for text in column.to_list()]


def test_count_values_counts_cells_by_how_many_they_hold() -> None:
    cells = ["555-0101", None, "555-0101; 555-0102", "555-0101;555-0102;555-0103", "217/555-0142"]
    cells += ["; ".join(f"555-010{at}" for at in range(6)), "555-0101; 555-0101"]
    # A value that is written twice divides its cell, too: read whole it would be another value, or none.
    assert count_values(pl.Series(cells), "digits", telephone=True).tolist() == [0, 0, 2, 1, 0, 1]


def test_value_counts_tell_of_cells_that_are_compared_whole() -> None:
    counts = ValueCounts({"phone": "digits", "street": "street"}, ["phone"])
    texts = pl.DataFrame({"phone": ["555-0101; 555-0102", None], "street": ["1 Elm St; 2 Oak St", "3 Ash St"]})
    present = {name: bytes_in(texts[name]) for name in counts.names}
    counts.add(texts, present)
    counts.add(texts, present)
    assert counts.several["phone"].tolist() == [0, 0, 2, 0, 0, 0]
    assert counts.notices() == ["street: at least 2 cells seem to hold several values; each is compared whole"]


@pytest.mark.parametrize("kind", ["digits", "email"])
@pytest.mark.parametrize(
    "cell",
    ["555-0101; 555-0102", "1|2", "5550101\n5550102", "5550101 ou 5550102", "5550101\u00a0or\u00a05550102",
     "a@b.c d@e.f", "a@b.c,d@e.f", "a@b.c/d@e.f", "5550101/5550102", "5550101 & 5550102", "5550101\ty\t5550102"],
)  # fmt: skip
def test_bytes_of_a_column_never_hide_what_divides_a_cell(cell: str, kind: str) -> None:
    column = pl.Series([None, "5550100", cell])
    several = split_values(column, kind).list.len().max()
    assert may_hold_several(bytes_in(column)) or several == 1
    assert not may_hold_several(bytes_in(pl.Series(["(217) 555-0142", "+49.30/1".replace("/", "-"), None])))
