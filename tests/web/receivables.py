"""Receivables with bank lines in several states."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from core.database import DatabaseManager
from core.review.audit.chain import Event
from core.review.items import TENANT
from core.workloads.invoices.publishing.publish import reconcile_and_publish
from core.workloads.invoices.reconciling.run import Request

AT = datetime(2024, 4, 2, 8, tzinfo=UTC)
INVOICE = {
    "customer": "C1",
    "customer_name": "Harbour Mills Ltd",
    "currency": "EUR",
    "issued": "2024-03-01",
    "due": "2024-03-31",
}
PAYMENT = {"currency": "EUR", "booked": "2024-03-28", "payer": "HARBOUR MILLS LIMITED"}


def suggested(db: DatabaseManager, folder: Path, lines: Sequence[str]) -> None:
    """Two invoices of a customer over the same amount, and bank lines of his over it that name neither."""
    customer = {"customer": "C2", "customer_name": "Lock Keepers Ltd"}
    invoices = [INVOICE | customer | {"id": f"L-{n}", "number": f"L-{n}", "amount": "777.31"} for n in (1, 2)]
    pl.DataFrame(invoices).write_csv(folder / "li.csv")
    payment = PAYMENT | {"payer": "LOCK KEEPERS LIMITED", "amount": "777.31", "text": "payment"}
    pl.DataFrame([payment | {"id": name} for name in lines]).write_csv(folder / "lp.csv")
    files = {"invoices": [folder / "li.csv"], "payments": [folder / "lp.csv"]}
    reconcile_and_publish(db, Request(files), Event(TENANT, "settled", "robot", AT))


def settled(db: DatabaseManager, folder: Path) -> None:
    """P1 and P2 are applied to INV-1001 and INV-1002; P3 names an invoice that P1 has paid; INV-1003 is open."""
    invoices = [{"number": f"INV-100{n}", "amount": f"{n}100.5{n}"} for n in range(1, 4)]
    payments = [("P1", "1100.51", "INV-1001"), ("P2", "2100.52", "INV-1002"), ("P3", "1100.51", "INV-1001")]
    pl.DataFrame([INVOICE | {"id": row["number"]} | row for row in invoices]).write_csv(folder / "i.csv")
    named = [dict(zip(("id", "amount", "text"), row, strict=True)) for row in payments]
    pl.DataFrame([PAYMENT | row for row in named]).write_csv(folder / "p.csv")
    files = {"invoices": [folder / "i.csv"], "payments": [folder / "p.csv"]}
    reconcile_and_publish(db, Request(files), Event(TENANT, "settled", "robot", AT))
