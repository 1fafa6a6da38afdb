"""A page for people and a route for programs."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from tests.contract.tiny.workloads.tiny.kernels import vowels_of
from tests.contract.tiny.workloads.tiny.samples import n_done

router = APIRouter()
api = APIRouter()


@router.get("/texts")
def texts(request: Request) -> HTMLResponse:
    return HTMLResponse(f"<p>Vowels of {n_done(request.app.state.db)} texts were counted.</p>")


@api.get("/vowels")
def vowels(text: str) -> dict[str, int]:
    return {"vowels": vowels_of([text])[0]}
