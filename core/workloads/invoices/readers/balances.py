"""Whether statements hold: opening + movements = closing, sums that the bank states, and all pages there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from core.workloads.invoices.readers.amounts import plain
from core.workloads.invoices.readers.records import Page


@dataclass(slots=True)
class Checked:
    """A page and what was found of it. off: closing less opening and movements, minor units; None: not known.

    n_found: lines that it had before any was set aside.
    """

    page: Page
    file: str
    form: str
    off: int | None = None
    n_found: int = 0

    @property
    def named(self) -> str:
        """The statement for people."""
        return f"statement {self.page.number or '(no number)'} in {self.file}, line {self.page.line}"


def check(pages: Sequence[Checked]) -> None:
    """Give every page its `off`, and a fault where it does not hold. Pages of one statement may be in several files."""
    for each in pages:
        each.n_found = len(each.page.receipts)
    split = defaultdict(list)
    for checked in pages:
        page = checked.page
        if page.fault is not None:
            continue
        _check_declared(page)
        if page.is_complete and page.nth is not None and (page.nth > 1 or not page.is_last):
            split[checked.form, page.account, page.currency, page.number].append(checked)
        elif page.opening is not None and page.closing is not None:
            _check_balance(checked)
        elif page.is_complete:
            missing = "closing" if page.closing is None else "opening"
            page.fault = f"no {missing} balance: the file may be cut short"
    for parts in split.values():
        if all(_holds_alone(each.page) for each in parts):
            for each in parts:
                each.off = 0
        else:
            _check_together(parts)


def _holds_alone(page: Page) -> bool:
    """Whether a page has balances of its own; others repeat those of the whole statement, or have none."""
    return page.opening is not None and page.closing is not None and page.opening + page.moved == page.closing


def _check_declared(page: Page) -> None:
    for side, (n_declared, total) in page.declared.items():
        moved = [receipt.minor for receipt in page.receipts if (receipt.minor < 0) == (side == "D")]
        if n_declared is not None and n_declared != len(moved):
            page.fault = f"the bank counts {n_declared} lines where {len(moved)} are"
        elif abs(sum(moved)) != total:
            off = plain(total - abs(sum(moved)), page.currency or "")
            page.fault = f"the sum that the bank states differs from that of the lines by {off}"


def _check_balance(each: Checked) -> None:
    page = each.page
    each.off = (page.closing or 0) - (page.opening or 0) - page.moved
    if each.off and _turned(page, each.off):
        each.off = 0
    if each.off:
        off = plain(each.off, page.currency or "")
        page.fault = page.fault or f"opening + movements differ from closing by {off}{_repeated(page, each.off)}"


def _turned(page: Page, off: int) -> bool:
    """Give reversals the other sign, where just that makes the statement balance: banks mark them either way."""
    reversals = [receipt for receipt in page.receipts if receipt.is_reversal]
    if not reversals or -2 * sum(receipt.minor for receipt in reversals) != off:
        return False
    for receipt in reversals:
        receipt.minor = -receipt.minor
    return True


def _repeated(page: Page, off: int) -> str:
    """Whether lines that repeat the total of their batch explain it."""
    seen: dict[tuple[str | None, int], int] = defaultdict(int)
    for receipt in page.receipts:
        if receipt.bank_reference:
            seen[receipt.bank_reference, receipt.minor] += 1
    excess = sum((n - 1) * minor for (_, minor), n in seen.items())
    return "; lines of one batch repeat its total" if excess and excess == -off else ""


def _check_together(parts: list[Checked]) -> None:
    """Pages that have only together an opening and a closing balance, or each those of the whole statement."""
    parts.sort(key=lambda each: each.page.nth or 0)
    numbers = [each.page.nth for each in parts]
    first, last = parts[0].page, parts[-1].page
    if numbers != list(range(1, len(parts) + 1)) or not last.is_last:
        _refuse_incomplete(parts, ", ".join(map(str, numbers)))
        return
    fault: str | None
    if first.opening is None or last.closing is None:
        fault = "its pages have no opening or no closing balance"
    else:
        off = last.closing - first.opening - sum(each.page.moved for each in parts)
        fault = (
            f"opening + movements of its pages differ from closing by {plain(off, first.currency or '')}"
            if off
            else None
        )
        for each in parts:
            each.off = off
    for each in parts:
        each.page.fault = each.page.fault or fault


def _refuse_incomplete(parts: list[Checked], here: str) -> None:
    """Of pages that are not all of a statement only those that hold by balances of their own can be taken."""
    missing = f"pages of its statement are missing or stand twice (there are {here}): name all files at once"
    for checked in parts:
        page = checked.page
        if page.opening is not None and page.closing is not None:
            _check_balance(checked)
            page.fault = f"{page.fault}; or {missing}" if page.fault else None
        else:
            page.fault = page.fault or missing
