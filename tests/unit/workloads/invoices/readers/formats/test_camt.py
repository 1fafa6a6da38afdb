"""camt.052, .053, .054 and remt.001."""

from pathlib import Path

import pytest

from core.errors import InputError
from core.workloads.invoices.readers.reading import Imported, read_files

SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
BALANCE = '<Bal><Tp><CdOrPrtry><Cd>{}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
DETAIL = "<TxDtls>{amount}<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"


def entry(
    amount: str, details: str = "", side: str = "CRDT", ref: str = "R1", more: str = "", status: str = "BOOK"
) -> str:
    inner = f"<NtryDtls>{details}</NtryDtls>" if details else ""
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{more}<Sts>{status}</Sts>'
        f"<BookgDt><Dt>2025-01-02</Dt></BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef>{inner}</Ntry>\n"
    )


def message(entries: str, opening: str = "100", closing: str = "160", space: str = SPACE, more: str = "") -> str:
    balances = (BALANCE.format("OPBD", opening) if opening else "") + (
        BALANCE.format("CLBD", closing) if closing else ""
    )
    return (
        f'<?xml version="1.0"?>\n<Document xmlns="{space}"><BkToCstmrStmt><Stmt><Id>S1</Id>{more}'
        f"<Acct><Id><IBAN>DE1</IBAN></Id></Acct>\n{balances}{entries}</Stmt></BkToCstmrStmt></Document>"
    )


def notice(entries: str) -> str:
    text = message(entries, "", "", SPACE.replace("053", "054"))
    return text.replace("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn").replace("Stmt>", "Ntfctn>")


def read(folder: Path, *texts: str) -> Imported:
    paths = []
    for n, text in enumerate(texts):
        paths.append(folder / f"{n}.xml")
        paths[-1].write_text(text)
    return read_files(paths)


def amounts(*told: str) -> str:
    return "".join(
        DETAIL.format(
            amount=f'<AmtDtls><TxAmt><Amt Ccy="EUR">{each}</Amt></TxAmt></AmtDtls>' if each else "", text=f"T{n}"
        )
        for n, each in enumerate(told)
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (("20.00000", "40"), [(2_000, "T0"), (4_000, "T1")]),
        # The batch's total on every detail, and details without amounts.
        (("60", "60"), [(6_000, "T0 T1")]),
        (("", ""), [(6_000, "T0 T1")]),
        (("",), [(6_000, "T0")]),
    ],
)
def test_read_camt_takes_a_batch_apart_only_where_its_parts_add_up(
    tmp_path: Path, told: tuple[str, ...], expected: list[tuple[int, str]]
) -> None:
    imported = read(tmp_path, message(entry("60", amounts(*told))))
    assert imported.receipts.select("amount_minor", "text").rows() == expected
    assert imported.receipts["id"].to_list() == ["R1", "R1#2"][: len(expected)]


def test_read_camt_leaves_out_what_is_not_booked_and_refuses_five_decimals(tmp_path: Path) -> None:
    pending = read(tmp_path, message(entry("60") + entry("5", ref="R2", status="<Cd>PDNG</Cd>")))
    assert pending.receipts["id"].to_list() == ["R1"]
    assert pending.rejects.rows() == [("0.xml", 4, "not booked yet (or only information): it is no payment")]
    exact = read(tmp_path, message(entry("60.00001")))
    assert not len(exact.receipts)
    assert exact.rejects["reason"].to_list() == [
        "set aside: the entry of line 3 cannot be read",
        "its amount, currency or direction cannot be read",
    ]


def test_read_camt_gives_reversals_the_sign_that_balances(tmp_path: Path) -> None:
    back = entry("40", side="CRDT", more="<RvslInd>true</RvslInd>", ref="R2")
    for closing, expected in (("200", [6_000, 4_000]), ("120", [6_000, -4_000])):
        found = read(tmp_path, message(entry("60") + back, closing=closing))
        assert found.receipts["amount_minor"].to_list() == expected
        assert found.receipts["is_reversal"].to_list() == [False, True]


