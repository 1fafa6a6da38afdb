"""Deciding pairs: by forms, by the API, by two people at once; and who sees what."""

from __future__ import annotations

import logging
import re

import httpx
import pytest

from core.database import DatabaseManager
from core.review.audit.sealer import seal_all
from core.review.audit.verify import verify
from core.review.items import find
from core.review.verdicts import holding
from core.workloads import leaves_of, workloads
from core.workloads.identity.reviewing.cases import topic
from tests.web.browsing import OWN, Client, bearer, client, person, signed_in
from tests.web.pairs import CANARY, published


def form_of(answer: httpx.Response) -> dict[str, str]:
    """The hidden fields of the form that decides."""
    (form,) = re.findall(r'<form class="decide".*?</form>', answer.text, re.DOTALL)
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.split("<button")[0]))


def reviewer(url: str, db: DatabaseManager, name: str) -> Client:
    return signed_in(url, person(db, name, "reviewer"))


def begun(url: str, db: DatabaseManager, name: str, dataset: str) -> tuple[Client, httpx.Response]:
    """Somebody who has taken pairs, and the page with the first one."""
    found = reviewer(url, db, name)
    taken = found.post(f"/identity/{dataset}/review/take", headers=OWN)
    assert (taken.status_code, taken.headers["location"]) == (303, f"/identity/{dataset}/review")
    return found, found.get(f"/identity/{dataset}/review")


def test_pairs_are_decided_and_taken_back_without_script(database_url: str, db: DatabaseManager) -> None:
    published(db, "forms")
    found, page = begun(database_url, db, "rita", "forms")
    assert "<del>" in page.text
    assert "&lt;b&gt;O&#39;Neil&lt;/b&gt;" in page.text
    first = form_of(page)
    for _ in range(2):  # A double click counts once.
        answer = found.post("/identity/forms/review/verdicts", data={**first, "verdict": "match"}, headers=OWN)
        assert answer.status_code == 303
    (held,) = holding(db, topic("forms"))
    assert (held.subject, held.verdict, held.by) == (("a0", "b0"), "match", "rita")
    page = found.get("/identity/forms/review")
    assert form_of(page)["item_id"] != first["item_id"]
    (event_id,) = re.findall(r'name="event_id" value="(\d+)"', page.text)
    undone = {"event_id": event_id, "request_key": f"undo {event_id}"}
    assert found.post("/identity/forms/review/undo", data=undone, headers=OWN).status_code == 303
    assert form_of(found.get("/identity/forms/review"))["item_id"] == first["item_id"]
    assert [each.verdict for each in holding(db, topic("forms"))] == [None]
    seal_all(db, "test")
    assert all(tenant.sound for tenant in verify(db, leaves_of(workloads())))


def test_the_second_of_two_is_told_who_was_first(database_url: str, db: DatabaseManager) -> None:
    published(db, "race", n_pairs=1)
    one, page = begun(database_url, db, "first", "race")
    fields = form_of(page)
    other = reviewer(database_url, db, "second")
    one.post("/identity/race/review/verdicts", data={**fields, "verdict": "differ"}, headers=OWN)
    late = {**fields, "verdict": "match", "request_key": "late"}
    answer = other.post("/identity/race/review/verdicts", data=late, headers=OWN)
    assert answer.status_code == 409
    assert "decided meanwhile: differ, by first at" in answer.text
    assert form_of(answer)["version"] != fields["version"]
    assert find(db, int(fields["item_id"])).verdict == "differ"


