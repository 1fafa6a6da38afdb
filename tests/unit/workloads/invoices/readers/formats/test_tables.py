"""Tables of bank lines and of advices."""

from pathlib import Path

import pytest

from core.errors import RowError, SchemaError
from core.workloads.invoices.readers.formats.cells import decimal_mark, minor_of_cell, read_days
from core.workloads.invoices.readers.formats.tables import read_rows
from core.workloads.invoices.readers.reading import read_files


@pytest.mark.parametrize(
    ("cell", "currency", "mark", "expected"),
    [
        ("1.234,56", "EUR", None, 123_456),
        ("(12.00)", "EUR", None, -1_200),
        ("12-", "EUR", None, -1_200),
        ("(-12.00)", "EUR", None, None),
        ("--12", "EUR", None, None),
        ("-12-", "EUR", None, None),
        ("+-12", "EUR", None, None),
        ("1 234.56", "EUR", None, 123_456),
        ("EUR 1'234.50", "CHF", None, 123_450),
        ("-€5", "EUR", None, -500),
        ("12,34,567.00", "INR", None, 123_456_700),
        ("1.234", "EUR", ",", 123_400),
        ("1.234", "EUR", ".", None),
        ("1.234", "EUR", None, None),
        ("1.234", "KWD", None, 1_234),
        ("1.234.567", "EUR", None, 123_456_700),
        ("0.30000000000000004", "EUR", None, 30),
        ("0.3000011", "EUR", None, None),
        ("12.345", "EUR", None, None),
        ("1e20", "EUR", None, None),
        ("1.2,3.4", "EUR", None, None),
        ("100000000000000000000", "EUR", None, None),
        ("5", "XXX", None, None),
        ("", "EUR", None, None),
    ],
)
def test_minor_of_cell_reads_for_sure_or_not_at_all(
    cell: str, currency: str, mark: str | None, expected: int | None
) -> None:
    assert minor_of_cell(cell, currency, mark) == expected


def test_decimal_mark_is_what_some_cell_tells_and_none_denies() -> None:
    assert decimal_mark(["1.234", "1,5", None]) == ","
    assert decimal_mark(["1.5", "1,5"]) is None
    assert decimal_mark(["1.234"]) is None


def test_read_days_refuses_two_orders_in_one_column() -> None:
    assert read_days(Path("f"), "d", ["3/4/2025", "20250131", "31.1.25", "x", "30/2/2025"]) == [
        "2025-04-03",
        "2025-01-31",
        "2025-01-31",
        None,
        None,
    ]
    assert read_days(Path("f"), "d", ["3/4/2025", "3/14/2025"]) == ["2025-03-04", "2025-03-14"]
    with pytest.raises(RowError, match="line 4, column 'd': puts the day where line 2 puts the month"):
        read_days(Path("f"), "d", ["14/3/2025", None, "3/14/2025"])


def test_read_rows_finds_usual_headings_and_sets_rows_aside(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text(
        "Buchungstag;Betrag;Währung;Soll/Haben;Verwendungszweck\n02.01.2025;1.200,50;EUR;H;RE 1\n"
        "03.01.2025;7,00;EUR;S;rent\n04.01.2025;0,00;EUR;H;nothing\n;1,00;EUR;H;x\n05.01.2025;1,00;EURO;H;y\n"
        "05.01.2025;1,00;EUR;?;z\n"
    )
    imported = read_files([path], {"currency": "Währung"})
    assert imported.receipts.select("amount", "booked", "text").rows() == [
        ("1200.50", "2025-01-02", "RE 1"),
        ("-7.00", "2025-01-03", "rent"),
    ]
    assert imported.rejects["line"].to_list() == [4, 5, 6, 7]


def test_read_rows_sets_an_id_aside_that_stands_twice(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("id,amount,currency,date\n1,5.00,EUR,2025-01-01\n1,5.00,EUR,2025-01-01\n")
    imported = read_files([path])
    assert imported.receipts["id"].to_list() == ["1"]
    assert imported.rejects.rows() == [("lines.csv", 3, "a line twice: also in an earlier line of the file")]


def test_read_rows_takes_advices_for_advices(tmp_path: Path) -> None:
    path = tmp_path / "advice.csv"
    path.write_text(
        "trace,invoice,paid,discount,currency,total\nT1,RE-1,9.80,0.20,EUR,20.00\nT1,RE-2,10.20,,EUR,20.00\nT2,RE-3,x,,EUR,\n"
    )
    content = read_rows(path, {})
    advice = content.advices[0]
    assert (advice.payment, advice.total, advice.balanced) == ("T1", 2_000, True)
    assert [(line.reference, line.paid, line.discount) for line in advice.lines] == [
        ("RE-1", 980, 20),
        ("RE-2", 1_020, None),
    ]
    assert [reject.line for reject in content.rejects] == [4]


def test_read_rows_names_what_is_missing_or_unknown(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("sum,currency\n1,EUR\n")
    with pytest.raises(SchemaError, match="no column for amount, booked of payments; there are: sum, currency"):
        read_rows(path, {})
    with pytest.raises(SchemaError, match="`map` colour: there is no such field"):
        read_rows(path, {"colour": "sum"})
    with pytest.raises(SchemaError, match="no column 'x' .`map` amount.; there are: sum, currency"):
        read_rows(path, {"amount": "x"})
