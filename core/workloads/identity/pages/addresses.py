"""Where the pages of a data set are."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def review(dataset: str) -> str:
    """Its pairs to decide."""
    return _below(dataset, "review")


def lookup(dataset: str) -> str:
    """Looking a record up in it."""
    return _below(dataset, "lookup")


def entity(dataset: str, entity_id: str) -> str:
    """One of its entities."""
    return _below(dataset, f"entities/{entity_id}")


def why(dataset: str, a: str | None = None, b: str | None = None) -> str:
    """Why two of its records are one or not; without ids the form that asks for them."""
    said = urlencode({"a": a, "b": b}) if a and b else ""
    return _below(dataset, "why") + (f"?{said}" if said else "")


def runs(dataset: str) -> str:
    """Two of its published jobs, compared."""
    return _below(dataset, "runs")


def _below(dataset: str, page: str) -> str:
    return f"/identity/{quote(dataset, safe='')}/{page}"
