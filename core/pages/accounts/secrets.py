"""Secrets that are handed out once: random, kept as SHA-256."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_MARK = "hr_"  # noqa: S105 - what tokens begin with, so that scanners find lost ones
PREFIX_LENGTH = 10


def new_secret() -> str:
    """256 random bits, as a cookie or a link carries them."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """An API token: known by its first characters, of which people are shown `PREFIX_LENGTH`."""
    return TOKEN_MARK + new_secret()


def digest(secret: str) -> bytes:
    """What is kept of it, (32,) bytes. The secret is random, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
