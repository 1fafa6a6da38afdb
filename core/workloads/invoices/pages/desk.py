"""What pages and API of receivables do; both call these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import psycopg
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from core.currencies import amount_text
from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import Conflict, InputError
from core.pages.accounts.roles import Person
from core.pages.problems import NotFound
from core.pages.tables import Slice, filter_digest, keys_of, slice_of
from core.review.audit.chain import Event
from core.review.items import TENANT
from core.workloads.invoices.publishing.aging import aging
from core.workloads.invoices.publishing.unmatch import unmatch

Q = load("invoices")
STATES = {
    "exception": "wait for a decision",
    "suggested": "with a suggestion",
    "unapplied": "applied to nothing",
    "unmatched": "taken back",
    "applied": "applied",
    "foreign": "no customer's",
}
"""State of a bank line -> what it means, in the order in which they matter."""
FOR_PEOPLE = frozenset({"exception", "suggested", "unmatched"})
COUNTED_MOST = 10_000
"""More lines of a state are not counted on: the answer is one more."""
NO_NUL = r"^[^\x00]*$"
ID_MAX = 1_000
REASON_MAX = 500
PaymentId = Annotated[
    str, Query(alias="id", pattern=NO_NUL, max_length=ID_MAX, description="Of the line.", examples=["P-77"])
]
_NO_LINE = "there is no bank line of that id; /invoices/payments lists those there are"


@dataclass(frozen=True, slots=True)
class Payment:
    """A bank line as it stands. event_id: what applied it, or took that back. amount_minor: smallest units.

    held: what kept the run that decided it from applying it, one of `HELD`; None where nothing is known of it.
    """

    payment_id: str
    currency: str
    amount_minor: int
    booked_on: date
    state: str
    event_id: int | None
    version: int
    held: str | None

    @property
    def amount(self) -> str:
        """In words of people."""
        return amount_text(self.amount_minor, self.currency)

    @property
    def why(self) -> str:
        """What held it, in words; nothing once it is applied."""
        return "" if self.state == "applied" else (self.held or "").replace("_", " ")


@dataclass(frozen=True, slots=True)
class Allocation:
    """What an event applied of a bank line, or took back (`reverses_event`). Amounts as in the table."""

    event_id: int
    item_id: str | None
    number: str | None
    customer_id: str | None
    amount_minor: int
    currency: str
    applied_minor: int
    residual_kind: str
    residual_minor: int
    effective_on: date
    recorded_at: datetime
    reverses_event: int | None
    actor: str
    kind: str


class Seen(BaseModel):
    """A bank line as somebody saw it: a form and a request of the API alike."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=NO_NUL, max_length=ID_MAX, examples=["P-77"])
    version: int = Field(description="Of the line, as it was seen.", examples=[1], ge=0, lt=1 << 62)


class TakenBack(Seen):
    """Which bank line is taken back, and why."""

    reason: str = Field(
        pattern=NO_NUL, max_length=REASON_MAX, description="Kept in the ledger.", examples=["another customer's"]
    )
    effective_on: date | None = Field(None, description="Day from which it counts; today unless said.")


def now() -> datetime:
    """The moment of a request."""
    return datetime.now(UTC)


def list_address(state: str) -> str:
    """Where the bank lines of a state are listed."""
    return f"/invoices/payments?{urlencode({'state': state})}"


def address(payment_id: str) -> str:
    """Where a bank line is shown."""
    return f"/invoices/payment?{urlencode({'id': payment_id})}"


def counts(db: DatabaseManager) -> dict[str, int]:
    """Bank lines of each of STATES, up to COUNTED_MOST and one more. Cost: so many rows of an index a state."""
    params = {"tenant_id": TENANT, "states": list(STATES), "limit": COUNTED_MOST + 1}
    with db.transaction() as conn:
        found: dict[str, int] = dict(run(conn, Q["receipts_count"], params))
    return {state: found[state] for state in STATES}


def payments(db: DatabaseManager, state: str, cursor: str | None, limit: int) -> Slice:
    """Bank lines of a state, oldest first, for those wait longest. Raises InputError: the state or the cursor."""
    if state not in STATES:
        raise InputError(f"state {state!r} is none of bank lines; there are {', '.join(STATES)}", field="state")
    digest = filter_digest(list="payments", state=state)
    keys = keys_of(cursor, digest, [str, str])
    after = (date.min, "") if keys is None else (_day(keys[0]), keys[1])
    params = {"tenant_id": TENANT, "state": state, "after": after[0], "after_id": after[1], "limit": limit + 1}
    with db.transaction() as conn:
        rows = [Payment(*row) for row in run(conn, Q["receipts_page"], params)]
    return slice_of(rows, limit, lambda one: [one.booked_on.isoformat(), one.payment_id], digest)


def payment(db: DatabaseManager, payment_id: str) -> tuple[Payment, list[Allocation]]:
    """A bank line, and all that was ever applied of it, oldest first. Raises NotFound."""
    params = {"tenant_id": TENANT, "payment_id": payment_id}
    with db.transaction() as conn:
        found = run(conn, Q["receipt_of"], params)
        if not found:
            raise NotFound(_NO_LINE)
        told = [Allocation(*row) for row in run(conn, Q["allocations_told"], params)]
    return Payment(*found[0]), told


def take_back(db: DatabaseManager, person: Person, said: TakenBack) -> int:
    """Unmatch a bank line as it was seen; said twice, it is done once. Returns the event's id.

    Raises Conflict: it has changed since; InputError as `unmatch`, and for an empty reason or a day to come; NotFound.
    """
    at = now()
    day = said.effective_on or at.date()
    if not said.reason.strip():
        raise InputError("the reason is empty; say why the line is taken back", field="reason")
    if day > at.date():
        raise InputError(f"{day} is in the future; take the line back as of today or earlier", field="effective_on")
    event = Event(TENANT, "unmatched", person.name, at, day, {"reason": said.reason.strip()})
    with db.transaction() as conn:
        done = done_before(conn, person, said, "unmatched")
        return unmatch(conn, event, said.id) if done is None else done


def done_before(conn: psycopg.Connection[Any], person: Person, said: Seen, state: str) -> int | None:
    """Lock a line as it was seen; the event, where this person's same request has brought it to `state` already.

    Raises NotFound; Conflict: somebody has changed it since it was seen.
    """
    found = run(conn, Q["receipt_seen"], {"tenant_id": TENANT, "payment_id": said.id})
    if not found:
        raise NotFound(_NO_LINE)
    ((stands, now_is, event_id, by, recorded_at),) = found
    if (stands, now_is, by) == (said.version + 1, state, person.name):
        return int(event_id)
    if stands != said.version:
        who = "" if by is None else f", by {by} at {recorded_at:%Y-%m-%d %H:%M:%S %Z}"
        raise Conflict(f"the line is {now_is} meanwhile{who}; look at it again", state=now_is, by=by)
    return None


def day_of(text: str) -> date:
    """A day as a page is asked for it; today where none is said. Raises InputError: it is none."""
    if not text:
        return now().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("the day cannot be read; write it as 2026-01-31", field="as_of") from None


def aged(db: DatabaseManager, as_of: date | None, known_at: datetime | None = None) -> list[dict[str, Any]]:
    """A row a currency, as `aging`; today and as it is known now unless said."""
    return aging(db, TENANT, as_of or now().date(), known_at or now())


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("the cursor is none of this list; begin again without it") from None
