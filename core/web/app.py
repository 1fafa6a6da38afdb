"""The FastAPI app."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse, JSONResponse

from core.database import DatabaseManager, connect, migrations
from core.errors import ConfigError, HeadraceError
from core.metrics.export import CONTENT_TYPE, Samples, render
from core.monitoring.exposition import queue_samples
from core.settings import Settings
from core.web.front_page import front_page, prefect_ui
from core.workloads import Workload, catalog_of, samples_of, workloads


def create_app(settings: Settings, found: Sequence[Workload] | None = None) -> FastAPI:
    """The app on the database of the settings. It starts without one and says so under /ready.

    Requests that read the database run in threads: they wait for it, and others must not wait with them.

    Args:
        found: the workloads whose pages and metrics it has; the registry unless said.
    Raises ConfigError: two of them cannot be told apart, or one lacks what its pages or metrics need.
    """
    found = workloads() if found is None else found
    catalog = catalog_of(found)
    # A probe must not hang in attempts to connect: it asks again by itself.
    once = settings.model_copy(update={"database": settings.database.replaced(connect_retry_s=0, pool_size=2)})
    db = DatabaseManager.from_settings(once)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        db.dispose()

    app = FastAPI(title="Headrace", version=version("headrace"), lifespan=lifespan)
    app.state.db = db

    @app.get("/", summary="What is there, for people.", response_class=HTMLResponse)
    def front() -> HTMLResponse:
        return HTMLResponse(front_page(app, _problem(db), prefect_ui(settings, os.environ)))

    @app.get("/health", summary="The process answers; nothing else is looked at.")
    def health() -> dict[str, str]:
        return {"status": "ok", "version": version("headrace")}

    @app.get("/ready", summary="The database answers and has the schema of this version; else 503 and why.")
    def ready() -> JSONResponse:
        problem = _problem(db)
        body: dict[str, Any] = {"ready": problem is None}
        return JSONResponse(body | ({"problem": problem} if problem else {}), 200 if problem is None else 503)

    @app.get("/metrics", summary="Depth, age, dead letters and workers, for Prometheus.")
    def metrics() -> Response:
        try:
            samples: Samples = {**queue_samples(db), **samples_of(found, db)}
            return Response(render(samples, catalog), media_type=CONTENT_TYPE)
        except HeadraceError as error:
            return JSONResponse({"problem": error.message}, 503)

    _add_pages(app, found)
    return app


def _add_pages(app: FastAPI, found: Sequence[Workload]) -> None:
    taken: set[str] = set()
    for workload in found:
        if workload.name in taken:
            raise ConfigError(f"two workloads are called {workload.name}: their pages would have one address")
        taken.add(workload.name)
        if workload.pages is not None:
            module = import_module(workload.pages)
            app.include_router(module.router, prefix=f"/{workload.name}")
            app.include_router(module.api, prefix=f"/api/v1/{workload.name}")


def _problem(db: DatabaseManager) -> str | None:
    try:
        migrations.require_current(connect.Source(db.url), db.settings)
    except HeadraceError as error:
        return error.message
    return None
