"""Signing in: who gets in, who does not, and how often one may try."""

from __future__ import annotations

import re

import pytest

from core.database import DatabaseManager
from core.pages.access.gate import CSP
from core.pages.accounts import users
from core.web.app import create_app
from tests.web.browsing import OWN, PASSWORD, Client, bearer, client, person, settings, signed_in


def test_first_admin_is_made_once_by_a_link(database_url: str, db: DatabaseManager) -> None:
    secret = users.invite(db)
    assert secret is not None
    first, second = client(database_url), client(database_url)
    refused = first.post(f"/first-admin/{secret}", data={"name": "ada", "password": "short"}, headers=OWN)
    assert (refused.status_code, "12 to 1,000 characters" in refused.text) == (422, True)
    made = first.post(f"/first-admin/{secret}", data={"name": "ada", "password": PASSWORD}, headers=OWN)
    assert (made.status_code, made.headers["location"]) == (303, "/")
    assert "What waits for you, ada" in first.get("/").text
    again = second.post(f"/first-admin/{secret}", data={"name": "eve", "password": PASSWORD}, headers=OWN)
    assert again.status_code == 410
    assert users.invite(db) is None
    assert [(one.name, one.role) for one in users.every(db)] == [("ada", "admin")]


def test_pages_lead_to_the_form_and_back(database_url: str, db: DatabaseManager) -> None:
    found = client(database_url)
    asked = found.get("/operations/dead-letters?flow=mill")
    assert (asked.status_code, asked.headers["location"]) == (
        303,
        "/sign-in?next=%2Foperations%2Fdead-letters%3Fflow%3Dmill",
    )
    person(db, "back", "viewer")
    fields = {"name": "back", "password": PASSWORD, "next": "/operations/dead-letters?flow=mill"}
    assert found.post("/sign-in", data=fields, headers=OWN).headers["location"] == fields["next"]
    cookie = found.post("/sign-in", data=fields, headers=OWN).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert found.post("/sign-out", headers=OWN).status_code == 303
    assert found.get("/").status_code == 303


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", ""]
)
def test_sign_in_never_leads_to_another_site(database_url: str, db: DatabaseManager, elsewhere: str) -> None:
    if "far" not in {one.name for one in users.every(db)}:
        person(db, "far", "viewer")
    fields = {"name": "far", "password": PASSWORD, "next": elsewhere}
    assert client(database_url).post("/sign-in", data=fields, headers=OWN).headers["location"] == "/"


def test_wrong_passwords_wait_longer_and_longer_from_one_address(database_url: str, db: DatabaseManager) -> None:
    person(db, "slow", "viewer")
    found = client(database_url)
    wrong = {"name": "slow", "password": "not this one"}
    answers = [found.post("/sign-in", data=wrong, headers=OWN).status_code for _ in range(8)]
    assert answers[:5] == [401] * 5
    assert answers[-1] == 429
    elsewhere = Client(create_app(settings(database_url)), "http://localhost", address="192.0.2.9")
    right = {"name": "slow", "password": PASSWORD}
    assert elsewhere.post("/sign-in", data=right, headers=OWN).status_code == 303


@pytest.mark.parametrize("name", ["nobody", "a\0b", "", "x" * 900])
def test_unknown_names_are_answered_as_wrong_passwords(database_url: str, name: str) -> None:
    found = Client(create_app(settings(database_url)), "http://localhost", address="192.0.2.7")
    answer = found.post("/sign-in", data={"name": name, "password": PASSWORD}, headers=OWN)
    assert (answer.status_code, "name or password is wrong" in answer.text.lower()) == (401, True)


def test_sign_ins_end_at_a_new_role_and_at_disabling(database_url: str, db: DatabaseManager) -> None:
    person(db, "ines", "viewer")
    found = signed_in(database_url, "ines")
    assert found.get("/").status_code == 200
    users.set_role(db, "ines", "reviewer")
    assert found.get("/").status_code == 303
    again = signed_in(database_url, "INES")
    users.set_disabled(db, "ines", True)
    assert again.get("/").status_code == 303


