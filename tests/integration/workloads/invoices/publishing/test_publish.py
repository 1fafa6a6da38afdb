"""Answers in the database: applied once, taken back by an event, aged as of a day, held against the ledger."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import InputError, StoreError
from core.review.audit.chain import Event
from core.review.audit.verify import verify
from core.workloads import leaves_of, workloads
from core.workloads.invoices.publishing.aging import aging
from core.workloads.invoices.publishing.publish import Published, publish, reconcile_and_publish
from core.workloads.invoices.publishing.standing import standing_of
from core.workloads.invoices.publishing.told import told_frame
from core.workloads.invoices.publishing.unmatch import unmatch
from core.workloads.invoices.reconciling.explained import outlines_of
from core.workloads.invoices.reconciling.run import Request, reconcile
from tests.command import headrace

INVOICE = {
    "customer": "C1",
    "customer_name": "Harbour Mills Ltd",
    "currency": "EUR",
    "issued": "2024-03-01",
    "due": "2024-03-31",
}
PAYMENT = {"currency": "EUR", "booked": "2024-03-28", "payer": "HARBOUR MILLS LIMITED"}
AT = datetime(2024, 4, 2, 8, 0, 0, 7, UTC)
DAY = date(2024, 4, 30)


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    return request.node.name


@pytest.fixture
def wanted(tmp_path: Path) -> Request:
    invoices = [{"number": f"INV-100{n}", "amount": f"{n}00.5{n}"} for n in range(1, 5)]
    pl.DataFrame([INVOICE | {"id": row["number"]} | row for row in invoices]).write_csv(tmp_path / "i.csv")
    _payments(tmp_path, [("P1", "100.51", "INV-1001"), ("P2", "200.52", "INV-1002")])
    return Request({"invoices": [tmp_path / "i.csv"], "payments": [tmp_path / "p.csv"]})


def _payments(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    named = [dict(zip(("id", "amount", "text"), row, strict=True)) for row in rows]
    pl.DataFrame([PAYMENT | row for row in named]).write_csv(folder / "p.csv")


def _event(tenant: str, kind: str = "settled", **facts: Any) -> Event:
    return replace(Event(tenant, kind, "tests", AT), **facts)


def _open(db: DatabaseManager, tenant: str) -> dict[str, int]:
    with db.transaction() as conn:
        return dict(
            conn.execute("SELECT item_id, open_minor FROM open_items WHERE tenant_id = %s", [tenant]).fetchall()
        )


def _total(db: DatabaseManager, tenant: str, as_of: date, known_at: datetime) -> int:
    ((row),) = aging(db, tenant, as_of, known_at)
    return int(row["total"])


def _sound(db: DatabaseManager, tenant: str) -> bool:
    (report,) = verify(db, leaves_of(workloads()), tenant)
    return report.sound


def test_publish_goes_on_from_what_is_decided(
    db: DatabaseManager, tenant: str, wanted: Request, tmp_path: Path
) -> None:
    reconcile_and_publish(db, wanted, _event(tenant))
    after = {"INV-1001": 0, "INV-1002": 0, "INV-1003": 30053, "INV-1004": 40054}
    assert _open(db, tenant) == after
    reconcile_and_publish(db, wanted, _event(tenant))
    assert _open(db, tenant) == after, "the same lines again"

    _payments(tmp_path, [("P3", "300.53", "INV-1003"), ("P4", "100.51", "INV-1001")])
    found = reconcile_and_publish(db, wanted, _event(tenant))
    assert _open(db, tenant) == after | {"INV-1003": 0}
    states = dict(found.answer.states.select("payment_id", "state").rows())
    assert states["P3"] == "applied"
    assert states["P4"] != "applied", "its item is paid by an earlier run"
    assert _sound(db, tenant)


def test_publish_keeps_nothing_where_an_item_was_changed_meanwhile(
    db: DatabaseManager, tenant: str, wanted: Request
) -> None:
    found = reconcile(wanted)
    with db.transaction() as conn:
        standing = standing_of(conn, tenant, found.read.tables)
    reconcile_and_publish(db, wanted, _event(tenant))
    late = replace(standing, items=pl.DataFrame({"item_id": ["INV-1001"], "open_minor": [1], "version": [7]}))
    told = told_frame(found.sides.payments["id"], outlines_of(found))
    published = Published(found.answer.allocations, found.answer.states, found.sides.payments, told)
    for outdated in (standing, late):
        with pytest.raises(StoreError), db.transaction() as conn:
            publish(conn, _event(tenant), published, outdated)
    assert _sound(db, tenant)


def test_unmatch_opens_items_from_its_day_on(db: DatabaseManager, tenant: str, wanted: Request) -> None:
    reconcile_and_publish(db, wanted, _event(tenant))
    taken_back = _event(tenant, "unmatched", effective_on=date(2024, 5, 2), recorded_at=AT + timedelta(days=40))
    with db.transaction() as conn:
        unmatch(conn, taken_back, "P1")
    assert _open(db, tenant)["INV-1001"] == 10051
    later = AT + timedelta(days=50)
    assert _total(db, tenant, DAY, AT) == _total(db, tenant, DAY, later) == 70107
    assert _total(db, tenant, date(2024, 5, 2), later) == 80158
    assert _total(db, tenant, date(2024, 5, 2), AT) == 70107, "it was not known then"
    assert _total(db, tenant, date(2024, 3, 27), later) == 100210, "nothing was paid yet"
    assert _sound(db, tenant)
    reconcile_and_publish(db, wanted, _event(tenant))
    assert _open(db, tenant)["INV-1001"] == 10051, "left to a person"


def test_unmatch_refuses_what_is_not_applied(db: DatabaseManager, tenant: str, wanted: Request) -> None:
    reconcile_and_publish(db, wanted, _event(tenant))
    early = _event(tenant, "unmatched", effective_on=date(2024, 3, 27))
    for event, payment, says in (
        (early, "P1", "counts from 2024-03-28 on"),
        (early, "P9", "no payment 'P9'"),
        (replace(early, effective_on=DAY), "P2", "is unmatched"),
    ):
        if payment == "P2":
            with db.transaction() as conn:
                unmatch(conn, event, payment)
        with pytest.raises(InputError, match=says), db.transaction() as conn:
            unmatch(conn, event, payment)


def test_commands_publish_take_back_and_verify(
    db: DatabaseManager, database_url: str, tenant: str, wanted: Request, tmp_path: Path
) -> None:
    env = {"HEADRACE_DATABASE__URL": database_url, "COLUMNS": "80"}
    files = [f"--{kind}={path}" for kind, (path,) in wanted.files.items()]
    explain = ("reconcile", "explain", "P1", "INV-1003", "--json")
    done = headrace("reconcile", *files, "--out", tmp_path / "out", "--publish", "--tenant", tenant, env=env)
    assert done.returncode == 0, done.stderr
    of_folder = json.loads(headrace(*explain, "--run", tmp_path / "out", env=env).stdout)
    published = json.loads(headrace(*explain, "--tenant", tenant, env=env).stdout)
    assert published == of_folder
    assert (published["state"], published["why_not"][:15]) == ("applied", "no set with it ")
    told = headrace("reconcile", "unmatch", "P1", "--reason", "not theirs", "--tenant", tenant, env=env)
    assert (told.returncode, "P1" in told.stdout) == (0, True), told.stderr
    aged = headrace("reconcile", "aging", "--as-of", "2024-04-30", "--tenant", tenant, env=env)
    assert "701.07" in aged.stdout
    unknown = headrace("reconcile", "explain", "P9", "--tenant", tenant, env=env)
    assert (unknown.returncode, "there is no payment 'P9' in the receivables" in unknown.stderr) == (2, True)
    assert headrace("audit", "verify", "--tenant", tenant, env=env).returncode == 0
    with db.transaction() as conn:
        conn.execute("ALTER TABLE allocations DISABLE TRIGGER ALL")
        conn.execute("UPDATE allocations SET amount_minor = 10052 WHERE tenant_id = %s AND payment_id = 'P1'", [tenant])
        conn.execute("ALTER TABLE allocations ENABLE ALWAYS TRIGGER allocations_rows")
    changed = headrace("audit", "verify", "--tenant", tenant, env=env)
    assert (changed.returncode, "changed in allocations" in changed.stdout) == (1, True)