def test_read_camt_refuses_entities_foreign_namespaces_and_cut_files(tmp_path: Path) -> None:
    laughs = '<?xml version="1.0"?>\n<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n<Document>&b;</Document>'
    whole = message(entry("60"))
    deep = "<a>" * 50 + "</a>" * 50
    typed = '<?xml version="1.0"?>\n<!DOCTYPE Document SYSTEM "file:///etc/hostname">\n' + whole.split("\n", 1)[1]
    found = read(tmp_path, laughs, typed, whole[:-30], message(entry("60"), space="urn:x"), deep, "<html></html>")
    refused = [file.refused or "" for file in found.files]
    wanted = (
        "a document type or entity",
        "a document type or entity",
        "damaged or cut short",
        "in the namespace urn:x",
        "40 deep",
        "no camt.052",
    )
    for reason, part in zip(refused, wanted, strict=True):
        assert part in reason
    assert not len(found.receipts)


def test_read_camt_wants_all_pages_of_a_statement(tmp_path: Path) -> None:
    numbered = "<ElctrncSeqNb>4</ElctrncSeqNb><StmtPgntn><PgNb>{}</PgNb><LastPgInd>{}</LastPgInd></StmtPgntn>"
    first = message(entry("20"), closing="", more=numbered.format(1, "false"))
    last = message(entry("40", ref="R2"), opening="", more=numbered.format(2, "true"))
    assert read(tmp_path, last, first).receipts["amount_minor"].sum() == 6_000
    alone = read(tmp_path, last)
    assert not len(alone.receipts)
    assert "pages of its statement are missing" in alone.rejects["reason"][0]


def test_read_camt_puts_the_payments_of_a_notification_in_the_place_of_their_booking(tmp_path: Path) -> None:
    parts = notice(entry("60", amounts("20", "40")))
    for order in ((message(entry("60")), parts), (parts, message(entry("60")))):
        found = read(tmp_path, *order)
        assert found.receipts.select("amount_minor", "text", "format").rows() == [
            (2_000, "T0", "camt.053"),
            (4_000, "T1", "camt.053"),
        ]
        assert not len(found.rejects)


def test_read_camt_takes_advices_of_structured_remittances(tmp_path: Path) -> None:
    document = (
        "<Strd><RfrdDocInf><Nb>{}</Nb></RfrdDocInf><RfrdDocAmt><DuePyblAmt Ccy='EUR'>{}</DuePyblAmt>"
        "<RmtdAmt Ccy='EUR'>{}</RmtdAmt></RfrdDocAmt></Strd>"
    )
    documents = document.format("RE-1", "20", "19.50") + document.format("RE-2", "40.50", "40.50")
    found = read(tmp_path, message(entry("60", f"<TxDtls><RmtInf>{documents}</RmtInf></TxDtls>")))
    told = found.advices.select("payment", "reference", "gross_minor", "paid_minor", "balanced").rows()
    assert told == [("R1", "RE-1", 2_000, 1_950, True), ("R1", "RE-2", 4_050, 4_050, True)]
    space = "urn:iso:std:iso:20022:tech:xsd:remt.001.001.02"
    remt = (
        f'<Document xmlns="{space}"><RmtAdvc><RmtInf><RmtId>A1</RmtId>{documents}<OrgnlPmtInf><Refs><EndToEndId>E1'
        '</EndToEndId></Refs><Amt><InstdAmt Ccy="EUR">60.01</InstdAmt></Amt></OrgnlPmtInf></RmtInf></RmtAdvc>'
        "</Document>"
    )
    alone = read(tmp_path, remt)
    assert alone.files[0].format == "remt.001"
    assert alone.advices.select("advice", "payment", "total_minor", "balanced").unique().rows() == [
        ("A1", "E1", 6_001, False)
    ]


def test_errors_of_camt_hold_no_row_data(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        from core.workloads.invoices.readers.reading import read_receipts

        path = tmp_path / "a.xml"
        path.write_text(message(entry("61", amounts("61")).replace("T0", "SECRET")))
        read_receipts(path)
    assert "SECRET" not in caught.value.message
