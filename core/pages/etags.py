"""Answers that cost nothing where nothing changed: the tag is known before the query."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from fastapi import Request
from starlette.responses import Response

from core.pages.accounts.roles import Person


def tagged(request: Request, person: Person, version: str, answer: Callable[[], Response]) -> Response:
    """304 where the reader has this version, else the answer with its tag.

    Args:
        version: of everything the answer shows: a publication, a decision's id, the time of a reading.
    The tag is of the reader and the role too, for what one may see the next may not.
    """
    said = f"{version}\0{person.user_id}\0{person.role}\0{request.url.path}?{request.url.query}"
    tag = f'W/"{hashlib.sha256(said.encode()).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization, HX-Request"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    made = answer()
    made.headers.update(headers)
    return made
