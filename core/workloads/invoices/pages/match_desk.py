"""What pages and API do with suggestions for bank lines: see them, accept one; and with lists of lines as a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import groupby

import polars as pl
from pydantic import Field

from core.database import DatabaseManager
from core.errors import InputError
from core.pages.accounts.roles import Person
from core.review.audit.chain import Event
from core.review.items import TENANT
from core.workloads.invoices.pages import desk
from core.workloads.invoices.publishing.accept import SuggestedLine, accept, suggestions_of
from core.workloads.invoices.reconciling.run import escaped_texts

EXPORT_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One explanation of a bank line. lines: what it applies, and what it leaves over."""

    rank: int
    posterior: float
    reason: str
    lines: list[SuggestedLine]

    @property
    def fits(self) -> bool:
        """Whether all of it can still be applied."""
        return all(line.fits for line in self.lines)


class Accepted(desk.Seen):
    """Which suggestion is accepted for which bank line."""

    rank: int = Field(ge=1, le=100, description="Of the suggestion; 1 is the likeliest.", examples=[1])


@dataclass(frozen=True, slots=True)
class Export:
    """Bank lines as a file. sha256: of its bytes, in hex."""

    body: bytes
    sha256: str
    n_rows: int


def suggestions(db: DatabaseManager, payment_id: str) -> list[Suggestion]:
    """What the last run suggests for a line, the likeliest first; none for lines that no run decided."""
    with db.transaction() as conn:
        lines = suggestions_of(conn, TENANT, payment_id)
    found = [(rank, list(some)) for rank, some in groupby(lines, key=lambda line: line.rank)]
    return [Suggestion(rank, some[0].posterior, some[0].reason, some) for rank, some in found]


def accept_one(db: DatabaseManager, person: Person, said: Accepted) -> int:
    """Apply a suggestion to a line as it was seen; said twice, it is done once. Returns the event's id.

    Raises Conflict: the line or an invoice has changed since; InputError as `accept`; NotFound.
    """
    event = Event(TENANT, "accepted", person.name, desk.now())
    with db.transaction() as conn:
        done = desk.done_before(conn, person, said, "applied")
        return accept(conn, event, said.id, said.rank) if done is None else done


def exported(db: DatabaseManager, state: str) -> Export:
    """The bank lines of a state as CSV, oldest first; what a spreadsheet would compute has an apostrophe before it.

    Raises InputError: the state; or there are more than EXPORT_MAX, which the API gives page by page.
    """
    found = desk.payments(db, state, None, EXPORT_MAX)
    if found.end_cursor is not None:
        raise InputError(
            f"there are more than {EXPORT_MAX:,} lines; take them page by page from /api/v1/invoices/payments",
            field="state",
        )
    rows = [
        (each.payment_id, each.booked_on, each.amount, each.currency, each.state, each.why or None, each.event_id)
        for each in found.rows
    ]
    schema = {
        "id": pl.String, "booked": pl.Date, "amount": pl.String, "currency": pl.String, "state": pl.String,
        "held_by": pl.String, "event": pl.Int64,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    numbers = frame["amount"].str.replace_all(",", "")
    body = escaped_texts(frame.drop("amount")).insert_column(2, numbers).write_csv().encode()
    return Export(body, hashlib.sha256(body).hexdigest(), len(rows))
