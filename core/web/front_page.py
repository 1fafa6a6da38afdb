"""The page at `/`: what this address answers, and where the other parts are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import APIRoute

from core.settings import Settings
from core.stack.state import running_stack

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Headrace</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}}
dt{{font-weight:600;margin-top:.6rem}}dd{{margin:0}}.problem{{color:#a00}}</style></head>
<body><h1>Headrace {version}</h1>
<p>Matches records at scale: which rows of a messy file are the same person, and why.</p>
{state}
<h2>Here</h2>
<dl>{here}</dl>
<h2>Elsewhere</h2>
<dl>{elsewhere}</dl>
</body></html>
"""


def front_page(app: FastAPI, problem: str | None, prefect_url: str | None) -> str:
    """The page, without scripts.

    Args:
        problem: why the database cannot serve; None: it can.
        prefect_url: of Prefect's pages, if they are known.
    """
    state = "<p>The database answers.</p>" if problem is None else f'<p class="problem">{escape(problem)}</p>'
    routes = [
        (route.path, route.summary or route.name)
        for route in app.routes
        if isinstance(route, APIRoute)
        and "GET" in (route.methods or ())
        and "{" not in route.path
        and route.path != "/"
    ]
    here: list[tuple[str, str | None, str]] = [
        (path, path, words) for path, words in [*routes, ("/docs", "Every address with what it takes and gives.")]
    ]
    elsewhere: list[tuple[str, str | None, str]] = [
        ("On the command line", None, "headrace --help names every command; headrace queue top shows the queue.")
    ]
    if prefect_url is not None:
        elsewhere.insert(0, ("Prefect", prefect_url, "Runs, their progress and results, deployments, automations."))
    return _PAGE.format(
        version=escape(version("headrace")), state=state, here=_entries(here), elsewhere=_entries(elsewhere)
    )


def prefect_ui(settings: Settings, environ: Mapping[str, str]) -> str | None:
    """Where Prefect's pages are: of the stack of this state folder, or of the API that is configured."""
    stack = running_stack(settings.state_dir)
    if stack is not None:
        return stack.ui_url
    url = environ.get("PREFECT_UI_URL") or environ.get("PREFECT_API_URL", "").removesuffix("/").removesuffix("/api")
    # A URL with a password is nobody's link.
    return url if url.startswith(("http://", "https://")) and "@" not in url else None


def _entries(found: Iterable[tuple[str, str | None, str]]) -> str:
    return "".join(
        f"<dt>{escape(name) if url is None else f'<a href={chr(34)}{escape(url)}{chr(34)}>{escape(name)}</a>'}</dt>"
        f"<dd>{escape(words)}</dd>"
        for name, url, words in found
    )
