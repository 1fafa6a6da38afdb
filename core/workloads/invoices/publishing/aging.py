"""What was open on a day, by how long it was due, as it was known at an instant."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from core.database import DatabaseManager
from core.database.queries import load, run

Q = load("invoices")
BANDS = ("not_due", "1-30", "31-60", "61-90", "over_90")
"""Days past due."""


def aging(db: DatabaseManager, tenant_id: str, as_of: date, known_at: datetime) -> list[dict[str, Any]]:
    """A row a currency: minor units by BANDS, their `total`, and how many `items` are open."""
    with db.transaction() as conn:
        rows = run(conn, Q["aging"], {"tenant_id": tenant_id, "as_of": as_of, "known_at": known_at})
    return [
        {"currency": currency, **dict(zip((*BANDS, "total"), (each or 0 for each in amounts), strict=True)), "items": n}
        for currency, *amounts, n in rows
    ]
