"""BAI2, lockbox, OFX, EDI 820 and ACH with addenda."""

from pathlib import Path

import pytest

from core.workloads.invoices.readers.reading import Imported, read_files

BAI2 = (
    "01,BANK,OWNER,250103,2000,1,,,2/\n02,OWNER,BANK,1,250102,2359,USD,2/\n03,77,USD,010,1000,,,015,1600,,/\n"
    "16,195,700,S,100,300,300,B1/\n88,C1,first part/\n88,second part/\n16,495,100,Z,B2,,fee\n16,890,0,,,,a word/\n"
    "49,3400,7/\n98,3400,1,9/\n99,3400,1,11/\n"
)


def read(folder: Path, text: str, name: str = "f.txt") -> Imported:
    (folder / name).write_text(text)
    return read_files([folder / name])


def test_read_bai2_reads_continuations_and_types_of_funds(tmp_path: Path) -> None:
    found = read(tmp_path, BAI2)
    told = found.receipts.select("amount_minor", "bank_reference", "end_to_end", "text").rows()
    assert told == [(700, "B1", "C1", "first part second part"), (-100, "B2", None, "fee")]
    assert found.rejects["reason"].to_list() == ["type 890 moves no money, or its amount is 0"]
    assert found.files[0].pages[0].off == 0


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("49,3400,7", "49,3401,7", "the control record of line 9"),
        ("99,3400,1,11/", "99,3400,1,12/", "the control record of line 11"),
        ("99,3400,1,11/\n", "", "cut short"),
        ("015,1600", "015,1601", "does not agree"),
        ("03,77,USD", "03,77,ZZZ", "no account, day or known currency"),
    ],
)
def test_read_bai2_sets_aside_what_its_control_records_do_not_confirm(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    found = read(tmp_path, BAI2.replace(old, new))
    assert not len(found.receipts)
    assert any(fault in reason for reason in found.rejects["reason"])


def lockbox(total: str) -> str:
    rows = [
        "100BANKX     2501022000",
        "2OWNER     BANK",
        "5001001LOCKBX1250102",
        f"6001001{12_345:010}{'021000021'}{'0000000042':10}{'0000001001':10}",
        f"4001001  01{'INV-1':>16}{12_000:010}{345:010}".replace("  01", "6010"),
        f"4001001  02{'INV-2':>16}{345:010}{0:010}".replace("  02", "6029"),
        f"7001001LOCKBX1250{1:03}{total}",
        "9000009",
    ]
    return "\n".join(rows) + "\n"


def test_read_lockbox_gives_cheques_and_what_each_pays(tmp_path: Path) -> None:
    found = read(tmp_path, lockbox(f"{12_345:010}"))
    assert found.files[0].format == "lockbox"
    assert found.receipts.select("amount", "booked", "end_to_end", "own_account").rows() == [
        ("123.45", "2025-01-02", "0000001001", "LOCKBX1")
    ]
    told = found.advices.select("reference", "paid_minor", "discount_minor", "balanced").rows()
    assert told == [("INV-1", 12_000, 345, True), ("INV-2", 345, None, True)]
    assert "the sum that the bank states" in read(tmp_path, lockbox(f"{12_344:010}")).rejects["reason"][0]


OFX = (
    "OFXHEADER:100\n<OFX><STMTTRNRS><STMTRS><CURDEF>USD\n<BANKACCTFROM><BANKID>1<ACCTID>77</BANKACCTFROM>\n"
    "<BANKTRANLIST><DTSTART>20250101<DTEND>20250131\n"
    "<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20250102120000[-5:EST]<TRNAMT>1250<FITID>\n<NAME>A &amp; B"
    "<MEMO>INV 1\n</STMTTRN>\n"
    "<STMTTRN><DTPOSTED>20250103<TRNAMT>-1,250.75<FITID>F2<NAME>Landlord</STMTTRN>\n{more}"
    "</BANKTRANLIST><LEDGERBAL><BALAMT>10.5<DTASOF>20250131</LEDGERBAL></STMTRS></STMTTRNRS></OFX>"
)


def test_read_ofx_reads_undotted_amounts_and_empty_ids(tmp_path: Path) -> None:
    found = read(tmp_path, OFX.format(more=""))
    told = found.receipts.select("amount", "booked", "payer", "text", "bank_reference").rows()
    assert told == [
        ("1250.00", "2025-01-02", "A & B", "INV 1", None),
        ("-1250.75", "2025-01-03", "Landlord", None, "F2"),
    ]
    assert found.receipts["id"][0].startswith("L")
    assert found.files[0].facts()["statements"][0]["closing"] == "10.50"
    bad = read(tmp_path, OFX.format(more="<STMTTRN><DTPOSTED>20250103<TRNAMT>x<FITID>F3</STMTTRN>"))
    assert not len(bad.receipts)
    assert not len(read(tmp_path, OFX.format(more="").split("</BANKTRANLIST>")[0]).receipts)


ISA = f"ISA*00*{' ' * 10}*00*{' ' * 10}*ZZ*{'PAYER':<15}*ZZ*{'OWNER':<15}*250102*2000*U*00401*000000001*0*P*>~\n"
EDI = "ST*820*1~\nBPR*C*{total}*C*ACH~\nTRN*1*T1~\nRMR*IV*INV-1**60*62*2~\nRMR*IV*INV-2**40~\n{adx}SE*{n}*1~\n"


@pytest.mark.parametrize(
    ("total", "adx", "adjusted"),
    [("100", "", []), ("95", "ADX*5*01~\n", [-500]), ("95", "ADX*-5*01~\n", [-500]), ("90", "ADX*5*01~\n", None)],
)
def test_read_x12_gives_adjustments_the_sign_that_balances(
    tmp_path: Path, total: str, adx: str, adjusted: list[int] | None
) -> None:
    text = ISA + EDI.format(total=total, adx=adx, n=7 if adx else 6) + "IEA*1*1~\n"
    found = read(tmp_path, text)
    if adjusted is None:
        assert "with neither sign" in found.rejects["reason"][0]
        assert found.rejects["line"].to_list() == [2]
        return
    assert found.advices["balanced"].all()
    assert found.advices["adjusted_minor"].drop_nulls().to_list() == adjusted
    assert found.advices["paid_minor"].sum() == int(total) * 100


def test_read_x12_sets_aside_what_is_cut_or_miscounted(tmp_path: Path) -> None:
    assert (
        "number of segments" in read(tmp_path, ISA + EDI.format(total=1, adx="", n=9) + "IEA*1*1~").rejects["reason"][0]
    )
    cut = read(tmp_path, ISA + EDI.format(total=1, adx="", n=6).split("SE*")[0])
    assert not len(cut.advices)
    assert all("cut short" in reason for reason in cut.rejects["reason"])


def test_read_ach_ties_addenda_to_their_payment(tmp_path: Path) -> None:
    edi = EDI.format(total="100", adx="", n=6).replace("\n", "").replace("~", "\\")
    pieces = [edi[n : n + 80] for n in range(0, len(edi), 80)]
    entry = f"622{'021000021'}{'77':<17}{10_000:010}{'E1':<15}0002{'PAYER INC':<16}    1{'021000020000001':<15}"
    rows = [
        f"101 {'x':<90}",
        f"5220{'PAYER':<16}{'':<20}{'1234567890'}CTX{'PAYMENT':<10}{'250102':<6}250102{'':<3}1{'02100002'}0000001",
        entry,
        *(f"705{piece:<80}{n:04}0000001" for n, piece in enumerate(pieces, 1)),
        f"8220{2:06}{'0002100002'}{0:012}{10_000:012}{'1234567890'}{'':<25}{'02100002'}0000001",
        f"9{'0' * 93}",
    ]
    found = read(tmp_path, "\n".join(rows) + "\n")
    assert found.files[0].format == "ach"
    assert found.receipts.select("id", "amount", "booked", "end_to_end").rows() == [
        ("021000020000001", "100.00", "2025-01-02", "E1")
    ]
    assert found.advices.select("payment", "reference", "balanced").rows() == [
        ("021000020000001", "INV-1", True),
        ("021000020000001", "INV-2", True),
    ]
