"""Statements hold the lines of the books: every amount, side, day and text, and balances that add up."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from decimal import Decimal

import pytest

from core.currencies import exponent_of
from core.made_records.invoices.books import Books, made_books
from core.made_records.invoices.statements import bai2, camt053, edi820, mt940

CAMT = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"


@pytest.fixture(scope="module")
def books() -> Books:
    return made_books(900, 4)


@pytest.fixture(scope="module")
def lines(books: Books) -> dict[str, dict[str, str]]:
    return {row["id"]: {key: value or "" for key, value in row.items()} for row in books.payments.to_dicts()}


def text_of(entry: ET.Element, *path: str) -> str:
    return entry.findtext("/".join(f"{CAMT}{name}" if name != ".//" else "." for name in path)) or ""


def test_camt053_says_all_that_the_lines_say(books: Books, lines: dict[str, dict[str, str]]) -> None:
    root = ET.fromstring("".join(camt053.pieces(books)))
    n_entries = 0
    for statement in root.iter(f"{CAMT}Stmt"):
        opening, closing = (Decimal(text_of(balance, "Amt")) for balance in statement.findall(f"{CAMT}Bal"))
        for entry in statement.findall(f"{CAMT}Ntry"):
            line = lines[text_of(entry, "AcctSvcrRef")]
            amount = Decimal(text_of(entry, "Amt")) * (1 if text_of(entry, "CdtDbtInd") == "CRDT" else -1)
            assert amount == Decimal(line["amount"])
            assert text_of(entry, "BookgDt", "Dt") == line["booked"]
            details = entry.find(f"{CAMT}NtryDtls/{CAMT}TxDtls")
            assert details is not None
            assert text_of(details, "RmtInf", "Ustrd") == line["text"]
            assert text_of(details, "RmtInf", "Strd", "CdtrRefInf", "Ref") == line["reference"]
            assert text_of(details, "Refs", "EndToEndId") == line["end_to_end"]
            assert (details.findtext(f".//{CAMT}Nm") or "") == line["payer"]
            assert text_of(details, "AmtDtls", "InstdAmt", "Amt") == line["original_amount"]
            opening, n_entries = opening + amount, n_entries + 1
        assert opening == closing
    assert n_entries == len(lines)


def test_mt940_says_amounts_sides_and_days_and_balances(books: Books, lines: dict[str, dict[str, str]]) -> None:
    text = "".join(mt940.pieces(books))
    n_movements = 0
    for message in text.split("\r\n-\r\n")[:-1]:
        opening, closing = (
            Decimal(found.replace(",", ".")) for found in re.findall(r":6[02]F:C\d{6}[A-Z]{3}([\d,]+)", message)
        )
        for movement in re.split(r"\r\n:61:", message)[1:]:
            head, _, information = movement.partition("\r\n:86:")
            found = re.match(r"(\d{6})(\d{4})([CD])([\d,]+)NTRF([^/]*)//(\w+)", head)
            assert found
            line = lines[found[6]]
            amount = Decimal(found[4].replace(",", ".")) * (1 if found[3] == "C" else -1)
            assert amount == Decimal(line["amount"])
            assert (found[1], found[2]) == (
                line["value_date"][2:].replace("-", ""),
                line["booked"][5:].replace("-", ""),
            )
            joined = information.split("\r\n:62F:")[0].replace("\r\n", "")
            told = "".join(re.findall(r"\?2\d([^?]*)", joined))
            assert told.endswith(line["text"].replace("?", "."))
            opening, n_movements = opening + amount, n_movements + 1
        assert opening == closing
        assert all(len(row) <= 65 + len(":86:") for row in message.split("\r\n"))
    assert n_movements == len(lines)


def test_bai2_counts_and_totals_add_up(books: Books, lines: dict[str, dict[str, str]]) -> None:
    records = "".join(bai2.pieces(books)).splitlines()
    assert records[-1] == f"99,{sum_of('98', records)},{n_of('02', records)},{len(records)}/"
    assert sum_of("49", records) == sum_of("98", records)
    seen = 0
    for place, record in enumerate(records):
        if not record.startswith("16,"):
            continue
        _, code, amount, _, day, _, bank, own, text = record.split(",", 8)
        rest = place + 1
        while records[rest].startswith("88,"):
            text, rest = text + records[rest][3:], rest + 1
        line, seen = lines[bank], seen + 1
        signed = int(amount) * (1 if code == "195" else -1)
        assert signed == Decimal(line["amount"]).scaleb(exponent_of(line["currency"]))
        assert (day, own) == (line["value_date"][2:].replace("-", ""), line["end_to_end"])
        if line["text"].isascii():
            assert text.split("|")[3] == line["text"]
    assert seen == len(lines)


def sum_of(code: str, records: list[str]) -> int:
    return sum(int(record.split(",")[1]) for record in records if record.startswith(f"{code},"))


def n_of(code: str, records: list[str]) -> int:
    return sum(record.startswith(f"{code},") for record in records)


def test_edi820_has_a_transaction_for_each_paying_line(books: Books, lines: dict[str, dict[str, str]]) -> None:
    segments = [segment.strip().split("*") for segment in "".join(edi820.pieces(books)).split("~") if segment.strip()]
    trailers = [place for place, segment in enumerate(segments) if segment[0] == "SE"]
    heads = [place for place, segment in enumerate(segments) if segment[0] == "ST"]
    told = 0
    for head, trailer in zip(heads, trailers, strict=True):
        inner = {segment[0]: segment for segment in segments[head : trailer + 1]}
        assert segments[trailer][1:] == [str(trailer - head + 1), segments[head][2]]
        line = lines[inner["TRN"][2]]
        assert inner["BPR"][2] == line["amount"]
        told += sum(segment[0] == "RMR" for segment in segments[head:trailer])
    paying = set(books.written["payment_id"])
    assert len(heads) == len(paying)
    assert told == books.written["written"].count()
    assert segments[-2] == ["GE", str(len(heads)), "1"]
    assert not any(Decimal(lines[payment]["amount"]) < 0 for payment in paying)
