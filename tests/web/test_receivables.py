"""Bank lines as people see them: listed by state, taken back once, and what is open by age."""

from __future__ import annotations

import pytest

from core.database import DatabaseManager
from tests.web.browsing import OWN, bearer, client, person, signed_in
from tests.web.receivables import settled


@pytest.fixture(scope="module", autouse=True)
def lines(db: DatabaseManager, tmp_path_factory: pytest.TempPathFactory) -> None:
    settled(db, tmp_path_factory.mktemp("receivables"))


def test_api_pages_lines_by_cursor(database_url: str, db: DatabaseManager) -> None:
    found, headers = client(database_url), bearer(db, "reader", "viewer")
    first = found.get("/api/v1/invoices/payments?state=applied&limit=1", headers=headers).json()
    (one,) = first["data"]
    assert (one["payment_id"], one["amount_minor"], one["currency"]) == ("P1", 110_051, "EUR")
    cursor = first["page_info"]["end_cursor"]
    rest = found.get(f"/api/v1/invoices/payments?state=applied&limit=9&cursor={cursor}", headers=headers).json()
    assert [each["payment_id"] for each in rest["data"]] == ["P2"]
    assert rest["page_info"] == {"has_next_page": False, "end_cursor": None}
    other = found.get(f"/api/v1/invoices/payments?state=unapplied&cursor={cursor}", headers=headers)
    assert (other.status_code, "another list" in other.json()["detail"]) == (400, True)
    counts = found.get("/api/v1/invoices/payments/counts", headers=headers).json()["data"]
    assert (counts["applied"], sum(counts.values())) == (2, 3)
    told = found.get("/api/v1/invoices/payment?id=P1", headers=headers).json()
    assert [(each["item_id"], each["amount_minor"]) for each in told["allocations"]] == [("INV-1001", 110_051)]
    (aged,) = found.get("/api/v1/invoices/aging?as_of=2024-04-30", headers=headers).json()["data"]
    assert (aged["1-30"], aged["total"], aged["items"]) == (310_053, 310_053, 1)


def test_bad_requests_are_told_and_change_nothing(database_url: str, db: DatabaseManager) -> None:
    clerk = signed_in(database_url, person(db, "carl", "reviewer"))
    assert "none of bank lines" in clerk.get("/invoices/payments?state=lost").text
    assert clerk.get("/invoices/payment?id=P9").status_code == 404
    assert "day cannot be read" in clerk.get("/invoices/aging?as_of=yesterday").text
    for wrong, status, says in (
        ({"reason": " "}, 400, "reason is empty"),
        ({"effective_on": "2999-01-01"}, 400, "is in the future"),
        ({"effective_on": "2024-03-01"}, 400, "counts from 2024-03-28 on"),
        ({"reason": "a\0b"}, 422, "reason"),
        ({"version": str(1 << 63)}, 422, "version"),
        ({"id": "P9"}, 404, "no bank line of that id"),
        ({"version": "7"}, 409, "line is applied meanwhile, by robot"),
    ):
        said = {"id": "P1", "version": "1", "reason": "not theirs"} | wrong
        answer = clerk.post("/invoices/payment/unmatch", data=said, headers=OWN)
        assert (answer.status_code, says in answer.text.lower()) == (status, True), (wrong, answer.text)
    assert "Take it back" in clerk.get("/invoices/payment?id=P1").text
    viewer = signed_in(database_url, person(db, "vera", "viewer"))
    assert "needs the role reviewer" in viewer.get("/invoices/payment?id=P1").text


def test_lines_are_listed_taken_back_once_and_aged(database_url: str, db: DatabaseManager) -> None:
    clerk = signed_in(database_url, person(db, "cleo", "reviewer"))
    page = clerk.get("/invoices/payments?state=applied").text
    assert "1,100.51" in page
    assert page.index("P1") < page.index("P2")
    assert "P3" not in page
    shown = clerk.get("/invoices/payment?id=P1").text
    assert "INV-1001" in shown
    said = {"id": "P1", "version": "1", "reason": "another customer's"}
    assert "3,100.53 EUR" in clerk.get("/invoices/aging").text
    assert clerk.post("/invoices/payment/unmatch", data=said, headers=OWN).status_code == 303
    assert "Take it back" not in clerk.get("/invoices/payment?id=P1").text
    assert "4,201.04 EUR" in clerk.get("/invoices/aging").text
    assert "nothing was open" in clerk.get("/invoices/aging?as_of=2024-02-29").text
    assert "by <a href" in clerk.get("/invoices/payment?id=P1").text

    again = clerk.post("/invoices/payment/unmatch", data=said, headers=OWN)
    assert again.status_code == 303, "sent twice"
    late = client(database_url).post(
        "/api/v1/invoices/payment/unmatch", json=said | {"version": 1}, headers=bearer(db, "late", "reviewer")
    )
    assert late.status_code == 409
    assert "by cleo" in late.json()["detail"]
    with db.transaction() as conn:
        (n,) = conn.execute("SELECT count(*) FROM audit_events WHERE kind = 'unmatched'").fetchone() or (0,)
    assert n == 1