def test_requests_of_other_sites_and_hosts_are_refused(database_url: str, db: DatabaseManager) -> None:
    found = client(database_url)
    fields = {"name": "x", "password": "y"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        assert found.post("/sign-in", data=fields, headers=headers).status_code == 403
    assert found.get("/sign-in", headers={"Host": "evil.example"}).status_code == 421
    assert found.get("/health", headers={"Host": "10.1.2.3:8080"}).status_code == 200
    named = client(database_url, hosts="headrace.example")
    assert named.get("/sign-in", headers={"Host": "headrace.example:443"}).status_code == 200


def test_forwarded_addresses_are_believed_of_proxies_only(database_url: str) -> None:
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "192.0.2.1"}
    direct = Client(create_app(settings(database_url)), "http://localhost", address="10.0.0.1")
    assert direct.get("/sign-in", headers=forged).status_code == 200
    behind = create_app(settings(database_url, proxies="10.0.0.0/8"))
    assert Client(behind, "http://localhost", address="10.0.0.1").get("/sign-in", headers=forged).status_code == 421


def test_without_tls_off_loopback_there_are_probes_and_no_pages(database_url: str) -> None:
    found = Client(create_app(settings(database_url), exposure="bare"), "http://10.0.0.5:8080")
    assert found.get("/ready").json() == {"ready": True}
    answer = found.get("/sign-in")
    assert (answer.status_code, "--behind-tls" in answer.json()["detail"]) == (403, True)


def test_tls_binds_the_cookie_to_the_host(database_url: str, db: DatabaseManager) -> None:
    person(db, "tess", "viewer")
    found = Client(create_app(settings(database_url), exposure="tls"), "https://localhost")
    answer = found.post("/sign-in", data={"name": "tess", "password": PASSWORD}, headers=OWN)
    assert answer.headers["set-cookie"].startswith("__Host-headrace=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" in answer.headers
    assert found.get("/").status_code == 200


def test_roles_hold_on_pages_and_api(database_url: str, db: DatabaseManager) -> None:
    found = client(database_url)
    viewer, admin = bearer(db, "vera", "viewer"), bearer(db, "anna", "admin")
    body = {"flow": "mill", "error_class": "TimeoutError"}
    assert found.post("/api/v1/operations/dead-letters/redrive", json=body).status_code == 403
    refused = found.post("/api/v1/operations/dead-letters/redrive", json=body, headers=viewer)
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    assert refused.json()["needs"] == "admin"
    assert found.post("/api/v1/operations/dead-letters/redrive", json=body, headers=admin).status_code == 404
    assert found.get("/api/v1/operations/queue", headers={"Authorization": "Bearer hr_none"}).status_code == 401


def test_tokens_may_ask_so_much_and_are_told_when_again(database_url: str, db: DatabaseManager) -> None:
    found = client(database_url, requests_per_min=2)
    eager, calm = bearer(db, "eager", "viewer"), bearer(db, "calm", "viewer")
    answers = [found.get("/api/v1/operations/scaling", headers=eager) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].json()["limit"] == "2 per 1 minute"
    assert found.get("/api/v1/operations/scaling", headers=calm).status_code == 200


def test_every_route_but_those_of_signing_in_wants_a_sign_in(database_url: str) -> None:
    found = client(database_url)
    for path in ("/", "/account", "/api/v1/openapi.json", *operations_paths(database_url)):
        assert found.get(path).status_code in {303, 401}, path


def operations_paths(url: str) -> list[str]:
    pages = [f"/operations/{name}" for name in ("queue", "workers", "dead-letters", "scaling")]
    described = create_app(settings(url)).openapi()["paths"]
    return [*pages, *(path for path, methods in described.items() if path.startswith("/api/") and "get" in methods)]


def test_pages_keep_to_the_policy_of_scripts(database_url: str, db: DatabaseManager) -> None:
    person(db, "pia", "admin")
    found = signed_in(database_url, "pia")
    for path in ("/", "/account", *(one for one in operations_paths(database_url) if not one.startswith("/api/"))):
        answer = found.get(path)
        assert (answer.status_code, answer.headers["content-security-policy"]) == (200, CSP), path
        assert not re.search(r"\sstyle=|<style|<script(?! src=)|\son\w+=|hx-on|javascript:", answer.text), path
        for asset in re.findall(r'(?:src|href)="(/assets/[^"]+)"', answer.text):
            kept = found.get(asset)
            assert (kept.status_code, "immutable" in kept.headers["cache-control"]) == (200, True), asset
