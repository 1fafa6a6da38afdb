"""The FastAPI app: probes, the kit of pages, and whatever the registry of workloads plugs in."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.responses import JSONResponse
from starlette.middleware.gzip import GZipMiddleware

from core.database import DatabaseManager, connect, migrations
from core.errors import ConfigError, HeadraceError
from core.metrics.export import CONTENT_TYPE, render
from core.monitoring.exposition import queue_samples
from core.pages import sign_in
from core.pages.access.gate import Gate, Policy
from core.pages.access.needs import VIEWER, Viewer
from core.pages.accounts.passwords import Passwords
from core.pages.accounts.rates import Rates
from core.pages.accounts.sign_ins import SignIns
from core.pages.kit import Exposure, Kit, Section, page_database
from core.pages.problems import add_problems, refused
from core.pages.rendering import environment
from core.settings import Settings
from core.web import start, status
from core.web.audit import api as audit_api
from core.web.audit import pages as audit
from core.web.operations import api as operations_api
from core.web.operations import pages as operations
from core.web.operations.readings import Readings
from core.workloads import Workload, catalog_of, leaves_of, samples_of, workloads

GZIP_FROM_BYTES = 1_000


def create_app(settings: Settings, found: Sequence[Workload] | None = None, exposure: Exposure = "loopback") -> FastAPI:
    """The app on the database of the settings. It starts without one and says so under /ready.

    Requests that read the database run in threads: they wait for it, and others must not wait with them.

    Args:
        found: the workloads whose pages and metrics it has; the registry unless said.
        exposure: how its pages are reached; `bare` has no pages, only probes.
    Raises ConfigError: two of them cannot be told apart, or one lacks what its pages or metrics need.
    """
    found = workloads() if found is None else found
    catalog = catalog_of(found)
    plugs = _plugs(found)
    # A probe must not hang in attempts to connect: it asks again by itself.
    once = settings.model_copy(update={"database": settings.database.replaced(connect_retry_s=0, pool_size=2)})
    db, page_db = DatabaseManager.from_settings(once), page_database(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        db.dispose()
        page_db.dispose()

    # Its documentation pages would load scripts from elsewhere.
    app = FastAPI(
        title="Headrace",
        version=version("headrace"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.db, app.state.readings = page_db, Readings(page_db)
    app.state.leaf_sources = leaves_of(found)
    own = (operations.SECTION, audit.SECTION)
    app.state.kit = Kit(
        settings=settings,
        db=page_db,
        sign_ins=SignIns(page_db, Passwords(settings.web.password_memory_mb), settings.web),
        rates=Rates(settings.web, settings.redis),
        environment=environment([start.SECTION, *(section for _, section in plugs), *own]),
        sections=[*(section for _, section in plugs), *own],
        exposure=exposure,
        prefect_url=start.prefect_ui(settings, os.environ),
        facts={"version": version("headrace")},
    )
    _add_probes(app, db, lambda: render({**queue_samples(db), **samples_of(found, db)}, catalog))
    _add_pages(app, plugs)
    add_problems(app)
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_FROM_BYTES)
    app.add_middleware(Gate, policy=Policy.of(settings.web, exposure), refuse=refused)
    return app


def _add_probes(app: FastAPI, db: DatabaseManager, samples: Callable[[], str | bytes]) -> None:
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
            return Response(samples(), media_type=CONTENT_TYPE)
        except HeadraceError as error:
            return JSONResponse({"problem": error.message}, 503)


def _plugs(found: Sequence[Workload]) -> list[tuple[Any, Section]]:
    """Modules of pages, each with its section: a workload that names none has a place without links."""
    taken: set[str] = set()
    plugs: list[tuple[Any, Section]] = []
    for workload in found:
        if workload.name in taken | {operations.SECTION.name, audit.SECTION.name, "api", "assets", "account", "admin"}:
            raise ConfigError(f"two workloads are called {workload.name}: their pages would have one address")
        taken.add(workload.name)
        if workload.pages is not None:
            module = import_module(workload.pages)
            plugs.append((module, getattr(module, "SECTION", Section(workload.name, workload.name.capitalize()))))
    return plugs


def _add_pages(app: FastAPI, plugs: Sequence[tuple[Any, Section]]) -> None:
    """Nothing of them answers without sign-in, whatever a route says; routes say what more they need."""
    signed_in = [Depends(VIEWER)]
    app.include_router(sign_in.router)
    app.include_router(start.router)
    app.include_router(status.router, dependencies=signed_in)
    app.include_router(_described(app))
    parts: list[tuple[str, APIRouter, APIRouter]] = [
        ("operations", operations.router, operations_api.api),
        ("audit", audit.router, audit_api.api),
    ]
    parts += [(section.name, module.router, module.api) for module, section in plugs]
    for name, pages, api in parts:
        app.include_router(pages, prefix=f"/{name}", dependencies=signed_in)
        app.include_router(api, prefix=f"/api/v1/{name}", dependencies=signed_in)


def _described(app: FastAPI) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/api/v1/openapi.json")
    def openapi(person: Viewer) -> dict[str, Any]:
        """Every address of the API with what it takes and gives."""
        return app.openapi()

    return router


def _problem(db: DatabaseManager) -> str | None:
    try:
        migrations.require_current(connect.Source(db.url), db.settings)
    except HeadraceError as error:
        return error.message
    return None
