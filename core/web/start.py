"""The start page: what waits for whom; and where Prefect's pages are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from core.errors import HeadraceError
from core.pages.access.needs import Viewer
from core.pages.etags import tagged
from core.pages.kit import Section, Waiting, kit_of
from core.pages.rendering import show
from core.settings import Settings
from core.stack.state import running_stack
from core.web.operations.pages import readings_of

router = APIRouter(include_in_schema=False)

SECTION = Section("start", "Start", templates=Path(__file__).parent / "templates")


@router.get("/")
def start(request: Request, person: Viewer) -> Response:
    """What waits for this person, over all parts; a part that cannot say so does not hide the others."""
    readings = readings_of(request)
    if "part" in request.query_params:
        return tagged(request, person, readings.version(), lambda: _page(request, (), ()))
    found: list[Waiting] = []
    problems: list[str] = []
    for section in kit_of(request).sections:
        try:
            found += section.waiting(kit_of(request).db, person) if section.waiting is not None else ()
        except HeadraceError as error:
            problems.append(f"{section.title}: {error.message}")
    return _page(request, found, problems)


def _page(request: Request, found: Sequence[Waiting], problems: Sequence[str]) -> Response:
    frame = readings_of(request).frame()
    return show(request, "start/start.html.j2", "Start", waiting=found, problems=problems, frame=frame)


def prefect_ui(settings: Settings, environ: Mapping[str, str]) -> str | None:
    """Where Prefect's pages are: of the stack of this state folder, or of the API that is configured."""
    stack = running_stack(settings.state_dir)
    if stack is not None:
        return stack.ui_url
    url = environ.get("PREFECT_UI_URL") or environ.get("PREFECT_API_URL", "").removesuffix("/").removesuffix("/api")
    # A URL with a password is nobody's link.
    return url if url.startswith(("http://", "https://")) and "@" not in url else None
