"""What stands twice: statements, lines, and the payments of a batch that a notification tells apart."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from core.workloads.invoices.readers.balances import Checked
from core.workloads.invoices.readers.records import Receipt, Reject

# A line is taken from the first of these that has it: statements, then reports of a day and notifications.
_RANK: Final = {"camt.052": 1, "mt942": 1, "camt.054": 2}
_DIGEST_LENGTH: Final = 16

Reference = tuple[str | None, str]
"""Account, and the bank's reference in it."""


def refuse_statements(pages: Sequence[Checked]) -> None:
    """Give a page a fault that has the same lines and balances as an earlier one."""
    seen: dict[tuple[object, ...], Checked] = {}
    for checked in pages:
        page = checked.page
        if page.fault is not None or (page.opening is None and page.closing is None):
            continue
        lines = tuple(_facts(receipt) for receipt in page.receipts)
        key = (page.account, page.currency, page.number, page.nth, page.opening, page.closing, lines)
        if key in seen:
            page.fault, page.is_repeat = f"the same as {seen[key].named}", True
        seen.setdefault(key, checked)


def join_notifications(pages: Sequence[Checked]) -> int:
    """Put what camt.054 tells of a booking in the place of the booking, by the bank's reference; how many lines moved.

    Where the amounts of both differ, the lines stay, to be found by `refuse_lines` or by people.
    """
    booked: dict[Reference, list[tuple[Checked, Receipt]]] = defaultdict(list)
    for checked in _of_form(pages, "camt.053"):
        for receipt in checked.page.receipts:
            if receipt.bank_reference:
                booked[checked.page.account, receipt.bank_reference].append((checked, receipt))
    return sum(_join(checked, booked) for checked in _of_form(pages, "camt.054"))


def _of_form(pages: Sequence[Checked], form: str) -> list[Checked]:
    return [checked for checked in pages if checked.form == form and checked.page.fault is None]


def _join(notification: Checked, booked: Mapping[Reference, list[tuple[Checked, Receipt]]]) -> int:
    """Take the lines out of a notification whose bookings are known; how many took the place of one."""
    page, n_moved = notification.page, 0
    parts: dict[Reference, list[Receipt]] = defaultdict(list)
    for receipt in page.receipts:
        parts[page.account, receipt.bank_reference or ""].append(receipt)
    for key, details in parts.items():
        lines = booked.get(key, [])
        if lines and sum(line.minor for _, line in lines) == sum(detail.minor for detail in details):
            n_moved += _put(lines, details)
            gone = set(map(id, details))
            page.receipts = [receipt for receipt in page.receipts if id(receipt) not in gone]
    return n_moved


def _put(lines: list[tuple[Checked, Receipt]], details: list[Receipt]) -> int:
    """Details in the place of their booking, if they are more than it has."""
    where, first = lines[0]
    if len(details) <= len(lines):
        return 0
    for detail in details:
        detail.booked, detail.value_date, detail.line = first.booked, detail.value_date or first.value_date, first.line
    old = {id(line) for _, line in lines}
    place = next(n for n, receipt in enumerate(where.page.receipts) if id(receipt) in old)
    kept = [receipt for receipt in where.page.receipts if id(receipt) not in old]
    where.page.receipts = kept[:place] + details + kept[place:]
    return len(details)


def refuse_lines(pages: Sequence[Checked]) -> list[tuple[str, Reject]]:
    """Take lines out that another statement has already; file and reject of each.

    Within one statement equal lines are several payments. In another one a line is the same if the account, the amount,
    the day and the bank's reference are; without a reference, if all that is told of it is.
    """
    seen: dict[tuple[object, ...], tuple[tuple[object, ...], Checked]] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    rejects = []
    for checked, statement in _statements(pages):
        kept = []
        for receipt in checked.page.receipts:
            known = receipt.id or receipt.bank_reference
            key = (checked.page.account, known or _digest(receipt), receipt.booked, receipt.minor)
            counts[statement, key] += 1
            nth = counts[statement, key]
            owner, first = seen.setdefault((key, nth), (statement, checked))
            is_id_twice = receipt.id is not None and nth > 1
            if owner == statement and not is_id_twice:
                kept.append(receipt)
                continue
            where = "an earlier line of the file" if is_id_twice else first.named
            rejects.append((checked.file, Reject(receipt.line, f"a line twice: also in {where}")))
        checked.page.receipts = kept
    return rejects


def _statements(pages: Sequence[Checked]) -> Iterator[tuple[Checked, tuple[object, ...]]]:
    """Pages, statements before reports and notifications, each with what its statement is known by.

    Pages of one statement are one. The same page once more is another statement: some banks number all alike, others
    send a statement again with more lines.
    """
    times: Counter[tuple[object, ...]] = Counter()
    for checked in sorted(pages, key=lambda each: _RANK.get(each.form, 0)):
        page = checked.page
        if page.fault is None:
            name = (checked.form, page.account, page.currency, page.number)
            yield checked, (*name, times[*name, page.nth])
            times[*name, page.nth] += 1


def give_ids(pages: Sequence[Checked]) -> None:
    """An id for each line: its own, the bank's reference, or a digest of it; and its number among equals."""
    accounts: dict[str, set[str | None]] = defaultdict(set)
    lines = [
        (each.page.account, receipt) for each in pages if each.page.fault is None for receipt in each.page.receipts
    ]
    for account, receipt in lines:
        accounts[_name(receipt, account)].add(account)
    counts: Counter[str] = Counter()
    for account, receipt in lines:
        name = _name(receipt, account)
        if len(accounts[name]) > 1:
            name = f"{account or ''}:{name}"
        counts[name] += 1
        receipt.id = name if counts[name] == 1 else f"{name}#{counts[name]}"


def _name(receipt: Receipt, account: str | None) -> str:
    return receipt.id or receipt.bank_reference or _digest(receipt, account)


def _facts(receipt: Receipt) -> tuple[object, ...]:
    return (
        receipt.booked,
        receipt.value_date,
        receipt.minor,
        receipt.bank_reference,
        receipt.end_to_end,
        receipt.payer,
        receipt.payer_account,
        receipt.reference,
        receipt.text,
    )


def _digest(receipt: Receipt, account: str | None = None) -> str:
    told = repr((account, receipt.currency, *_facts(receipt)))
    return "L" + hashlib.sha256(told.encode()).hexdigest()[:_DIGEST_LENGTH]
