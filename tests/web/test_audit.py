"""Who decided what, and whether the chain is whole."""

from __future__ import annotations

from datetime import UTC, datetime

from core.database import DatabaseManager
from core.review.audit.chain import Event
from core.review.audit.events import append
from core.review.audit.sealer import seal_all
from core.review.items import claim
from core.review.verdicts import Said, give
from core.workloads.identity.reviewing.cases import POLICY, topic
from tests.web.browsing import OWN, bearer, client, person, signed_in
from tests.web.pairs import CANARY, published

AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_events_are_listed_told_and_checked(database_url: str, db: DatabaseManager) -> None:
    found = signed_in(database_url, person(db, "otto", "viewer"))
    assert "nothing was decided yet" in found.get("/audit").text
    published(db, "told", n_pairs=2)
    first, _ = claim(db, topic("told"), "ann", AT)
    outcome = give(db, "ann", Said(first.item_id, first.version, "match", "one"), AT, POLICY)
    seal_all(db, "test")
    with db.transaction() as conn:
        append(conn, Event("default", "settled", "robot", AT), [{"amount_minor": 100}])
    page = found.get("/audit").text
    assert page.index("settled") < page.index("review verdict")
    assert "not sealed yet" in page
    told = found.get(f"/audit/{outcome.event_id}").text
    assert "By <b>ann</b>" in told
    assert "a0" in told
    assert CANARY not in told + page
    checked = found.post("/audit/check", headers=OWN)
    assert "The chain is whole" in checked.text
    assert "the newest 1 yet" in checked.text
    assert found.get("/audit/999999").status_code == 404

    program = client(database_url)
    headers = bearer(db, "reader", "viewer")
    (newest,) = program.get("/api/v1/audit/events?limit=1", headers=headers).json()["data"]
    assert (newest["kind"], newest["actor"], newest["seq"]) == ("settled", "robot", None)
    whole = program.get(f"/api/v1/audit/events/{newest['event_id']}", headers=headers).json()
    assert whole["leaves"] == [{"amount_minor": 100}]

    with db.transaction() as conn:
        conn.execute("ALTER TABLE audit_leaves DISABLE TRIGGER ALL")
        conn.execute("UPDATE audit_leaves SET body = set_byte(body, 18, 50)")
    assert "1 rows are not as they were written" in found.post("/audit/check", headers=OWN).text
    assert program.post("/api/v1/audit/check", headers=headers).json()["sound"] is False
