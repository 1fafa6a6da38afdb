"""What went wrong, in one sentence: problem+json (RFC 9457) for programs, a page for people. Never row data."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Scope

from core.errors import ConfigError, Conflict, DuplicateJob, HeadraceError, InputError, UnknownFlow
from core.metrics.logs import describe
from core.pages.access.gate import Refusal
from core.pages.access.needs import NotAllowed, SignInNeeded
from core.pages.accounts.rates import TooManyRequests
from core.pages.accounts.sign_ins import TooManyAttempts
from core.pages.rendering import show

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = 2
# The first that fits; an error not named here is ours: 500.
STATUSES: tuple[tuple[type[HeadraceError], int], ...] = (
    (SignInNeeded, 401),
    (NotAllowed, 403),
    (TooManyAttempts, 429),
    (TooManyRequests, 429),
    (UnknownFlow, 404),
    (DuplicateJob, 409),
    (Conflict, 409),
    (InputError, 400),
    (ConfigError, 400),
)


class NotFound(InputError):
    """There is nothing of that id: the answer is 404."""


class KeyTaken(InputError):
    """The key of a request named another one before: the answer is 422."""


def add_problems(app: FastAPI) -> None:
    """Turn every error into an answer."""
    app.add_exception_handler(HeadraceError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_anything)


def refused(scope: Scope, refusal: Refusal) -> Response:
    """The answer to a request that came no further than the gate."""
    return _json(refusal.status, refusal.words, {})


def problem(request: Request, status: int, words: str, facts: Mapping[str, Any] | None = None) -> Response:
    """One problem, for whoever asked."""
    facts = facts or {}
    headers = {}
    if status in {429, 503}:
        headers["Retry-After"] = str(math.ceil(facts.get("wait_s", RETRY_AFTER_S)))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if request.url.path.startswith("/api/"):
        answer: Response = _json(status, words, facts)
    else:
        answer = show(request, "problem.html.j2", HTTPStatus(status).phrase, status=status, words=words)
    answer.headers.update(headers)
    return answer


def status_of(error: HeadraceError) -> int:
    """The status that says best whose turn it is."""
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, KeyTaken):
        return 422
    known = next((status for kind, status in STATUSES if isinstance(error, kind)), None)
    return known or (503 if error.retryable else 500)


async def _of_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, HeadraceError)
    is_page = request.method == "GET" and not request.url.path.startswith("/api/")
    if isinstance(error, SignInNeeded) and is_page and "hx-request" not in request.headers and not _is_part(request):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/sign-in?next={quote(request.url.path + query, safe='')}", 303)
    status = status_of(error)
    if status >= 500:
        log.warning("%s %s: %s", request.method, _route(request), describe(error))
    return problem(request, status, error.message, error.facts)


async def _of_validation(request: Request, error: Exception) -> Response:
    """Which field, and what is wrong with it; never its value."""
    assert isinstance(error, RequestValidationError)
    faults = [
        {"field": ".".join(str(part) for part in fault["loc"][1:]), "reason": fault["msg"]} for fault in error.errors()
    ]
    words = "; ".join(f"{fault['field']}: {fault['reason']}" for fault in faults)
    return problem(request, 422, words or "the request cannot be read", {"faults": faults})


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {
        404: "there is no such page; the links above lead to those there are",
        405: "this address does not take that method",
    }.get(error.status_code, str(error.detail))
    answer = problem(request, error.status_code, words)
    answer.headers.update(error.headers or {})
    return answer


async def _of_anything(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, _route(request), exc_info=error)
    return problem(request, 500, "this failed on our side and stands in the log; nothing was changed by it")


def _route(request: Request) -> str:
    """The path as it was declared: what stands in the place of ids and names may be a person's."""
    route = request.scope.get("route")
    return str(getattr(route, "path", "(no route)"))


def _is_part(request: Request) -> bool:
    return "part" in request.query_params


def _json(status: int, words: str, facts: Mapping[str, Any]) -> JSONResponse:
    plain = {name: value for name, value in facts.items() if isinstance(value, str | int | float | bool | list | None)}
    taken = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": words}
    return JSONResponse({**plain, **taken}, status, media_type=PROBLEM_JSON)
