"""Specs and catalogs from where they lie."""

from __future__ import annotations

from pathlib import Path


def text_of(path: Path) -> bytes:
    """A file's bytes. Raises InputError: it cannot be read."""
    from core.errors import InputError

    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or type(error).__name__})", path=str(path)) from None
