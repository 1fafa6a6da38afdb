"""`headrace web`: health, readiness and metrics over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("web")(web)


def web(
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 in a container.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Port to listen on.")] = 8080,
) -> None:
    """Serve /health, /ready and /metrics of the configured database. `headrace up` starts it too.

    Example: headrace web --host 0.0.0.0 --port 8080
    """
    import os

    from core.processes import python

    arguments = python("core.web", "--host", host, "--port", str(port))
    # The command line and the web app are neighbours that do not know each other's code.
    os.execv(arguments[0], arguments)  # noqa: S606 - our own interpreter and module, no shell
