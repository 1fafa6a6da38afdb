"""What Prefect's API says, in few words: an error of its database comes with the statement and the values in it."""

from __future__ import annotations

from typing import Any

import httpx
from prefect.settings import PREFECT_API_URL

from core.errors import ConfigError

LENGTH_MAX = 200


def require_api() -> None:
    """Raise ConfigError unless it is known where the API is. Left alone, Prefect starts a server of its own."""
    url = PREFECT_API_URL.value()
    if not url:
        raise ConfigError("PREFECT_API_URL is not set and no local stack runs; start one with `headrace up`")
    if not url.startswith(("http://", "https://")):
        raise ConfigError("PREFECT_API_URL does not begin with http:// or https://; write it as http://host:4200/api")


def refusal(answer: httpx.Response) -> str:
    """`409 Work pool is in use`: the status, and the first line of what is said."""
    try:
        detail = answer.json().get("detail", "")
    except (ValueError, AttributeError):
        detail = ""
    return f"{answer.status_code} {brief(detail)}".strip()


def brief(detail: Any) -> str:
    """The first line, cut; of several faults the first: where and what, never the value."""
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        where = ".".join(str(step) for step in detail[0].get("loc", ()))
        detail = f"{where}: {detail[0].get('msg', '')}"
    lines = str(detail).partition("[SQL:")[0].strip().splitlines()
    return lines[0][:LENGTH_MAX] if lines else ""
