"""Bank lines are cleared: a suggestion is accepted as it stands, once, by an event, and taken back by another."""

from __future__ import annotations

import csv
import hashlib
from datetime import date

import pytest

from core.database import DatabaseManager
from core.review.audit.verify import verify
from core.workloads import leaves_of, workloads
from core.workloads.invoices.publishing.aging import aging
from tests.web.browsing import OWN, bearer, client, person, signed_in
from tests.web.receivables import AT, suggested

API = "/api/v1/invoices"


@pytest.fixture(scope="module", autouse=True)
def lines(db: DatabaseManager, tmp_path_factory: pytest.TempPathFactory) -> None:
    suggested(db, tmp_path_factory.mktemp("suggested"), ["=Q1"])


def open_on(db: DatabaseManager, day: date) -> int:
    (row,) = aging(db, "default", day, AT.replace(year=2099))
    return int(row["total"])


def test_suggestion_is_accepted_once_and_undone(database_url: str, db: DatabaseManager) -> None:
    clerk = signed_in(database_url, person(db, "cora", "reviewer"))
    assert "with a suggestion" in clerk.get("/").text
    page = clerk.get("/invoices/match").text
    assert page.index("1: probability") < page.index("2: probability")
    assert "777.31 EUR" in page
    program, headers = client(database_url), bearer(db, "clerk-program", "reviewer")
    found = program.get(f"{API}/payment/suggestions?id==Q1", headers=headers).json()["data"]
    assert [(one["rank"], one["fits"], len(one["lines"])) for one in found] == [(1, True, 1), (2, True, 1)]
    taken, other = (one["lines"][0]["item_id"] for one in (found[1], found[0]))
    before = open_on(db, date(2024, 4, 30))

    said = {"id": "=Q1", "version": "1", "rank": "2"}
    for wrong, status, says in (
        ({"rank": "9"}, 400, "no suggestion 9"),
        ({"version": "7"}, 409, "suggested meanwhile"),
        ({"id": "none"}, 404, "no bank line of that id"),
    ):
        answer = clerk.post("/invoices/match/accept", data=said | wrong, headers=OWN)
        assert (answer.status_code, says in answer.text) == (status, True), (wrong, answer.text)
    answers = [clerk.post("/invoices/match/accept", data=said, headers=OWN) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    told = program.get(f"{API}/payment?id==Q1", headers=headers).json()
    assert (told["state"], [each["item_id"] for each in told["allocations"]]) == ("applied", [taken])
    assert open_on(db, date(2024, 4, 30)) == before - 77_731
    late = program.post(f"{API}/payment/accept", json={"id": "=Q1", "version": 1, "rank": 1}, headers=headers)
    assert (late.status_code, "by cora" in late.json()["detail"]) == (409, True)
    again = program.post(f"{API}/payment/accept", json={"id": "=Q1", "version": 2, "rank": 1}, headers=headers)
    assert (again.status_code, "takes no suggestion" in again.json()["detail"]) == (400, True)

    page = clerk.get(answers[0].headers["location"]).text
    assert "=Q1 is applied" in page
    assert "Nothing waits in this list" in page
    undone = clerk.post("/invoices/match/undo", data={"id": "=Q1", "version": "2"}, headers=OWN)
    assert "taken back" in clerk.get(undone.headers["location"]).text
    assert open_on(db, date(2024, 4, 30)) == before - 77_731
    answer = clerk.post("/invoices/match/accept", data={"id": "=Q1", "version": "3", "rank": "1"}, headers=OWN)
    assert answer.status_code == 303
    told = program.get(f"{API}/payment?id==Q1", headers=headers).json()
    assert told["allocations"][-1]["item_id"] == other
    assert open_on(db, date(2099, 1, 1)) == before - 77_731
    (report,) = verify(db, leaves_of(workloads()), "default")
    assert report.sound


def test_suggestion_whose_invoice_was_paid_meanwhile_is_refused(
    database_url: str, db: DatabaseManager, tmp_path_factory: pytest.TempPathFactory
) -> None:
    suggested(db, tmp_path_factory.mktemp("more"), ["Q2", "Q3"])
    clerk = signed_in(database_url, person(db, "cyra", "reviewer"))
    program, headers = client(database_url), bearer(db, "cyra-program", "reviewer")

    def first_of(payment: str) -> tuple[int, list[dict[str, object]]]:
        version = program.get(f"{API}/payment?id={payment}", headers=headers).json()["version"]
        return version, program.get(f"{API}/payment/suggestions?id={payment}", headers=headers).json()["data"]

    version, found = first_of("Q2")
    said = {"id": "Q2", "version": version, "rank": found[0]["rank"]}
    assert program.post(f"{API}/payment/accept", json=said, headers=headers).status_code == 200
    version, found = first_of("Q3")
    paid = next(one for one in found if not one["fits"])
    answer = program.post(
        f"{API}/payment/accept", json={"id": "Q3", "version": version, "rank": paid["rank"]}, headers=headers
    )
    assert (answer.status_code, "paid or changed meanwhile" in answer.json()["detail"]) == (409, True)
    assert "other payments came first" in clerk.get("/invoices/match?id=Q3").text
    assert program.get(f"{API}/payment?id=Q3", headers=headers).json()["allocations"] == []


def test_lists_are_given_as_files_with_formulas_escaped(database_url: str, db: DatabaseManager) -> None:
    viewer = signed_in(database_url, person(db, "vik", "viewer"))
    answer = viewer.get("/invoices/export.csv?state=applied")
    assert hashlib.sha256(answer.content).hexdigest() == answer.headers["x-content-sha256"]
    rows = {row["id"]: row for row in csv.DictReader(answer.text.splitlines())}
    assert (rows["'=Q1"]["amount"], rows["'=Q1"]["currency"]) == ("777.31", "EUR")
    assert viewer.get("/invoices/export.csv?state=none").status_code == 400
