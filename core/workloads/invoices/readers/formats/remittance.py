"""What XML says of the documents that a payment is for: `RmtInf` of a bank line, and the message remt.001."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from core.workloads.invoices.readers.amounts import iso_day, minor_of
from core.workloads.invoices.readers.formats.xml_events import child, children, text_at
from core.workloads.invoices.readers.records import Advice, AdviceLine, Content


def structured_lines(
    info: Element | None, currency: str | None, line: int, content: Content | None
) -> list[AdviceLine]:
    """A line for each document that is named in `Strd`, with its amounts in minor units of `currency`.

    Args:
        content: where an amount that cannot be read is noted; None: its document has no amount.
    """
    found = []
    for structured in children(info, "Strd"):
        amounts = child(structured, "RfrdDocAmt")
        documents = children(structured, "RfrdDocInf")
        reference = text_at(structured, "CdtrRefInf", "Ref")
        names = [text_at(document, "Nb") for document in documents]
        if not any(names) and amounts is None:
            continue
        document = AdviceLine(next((name for name in names if name), reference), line)
        document.gross = _amount(amounts, currency, "DuePyblAmt")
        document.discount = _amount(amounts, currency, "DscntApldAmt")
        remitted = _amount(amounts, currency, "RmtdAmt")
        credit = _amount(amounts, currency, "CdtNoteAmt")
        document.paid = remitted if remitted is not None or credit is None else -credit
        document.adjusted, document.reason = _adjusted(amounts, currency)
        if content is not None and amounts is not None and document.paid is None:
            content.reject(line, "a document whose remitted amount is missing or cannot be read")
            continue
        found.append(document)
    return found


def _amount(amounts: Element | None, currency: str | None, name: str) -> int | None:
    """Minor units of an amount of this name, as text or, in newer versions, as an element around it."""
    found = child(amounts, name)
    inner = child(found, "Amt")
    told = inner if inner is not None else found
    if told is None or told.get("Ccy", currency) != currency:
        return None
    return minor_of(told.text, currency)


def _adjusted(amounts: Element | None, currency: str | None) -> tuple[int | None, str | None]:
    """The sum of adjustments, debit as plus, and their reasons."""
    total, reasons = 0, []
    adjustments = children(amounts, "AdjstmntAmtAndRsn")
    for adjustment in adjustments:
        minor = _amount(adjustment, currency, "Amt") or 0
        total += minor if text_at(adjustment, "CdtDbtInd") == "DBIT" else -minor
        reasons.append(text_at(adjustment, "Rsn") or text_at(adjustment, "AddtlInf"))
    return (total if adjustments else None), ", ".join(reason for reason in reasons if reason) or None


def remt_advice(element: Element, line: int, content: Content) -> Iterator[Advice]:
    """The advice of one `RmtInf` of a remt.001."""
    payment = child(element, "OrgnlPmtInf")
    refs = child(payment, "Refs")
    amount = child(payment, "AmtDtls", "InstdAmt", "Amt")
    for path in (("Amt", "InstdAmt"), ("AmtDtls", "InstdAmt"), ("IntrBkSttlmAmt",)):
        amount = child(payment, *path) if amount is None else amount
    currency = None if amount is None else amount.get("Ccy")
    name = text_at(element, "RmtId") or ""
    total = None if amount is None else minor_of(amount.text, currency)
    if total is None:
        content.reject(line, "an advice whose payment has no amount that can be read")
        return
    account = child(payment, "DbtrAcct", "Id")
    advice = Advice(name, text_at(refs, "EndToEndId") or text_at(refs, "TxId"), currency, line, total=total)
    advice.date = iso_day(text_at(payment, "ReqdExctnDt", "Dt") or text_at(payment, "ReqdExctnDt"))
    advice.payer = text_at(payment, "Dbtr", "Nm") or text_at(payment, "Dbtr", "Pty", "Nm")
    advice.payer_account = text_at(account, "IBAN") or text_at(account, "Othr", "Id")
    advice.lines = structured_lines(element, currency, line, content)
    advice.settle()
    yield advice
