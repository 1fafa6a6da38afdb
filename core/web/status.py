"""`/api/v1/status`, and the same as `/admin/performance/report`: figures, targets and suggestions for programs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from core.monitoring.status.document import document
from core.monitoring.status.reading import read_status
from core.pages.access.needs import Viewer
from core.pages.kit import kit_of

router = APIRouter(tags=["status"])

Hours = Annotated[float, Query(gt=0, le=8_760, description="What success and rows an hour look back on.")]


@router.get("/api/v1/status", summary="Rates, times, targets with their verdicts, at most three things to do.")
@router.get("/admin/performance/report", include_in_schema=False)
def status(request: Request, person: Viewer, hours: Hours = 1.0) -> dict[str, Any]:
    """One transaction, some 20 ms; ends with `no data` where a figure is not known."""
    kit = kit_of(request)
    return document(read_status(kit.db, hours), kit.settings.environment)
