"""API tokens: shown once, listed by their prefix, revoked at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import ConfigError
from core.pages.accounts.roles import Role
from core.pages.accounts.secrets import PREFIX_LENGTH, digest, new_token

Q = load("accounts")


@dataclass(frozen=True, slots=True)
class Token:
    """One line of the list; the token itself is nowhere."""

    token_id: int
    prefix: str
    user: str
    label: str
    role: Role
    created_at: datetime
    ends_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """What is shown once."""

    token_id: int
    token: str
    ends_at: datetime


def create(db: DatabaseManager, user: str, label: str, role: Role, days: float) -> NewToken:
    """A token of a user that may at most what `role` may. Raises ConfigError (no such user), StoreError."""
    token = new_token()
    with db.transaction() as conn:
        found = run(conn, Q["user_by_name"], {"name": user})
        if not found:
            raise ConfigError(f"there is no user {user}; `headrace users list` shows all of them", name=user)
        values = {"digest": digest(token), "prefix": token[:PREFIX_LENGTH], "user_id": found[0][0], "label": label}
        ((token_id, ends_at),) = run(conn, Q["token_add"], {**values, "role": role, "life_s": days * 86_400})
    return NewToken(int(token_id), token, ends_at)


def every(db: DatabaseManager) -> list[Token]:
    """All tokens, also revoked ones. Raises StoreError."""
    with db.transaction() as conn:
        return [Token(*row) for row in run(conn, Q["token_list"])]


def revoke(db: DatabaseManager, token_id: int) -> None:
    """From now on it is nobody's. Raises ConfigError: there is none of that id that still holds."""
    with db.transaction() as conn:
        if not run(conn, Q["token_revoke"], {"token_id": token_id}):
            raise ConfigError(
                f"no token {token_id} that still holds; `headrace api token list` shows all of them", token_id=token_id
            )
