"""`headrace web`: the workbench over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("web")(web)


def web(
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 in a container.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Port to listen on.")] = 8080,
    tls_certificate: Annotated[str | None, typer.Option("--tls-certificate", help="PEM file; with --tls-key.")] = None,
    tls_key: Annotated[str | None, typer.Option("--tls-key", help="PEM file of the certificate's key.")] = None,
    behind_tls: Annotated[bool, typer.Option("--behind-tls", help="A proxy before this ends TLS.")] = False,
) -> None:
    """Serve pages, API, /health, /ready and /metrics of the configured database. `headrace up` starts it too.

    On this machine a first start prints a link that makes the first admin. On other addresses pages want TLS, or
    --behind-tls, and a user made by `headrace users add`; /health, /ready and /metrics answer anybody.

    Example: headrace web --host 0.0.0.0 --port 8080 --behind-tls
    """
    import os

    from core.processes import python

    arguments = python("core.web", "--host", host, "--port", str(port))
    for option, value in (("--tls-certificate", tls_certificate), ("--tls-key", tls_key)):
        arguments += [option, value] if value else []
    arguments += ["--behind-tls"] if behind_tls else []
    # The command line and the web app are neighbours that do not know each other's code.
    os.execv(arguments[0], arguments)  # noqa: S606 - our own interpreter and module, no shell
