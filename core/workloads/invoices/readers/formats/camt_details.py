"""The lines of one camt entry: one for each payment in it, where the amounts of these add up to the entry's."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from core.workloads.invoices.readers.amounts import iso_day, minor_of, plain
from core.workloads.invoices.readers.formats.remittance import structured_lines
from core.workloads.invoices.readers.formats.xml_events import child, children, text_at
from core.workloads.invoices.readers.records import Advice, Content, Receipt


def amount_of(element: Element | None) -> tuple[int | None, str | None]:
    """Minor units and currency of the `Amt` in an element."""
    amount = child(element, "Amt")
    currency = None if amount is None else amount.get("Ccy")
    return minor_of(text_at(element, "Amt"), currency), currency


def lines_of(
    entry: Element, minor: int, currency: str, line: int, content: Content
) -> tuple[list[Receipt], list[Advice]]:
    """Bank lines of an entry, and the advices that came with them. minor: the entry's signed amount.

    Banks write the batch's total on every payment of it, or no amount at all: such a batch stays one line.
    """
    details = [each for part in children(entry, "NtryDtls") for each in children(part, "TxDtls")]
    whole = details or [entry]
    if len(details) > 1:
        sign = -1 if minor < 0 else 1
        parts = [_part_of(each, currency) for each in details]
        if None not in parts and sum(part or 0 for part in parts) == abs(minor):
            pairs = [(each, sign * (part or 0)) for each, part in zip(details, parts, strict=True)]
            found = [_line(entry, each, part, currency, line) for each, part in pairs if part]
            return [receipt for receipt, _ in found], [advice for _, advice in found if advice is not None]
        content.notices.append(
            f"line {line}: the amounts of its {len(details)} payments do not add up to the entry, which stays one line"
        )
        return _as_one(entry, details, minor, currency, line)
    receipt, advice = _line(entry, whole[0], minor, currency, line)
    return [receipt], [advice] if advice is not None else []


def _part_of(details: Element, currency: str) -> int | None:
    """What one payment of a batch is, in the currency of the entry; None where it is not told."""
    for place in (details, child(details, "AmtDtls", "TxAmt"), child(details, "AmtDtls", "InstdAmt")):
        minor, told = amount_of(place)
        if minor is not None and told == currency:
            return minor
    return None


def _as_one(
    entry: Element, details: list[Element], minor: int, currency: str, line: int
) -> tuple[list[Receipt], list[Advice]]:
    """A batch as one line with all its texts; of one that several paid the payer is not known."""
    receipt, _ = _line(entry, entry, minor, currency, line)
    each = [_line(entry, detail, minor, currency, line)[0] for detail in details]
    receipt.text = " ".join(part.text for part in each if part.text) or receipt.text
    for name in ("payer", "payer_account"):
        values = {getattr(part, name) for part in each}
        setattr(receipt, name, values.pop() if len(values) == 1 else None)
    return [receipt], []


def _line(entry: Element, details: Element, minor: int, currency: str, line: int) -> tuple[Receipt, Advice | None]:
    is_reversal = (text_at(entry, "RvslInd") or text_at(details, "RvslInd")) in ("true", "1")
    # The parties of what is taken back are those of the payment it was.
    party = "Dbtr" if (minor >= 0) != is_reversal else "Cdtr"
    info = child(details, "RmtInf")
    free = " ".join(each.text.strip() for each in children(info, "Ustrd") if each.text and each.text.strip())
    refs = child(details, "Refs")
    value_date, booked = _day(entry, "ValDt"), _day(entry, "BookgDt")
    receipt = Receipt(
        minor=minor,
        currency=currency,
        booked=booked or value_date,
        value_date=value_date,
        line=line,
        text=free or text_at(details, "AddtlTxInf") or text_at(entry, "AddtlNtryInf"),
        reference=_first_reference(info),
        end_to_end=text_at(refs, "EndToEndId"),
        bank_reference=text_at(entry, "AcctSvcrRef") or text_at(refs, "AcctSvcrRef"),
        charges=_charges(details, currency) or _charges(entry, currency),
        is_reversal=is_reversal,
        **_party(details, party),
        **_abroad(details, currency),
    )
    documents = structured_lines(info, currency, line, content=None)
    if not documents:
        return receipt, None
    advice = Advice(receipt.bank_reference or "", None, currency, line, total=abs(minor), date=receipt.booked)
    advice.payer, advice.payer_account = receipt.payer, receipt.payer_account
    advice.receipt, advice.lines = receipt, documents
    advice.settle()
    return receipt, advice


def _day(entry: Element, name: str) -> str | None:
    return iso_day(text_at(entry, name, "Dt") or text_at(entry, name, "DtTm"))


def _party(details: Element, party: str) -> dict[str, str | None]:
    parties = child(details, "RltdPties")
    # From version 8 on a choice stands between party and name.
    name = text_at(parties, party, "Pty", "Nm") or text_at(parties, party, "Nm")
    account = child(parties, f"{party}Acct", "Id")
    return {"payer": name, "payer_account": text_at(account, "IBAN") or text_at(account, "Othr", "Id")}


def _first_reference(info: Element | None) -> str | None:
    found = (text_at(each, "CdtrRefInf", "Ref") for each in children(info, "Strd"))
    return next((reference for reference in found if reference), None)


def _abroad(details: Element, currency: str) -> dict[str, Any]:
    """What was instructed, where that was in another currency."""
    minor, told = amount_of(child(details, "AmtDtls", "InstdAmt"))
    if minor is None or told is None or told == currency:
        return {}
    return {"original_amount": plain(minor, told), "original_currency": told}


def _charges(element: Element, currency: str) -> str | None:
    """The sum of charges in the currency of the account, in the form of either version."""
    charges = child(element, "Chrgs")
    if charges is None:
        return None
    found = [amount_of(each) for each in (charges, *children(charges, "Rcrd"))]
    minors = [minor for minor, told in found if minor is not None and told == currency]
    total = text_at(charges, "TtlChrgsAndTaxAmt")
    minor = sum(minors) if minors else minor_of(total, currency)
    return None if minor is None else plain(minor, currency)
