"""Style and scripts, under names that carry a digest: kept for ever by browsers, and new when they change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from core.errors import ConfigError

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"
# Of the wheel only this file is used; the package is never imported, for it would want Django.
HTMX = Path("static", "django_htmx", "htmx-2.min.js")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: `name` as it is served, such as style.1f3a9c.css."""

    name: str
    content: bytes
    media_type: str


@cache
def assets() -> Mapping[str, Asset]:
    """Plain name -> asset: our own files and htmx. Raises ConfigError: htmx is not installed."""
    files = {path.name: path for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}
    return {name: _asset(path, name) for name, path in (files | {"htmx.js": _htmx()}).items()}


@cache
def served() -> Mapping[str, Asset]:
    """Name as it is served -> asset."""
    return {asset.name: asset for asset in assets().values()}


def address(name: str) -> str:
    """Where an asset is, for templates. Raises KeyError: there is none of that name."""
    return f"/assets/{assets()[name].name}"


def _asset(path: Path, name: str) -> Asset:
    content = path.read_bytes()
    stem, dot, ending = name.rpartition(".")
    return Asset(f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{ending}", content, TYPES[path.suffix])


def _htmx() -> Path:
    spec = find_spec("django_htmx")
    path = Path(spec.origin).parent / HTMX if spec is not None and spec.origin is not None else None
    if path is None or not path.is_file():
        raise ConfigError(
            "the pages need htmx, which the package django-htmx brings: install the locked packages again"
        )
    return path
