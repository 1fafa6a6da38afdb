"""Lines that stand twice, and ids."""

from core.workloads.invoices.readers.balances import Checked
from core.workloads.invoices.readers.records import Page, Receipt
from core.workloads.invoices.readers.repeats import give_ids, refuse_lines


def page(account: str, number: str, *refs: str | None, form: str = "mt940") -> Checked:
    lines = [Receipt(100, "EUR", "2025-01-02", None, n, bank_reference=ref) for n, ref in enumerate(refs, 1)]
    return Checked(Page(account, "EUR", number, 1, receipts=lines), f"{number}.sta", form)


def test_refuse_lines_keeps_equal_lines_of_one_statement_and_takes_those_of_another_out() -> None:
    pages = [page("A", "1", None, None, "R1"), page("A", "2", None, "R1", "R2"), page("B", "1", "R1")]
    rejects = refuse_lines(pages)
    assert [len(each.page.receipts) for each in pages] == [3, 1, 1]
    assert [(file, reject.line) for file, reject in rejects] == [("2.sta", 1), ("2.sta", 2)]


def test_refuse_lines_takes_lines_out_of_a_statement_that_is_sent_again_with_more() -> None:
    pages = [page("A", "1", "R1"), page("A", "1", "R1", "R2")]
    refuse_lines(pages)
    assert [[receipt.bank_reference for receipt in each.page.receipts] for each in pages] == [["R1"], ["R2"]]


def test_refuse_lines_takes_pages_of_one_statement_for_one() -> None:
    pages = [page("A", "1", None), page("A", "1", None)]
    for nth, each in enumerate(pages, 1):
        each.page.nth = nth
    assert not refuse_lines(pages)


def test_refuse_lines_prefers_a_statement_to_a_report_of_the_day() -> None:
    pages = [page("A", "9", "R1", form="camt.052"), page("A", "1", "R1", form="camt.053")]
    refuse_lines(pages)
    assert [len(each.page.receipts) for each in pages] == [0, 1]


def test_give_ids_tells_equal_references_and_accounts_apart() -> None:
    pages = [page("A", "1", "R1", "R2", "R2", None), page("B", "1", "R1")]
    give_ids(pages)
    ids = [receipt.id for each in pages for receipt in each.page.receipts]
    assert ids[:3] + ids[4:] == ["A:R1", "R2", "R2#2", "B:R1"]
    assert len(set(ids)) == 5