def test_the_api_decides_as_the_pages_do(database_url: str, db: DatabaseManager) -> None:
    published(db, "api")
    found, headers = client(database_url), bearer(db, "prog", "reviewer")
    taken = found.post("/api/v1/identity/review/take", json={"dataset": "api", "limit": 3}, headers=headers).json()[
        "data"
    ]
    assert [case["records"] for case in taken] == [["a0", "b0"], ["a1", "b1"], ["a2", "b2"]]
    assert taken[0]["fields"][0] == {
        "field": "first_name",
        "a": CANARY,
        "b": "Zzyzxgua",
        "level": "jaro winkler >= 0.85",
    }
    said = {"item_id": taken[0]["item_id"], "version": taken[0]["version"], "verdict": "match"}
    keyed = {**headers, "Idempotency-Key": "one"}
    answers = [found.post("/api/v1/identity/review/verdicts", json=said, headers=keyed).json() for _ in range(2)]
    assert answers[0]["event_id"] == answers[1]["event_id"]
    assert [answer["repeated"] for answer in answers] == [False, True]
    other = found.post("/api/v1/identity/review/verdicts", json={**said, "verdict": "differ"}, headers=keyed)
    assert (other.status_code, other.headers["content-type"]) == (422, "application/problem+json")
    stale = found.post("/api/v1/identity/review/verdicts", json=said, headers={**headers, "Idempotency-Key": "two"})
    assert (stale.status_code, stale.json()["by"]) == (409, "prog")
    assert found.post("/api/v1/identity/review/verdicts", json=said, headers=headers).status_code == 422
    undo = {"event_id": answers[0]["event_id"]}
    undone = found.post("/api/v1/identity/review/undo", json=undo, headers={**headers, "Idempotency-Key": "three"})
    assert undone.json()["kind"] == "undo"
    assert found.get("/api/v1/identity/review?dataset=api", headers=headers).json()["verdicts"] == 0
    assert found.get("/api/v1/identity/review?dataset=none", headers=headers).status_code == 404
    assert found.get("/api/v1/identity/review/items/999999", headers=headers).status_code == 404


def test_the_script_gets_only_cases_it_does_not_hold(database_url: str, db: DatabaseManager) -> None:
    published(db, "script", n_pairs=3)
    found, page = begun(database_url, db, "susi", "script")
    held = re.findall(r'data-item="(\d+)" data-version', page.text)
    assert len(held) == 3
    part = found.post(f"/identity/script/review/take?part=cases&held={held[0]}&held={held[1]}", headers=OWN)
    assert re.findall(r'data-item="(\d+)" data-version', part.text) == held[2:]
    assert "<html" not in part.text
    again = found.get(f"/identity/script/review/items/{held[0]}?part=cases")
    assert again.text.count("<article") == 1


def test_a_viewer_sees_no_value_anywhere(
    database_url: str, db: DatabaseManager, caplog: pytest.LogCaptureFixture
) -> None:
    published(db, "masked")
    found, headers = signed_in(database_url, person(db, "vic", "viewer")), bearer(db, "vicbot", "viewer")
    item_id = begun(database_url, db, "rob", "masked")[1].text.split('data-item="')[1].split('"')[0]
    pages = ["/", "/identity", "/identity/masked/review", f"/identity/masked/review/items/{item_id}"]
    with caplog.at_level(logging.DEBUG):
        answers = [found.get(path) for path in pages]
        answers += [found.get(f"/api/v1/identity/review/items/{item_id}", headers=headers)]
        answers += [found.post("/identity/masked/review/take", headers=OWN)]
        answers += [found.post("/api/v1/identity/review/take", json={"dataset": "masked"}, headers=headers)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 403, 200, 403, 403]
    assert not [answer for answer in answers if CANARY in answer.text or CANARY.replace("q", "g") in answer.text]
    assert answers[4].json()["fields"][0]["a"] == "•••"
    assert CANARY not in caplog.text


def test_pages_say_what_is_not_there(database_url: str, db: DatabaseManager) -> None:
    job_id = published(db, "there", n_pairs=0)
    found = reviewer(database_url, db, "nora")
    assert "Nothing waits" in found.get("/identity/there/review").text
    assert found.get("/identity/nowhere/review").status_code == 404
    assert found.get("/identity/jobs/999999").status_code == 404
    assert found.get("/identity/jobs/abc").status_code == 422
    assert "no stage was opened yet" in found.get(f"/identity/jobs/{job_id}?part=live").text
    published(db, "waits/here", n_pairs=2)
    assert "pairs to decide" in found.get("/").text
    assert found.get("/identity/waits%2Fhere/review").status_code == 200
