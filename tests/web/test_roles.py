"""Who may what: every route has a line here, and keeps to it."""

from __future__ import annotations

from core.database import DatabaseManager
from core.pages.accounts.roles import ROLES
from core.web.app import create_app
from tests.web.browsing import bearer, client, settings

ANYBODY = {
    "GET /health",
    "GET /ready",
    "GET /metrics",
    "GET /assets/{name}",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-out",
    "GET /first-admin/{secret}",
    "POST /first-admin/{secret}",
}
LEAST = {
    "GET /": "viewer",
    "GET /account": "viewer",
    "POST /account": "viewer",
    "GET /api/v1/openapi.json": "viewer",
    "GET /api/v1/status": "viewer",
    "GET /admin/performance/report": "viewer",
    "GET /operations/queue": "viewer",
    "GET /operations/workers": "viewer",
    "GET /operations/scaling": "viewer",
    "GET /operations/dead-letters": "viewer",
    "GET /operations/dead-letters/redrive": "admin",
    "POST /operations/dead-letters/redrive": "admin",
    "GET /api/v1/operations/queue": "viewer",
    "GET /api/v1/operations/workers": "viewer",
    "GET /api/v1/operations/scaling": "viewer",
    "GET /api/v1/operations/dead-letters": "viewer",
    "GET /api/v1/operations/dead-letters/groups": "viewer",
    "POST /api/v1/operations/dead-letters/redrive": "admin",
    "GET /audit": "viewer",
    "GET /audit/{event_id}": "viewer",
    "POST /audit/check": "viewer",
    "GET /api/v1/audit/events": "viewer",
    "GET /api/v1/audit/events/{event_id}": "viewer",
    "POST /api/v1/audit/check": "viewer",
    "GET /invoices/payments": "viewer",
    "GET /invoices/payment": "viewer",
    "POST /invoices/payment/unmatch": "reviewer",
    "GET /invoices/aging": "viewer",
    "GET /invoices/match": "viewer",
    "POST /invoices/match/accept": "reviewer",
    "POST /invoices/match/undo": "reviewer",
    "GET /invoices/export.csv": "viewer",
    "GET /api/v1/invoices/payment/suggestions": "viewer",
    "POST /api/v1/invoices/payment/accept": "reviewer",
    "GET /api/v1/invoices/payments": "viewer",
    "GET /api/v1/invoices/payments/counts": "viewer",
    "GET /api/v1/invoices/payment": "viewer",
    "POST /api/v1/invoices/payment/unmatch": "reviewer",
    "GET /api/v1/invoices/aging": "viewer",
    "GET /identity": "viewer",
    "GET /identity/jobs/{job_id}": "viewer",
    "GET /identity/{dataset:path}/lookup": "viewer",
    "POST /identity/{dataset:path}/lookup": "reviewer",
    "GET /identity/{dataset:path}/entities/{entity_id}": "viewer",
    "GET /identity/{dataset:path}/why": "viewer",
    "GET /identity/{dataset:path}/runs": "viewer",
    "GET /identity/{dataset:path}/review": "viewer",
    "POST /identity/{dataset:path}/review/take": "reviewer",
    "GET /identity/{dataset:path}/review/items/{item_id}": "reviewer",
    "POST /identity/{dataset:path}/review/verdicts": "reviewer",
    "POST /identity/{dataset:path}/review/undo": "reviewer",
    "GET /api/v1/identity/datasets": "viewer",
    "POST /api/v1/identity/lookup": "reviewer",
    "GET /api/v1/identity/records": "viewer",
    "GET /api/v1/identity/entities/{entity_id}": "viewer",
    "GET /api/v1/identity/why": "viewer",
    "GET /api/v1/identity/runs": "viewer",
    "GET /api/v1/identity/runs/diff": "viewer",
    "GET /api/v1/identity/review": "viewer",
    "GET /api/v1/identity/review/items/{item_id}": "viewer",
    "POST /api/v1/identity/review/take": "reviewer",
    "POST /api/v1/identity/review/verdicts": "reviewer",
    "POST /api/v1/identity/review/undo": "reviewer",
}


def routes(url: str) -> set[str]:
    """Method and path of everything that the app answers, as it was declared."""
    app = create_app(settings(url))
    return {
        f"{method} {path}"
        for route in _flat(app.router.routes)
        for path, methods in [route]
        for method in methods - {"HEAD", "OPTIONS"}
    }


def _flat(found: object, prefix: str = "") -> list[tuple[str, set[str]]]:
    made: list[tuple[str, set[str]]] = []
    for route in found:  # type: ignore[attr-defined]
        inner = getattr(route, "original_router", None)
        if inner is not None:
            made += _flat(inner.routes, prefix + route.include_context.prefix)
        else:
            made.append((prefix + route.path, set(route.methods or ())))
    return made


def test_every_route_has_its_line(database_url: str) -> None:
    assert routes(database_url) == ANYBODY | LEAST.keys()


def test_every_route_refuses_lesser_roles_and_strangers(database_url: str, db: DatabaseManager) -> None:
    found = client(database_url, requests_per_min=10_000, requests_per_hour=10_000)
    headers = {role: bearer(db, f"role-{role}", role) for role in ROLES}
    filled = {"{dataset:path}": "some", "{event_id}": "1", "{entity_id}": "1", "{item_id}": "1", "{job_id}": "1"}
    for line, least in LEAST.items():
        method, path = line.split(" ")
        for name, value in filled.items():
            path = path.replace(name, value)
        ask = found.get if method == "GET" else found.post
        own = {} if method == "GET" else {"Sec-Fetch-Site": "same-origin"}
        assert ask(path, headers=own).status_code == (303 if method == "GET" and "/api/" not in path else 401), line
        for role in ROLES[: ROLES.index(least)]:
            assert ask(path, headers=headers[role]).status_code == 403, (line, role)
        assert ask(path, headers=headers[least]).status_code not in {401, 403, 500}, line
