"""The version that a deployment bears: that of the code, and that of the database schema it needs."""

from __future__ import annotations


def stamped(code: str, revision: str) -> str:
    """`0.1.0+schema.0007`."""
    return f"{code}+schema.{revision}"


def revision_of(version: str | None) -> str | None:
    """The schema in a deployment's version; None if it bears none."""
    _, mark, revision = (version or "").partition("+schema.")
    return revision if mark else None
