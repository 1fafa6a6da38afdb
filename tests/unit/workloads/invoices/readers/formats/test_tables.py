"""Tables of bank lines and of advices."""

from pathlib import Path

import pytest

from core.errors import RowError, SchemaError
from core.workloads.invoices.readers.formats.tables import read_rows
from core.workloads.invoices.readers.reading import read_files


def test_read_rows_refuses_two_orders_in_one_column(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("id,amount,currency,date\n1,1,EUR,14/3/2025\n2,1,EUR,\n3,1,EUR,3/14/2025\n")
    with pytest.raises(RowError, match="line 4, booked: puts the day where other lines put the month"):
        read_rows(path, {})
    days = [receipt.booked for receipt in read_rows(path, {"": {"date_format": "day_first"}}).pages[0].receipts]
    assert days == ["2025-03-14"]


def test_read_rows_finds_usual_headings_and_sets_rows_aside(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text(
        "Buchungstag;Betrag;Währung;Soll/Haben;Verwendungszweck\n02.01.2025;1.200,50;EUR;H;RE 1\n"
        "03.01.2025;7,00;EUR;S;rent\n04.01.2025;0,00;EUR;H;nothing\n;1,00;EUR;H;x\n05.01.2025;1,00;EURO;H;y\n"
        "05.01.2025;1,00;EUR;?;z\n"
    )
    imported = read_files([path], {"payments": {"currency": "Währung"}})
    assert imported.receipts.select("amount", "booked", "text").rows() == [
        ("1200.50", "2025-01-02", "RE 1"),
        ("-7.00", "2025-01-03", "rent"),
    ]
    assert imported.rejects["line"].to_list() == [4, 5, 6, 7]


def test_read_rows_takes_values_and_marks_that_the_user_says(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("amount,booked,instructed_amount,instructed_currency\n1.234,2025-01-02,1500,jpy\n")
    content = read_rows(path, {"": {"decimal": ","}, "payments": {"currency": {"value": "EUR"}}})
    (receipt,) = content.pages[0].receipts
    assert (receipt.minor, receipt.currency, receipt.original_amount, receipt.original_currency) == (
        123_400,
        "EUR",
        "1500",
        "JPY",
    )


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
    with pytest.raises(SchemaError, match="`map` payments.colour: there is no such field"):
        read_rows(path, {"": {"colour": "sum"}})
    with pytest.raises(SchemaError, match="no column 'x' .`map` payments.amount.; there are: sum, currency"):
        read_rows(path, {"": {"amount": "x"}})
