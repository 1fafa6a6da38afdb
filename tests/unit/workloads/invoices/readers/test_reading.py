"""Made bank lines, written by the generator in every format, come back field by field; files and pages together."""

from pathlib import Path

import polars as pl
import pytest

from core.errors import InputError
from core.made_records.invoices.books import Books, made_books
from core.workloads.invoices.made_files import write_books
from core.workloads.invoices.readers.reading import read_files, read_receipts
from core.workloads.invoices.readers.records import RECEIPTS

MESSAGE = ":20:A\n:25:DE1\n:28C:{nth}\n:60{kind}:C250101EUR{opening}\n{lines}:62{end}:C250102EUR{closing}\n-\n"
LINE = ":61:2501020102C{amount}NTRFE2E{n}//REF{n}\n:86:one payment\n"
PAGES = (
    MESSAGE.format(nth="7/1", kind="F", end="M", opening="100,", closing="150,", lines=LINE.format(amount="50,", n=1)),
    MESSAGE.format(
        nth="7/2", kind="M", end="F", opening="150,", closing="175,5", lines=LINE.format(amount="25,5", n=2)
    ),
)

CAMT_PAGE = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>S1</Id>
<StmtPgntn><PgNb>{page}</PgNb><LastPgInd>{last}</LastPgInd></StmtPgntn><Acct><Id><IBAN>DE1</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">175.50</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2025-01-02</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


@pytest.fixture(scope="module")
def books() -> Books:
    return made_books(400, 2)


@pytest.fixture(scope="module")
def written(books: Books, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books")
    for form in ("camt053", "mt940", "bai2", "edi820"):
        write_books(books, folder, form)
    return folder


def dotted(text: pl.Expr) -> pl.Expr:
    return text.fill_null("").str.replace_all(r"[^\x20-\x7e]", ".").str.strip_chars()


@pytest.mark.parametrize(
    ("name", "form"),
    [("statement.xml", "camt.053"), ("statement.sta", "mt940"), ("statement.bai", "bai2"), ("payments.csv", "table")],
)
def test_read_files_gives_every_field_of_made_lines_back(books: Books, written: Path, name: str, form: str) -> None:
    imported = read_files([written / name])
    assert imported.files[0].format == form
    assert imported.files[0].is_whole
    expected, found = books.payments.sort("id"), imported.receipts.sort("id")
    if form == "mt940":
        # It has no place for a structured reference: the bank writes it before the text.
        told = pl.concat_str("reference", "text", separator=" ", ignore_nulls=True)
        expected = expected.with_columns(text=told.str.replace_all("?", ".", literal=True), reference=None)
    plain = form in ("mt940", "bai2")
    for column in books.payments.columns:
        wanted = expected.select(dotted(pl.col(column)) if plain else pl.col(column).fill_null("")).to_series()
        got = found[column].fill_null("")
        differ = [(a, b) for a, b in zip(wanted, got, strict=True) if a.replace(":", ".") != b.replace(":", ".")]
        assert not differ, (column, differ[:3])
    if form != "table":
        assert all(page.off == 0 for page in imported.files[0].pages)


def test_read_files_gives_every_document_of_made_remittances_back(books: Books, written: Path) -> None:
    found = read_files([written / "remittances.edi"]).advices
    named = books.written.filter(pl.col("written").is_not_null())
    assert len(found) == len(named)
    assert sorted(zip(found["payment"], found["reference"], strict=True)) == sorted(
        named.select("payment_id", pl.col("written").str.strip_chars()).rows()
    )
    totals = dict(books.payments.select("id", "amount").rows())
    assert all(
        float(totals[payment]) == pytest.approx(minor / 10 ** {"JPY": 0, "KWD": 3}.get(currency, 2))
        for payment, minor, currency in found.select("payment", "total_minor", "currency").iter_rows()
    )


def test_read_files_puts_pages_in_several_files_together(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.sta" for n in (1, 2)]
    for path, text in zip(paths, PAGES, strict=True):
        path.write_text(text)
    for order in (paths, paths[::-1]):
        imported = read_files(order)
        assert sorted(imported.receipts["id"]) == ["REF1", "REF2"]
        assert imported.receipts["amount_minor"].sum() == 7_550


def test_read_files_puts_pages_together_that_each_have_the_balances_of_the_whole(tmp_path: Path) -> None:
    pages = [
        CAMT_PAGE.format(page=1, last="false", amount="50.00"),
        CAMT_PAGE.format(page=2, last="true", amount="25.50"),
    ]
    paths = [tmp_path / f"{n}.xml" for n in (1, 2)]
    for path, text in zip(paths, pages, strict=True):
        path.write_text(text)
    assert read_files(paths).receipts["amount_minor"].to_list() == [5_000, 2_550]
    alone = read_files(paths[:1])
    assert not len(alone.receipts)
    assert "pages of its statement are missing" in alone.rejects["reason"][0]


def test_read_files_refuses_a_file_and_a_statement_that_stand_twice(tmp_path: Path) -> None:
    for name, text in (("a.sta", PAGES[0]), ("b.sta", PAGES[0]), ("c.sta", PAGES[0] + "\n"), ("d.csv", "")):
        (tmp_path / name).write_text(text)
    imported = read_files([tmp_path / name for name in ("a.sta", "b.sta", "c.sta", "d.csv", "none.sta")])
    assert imported.receipts["id"].to_list() == ["REF1"]
    reasons = dict(imported.rejects.select("file", "reason").rows())
    assert "the same file as" in reasons["b.sta"]
    assert "set aside: the same as statement 7 in a.sta, line 1" in reasons["c.sta"]
    assert "is empty" in reasons["d.csv"]
    assert "no such file" in reasons["none.sta"]


def test_read_receipts_raises_where_something_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.sta"
    path.write_text(PAGES[0])
    assert read_receipts(path).schema == pl.Schema(RECEIPTS)
    path.write_text(PAGES[0].replace("C250102EUR150,", "C250102EUR150,01"))
    with pytest.raises(InputError, match="line 1: opening . movements differ from closing by 0.01"):
        read_receipts(path)
    path.write_text("amount,currency,date\n1.00,EUR,2025-01-01\n1.234,EUR,2025-01-01\n")
    with pytest.raises(InputError, match="line 3: its amount"):
        read_receipts(path)
