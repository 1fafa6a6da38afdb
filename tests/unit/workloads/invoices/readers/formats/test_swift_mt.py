"""MT940 and MT942."""

import pytest

from core.workloads.invoices.readers.balances import Checked, check
from core.workloads.invoices.readers.formats.mt_details import details_of
from core.workloads.invoices.readers.formats.swift_mt import read_mt

HEAD = ":20:A\n:25:DE1\n:28C:3/1\n:60F:C250101EUR100,\n"


def test_read_mt_signs_reversals_and_reads_what_was_ordered_abroad() -> None:
    lines = ":61:2501021231RC10,NTRFNONREF//B1\n/OCMT/USD11,5//CHGS/EUR1,/\n:61:250102D5,NTRFOWN\n:61:250102RD2,NTRFX\n"
    content = read_mt(HEAD + lines + ":62F:C250102EUR87,\n-")
    page = content.pages[0]
    assert [(line.minor, line.is_reversal) for line in page.receipts] == [(-1000, True), (-500, False), (200, True)]
    first, second, _ = page.receipts
    assert (first.booked, first.value_date) == ("2024-12-31", "2025-01-02")
    assert (first.original_amount, first.original_currency, first.charges) == ("11.50", "USD", "1.00")
    assert (first.end_to_end, first.bank_reference, second.end_to_end) == (None, "B1", "OWN")
    checked = [Checked(page, "f", content.format)]
    check(checked)
    assert checked[0].off == 0


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (":61:250102C1,NTRFX\n", "no closing balance"),
        (":61:250102C1,NTRFX\n:62F:C250102EUR105,\n", "differ from closing by 4.00"),
        (":61:2501C1,NTRFX\n:62F:C250102EUR101,\n", "line 5 cannot be read"),
        (":61:250102C1,005NTRFX\n:62F:C250102EUR101,\n", "line 5 cannot be read"),
        (":62F:C250102USD100,\n", "no amount of its currency"),
    ],
)
def test_read_mt_sets_a_statement_aside_that_does_not_hold(body: str, fault: str) -> None:
    content = read_mt(HEAD + body)
    check([Checked(page, "f", content.format) for page in content.pages])
    assert fault in (content.pages[0].fault or "")


def test_read_mt_holds_a_report_of_the_day_against_its_sums() -> None:
    text = ":20:A\n:25:DE1\n:28C:1\n:34F:EURD0,\n:61:250102C1,NTRFX\n:90D:0EUR0,\n:90C:{n}EUR1,\n-"
    for n, fault in ((1, None), (2, "the bank counts 2 lines where 1 are")):
        content = read_mt(text.format(n=n))
        check([Checked(page, "f", content.format) for page in content.pages])
        assert (content.format, content.pages[0].fault) == ("mt942", fault)


def test_read_mt_logs_nothing_of_what_it_cannot_read(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    content = read_mt(HEAD + ":61:25SECRET\n:62F:C25SECRET\n")
    assert content.pages[0].fault
    assert "SECRET" not in caplog.text + "".join(capfd.readouterr()) + repr(content.rejects) + str(
        content.pages[0].fault
    )


def test_details_of_reads_each_way_of_writing() -> None:
    divided = details_of("166?00X?20EREF+E1?21SVWZ+RE 1, ?22RE 2?31DE9?32Ann?33 Lee?60 end")
    assert (divided.text, divided.payer, divided.payer_account) == ("RE 1, RE 2 end", "Ann Lee", "DE9")
    assert divided.end_to_end == "E1"
    slashed = details_of("/EREF/E2//CNTP/NL1/BANK/Bob\nby//REMI/USTD//INV 1/")
    assert (slashed.text, slashed.payer, slashed.payer_account) == ("INV 1", "Bobby", "NL1")
    assert details_of("/REMI/STRD/CUR/9999/").reference == "9999"
    assert details_of("plain\ntext").text == "plain text"
