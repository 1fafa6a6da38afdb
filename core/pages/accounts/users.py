"""Users: their roles and passwords. What ends their sign-ins is done in the same transaction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import ConfigError, InputError
from core.pages.accounts.passwords import Passwords
from core.pages.accounts.roles import Role
from core.pages.accounts.secrets import digest, new_secret

Q = load("accounts")

NAME = re.compile(r"[^\W_][\w.@+-]{0,99}")
INVITATION_S = 900


@dataclass(frozen=True, slots=True)
class User:
    """One line of the list. `seen_at`: last request of a sign-in that is still open."""

    user_id: int
    name: str
    role: Role
    disabled: bool
    created_at: datetime
    seen_at: datetime | None


def add(db: DatabaseManager, name: str, role: Role, password_hash: str) -> int:
    """A new user; its id. Raises InputError (the name), ConfigError (it is taken), StoreError."""
    require_name(name)
    with db.transaction() as conn:
        added = run(conn, Q["user_add"], {"name": name, "role": role, "password_hash": password_hash})
    if not added:
        raise ConfigError(f"there is a user {name} already; `headrace users list` shows all of them", name=name)
    return int(added[0][0])


def every(db: DatabaseManager) -> list[User]:
    """All users by name. Raises StoreError."""
    with db.transaction() as conn:
        return [User(*row) for row in run(conn, Q["user_list"])]


def there_are(db: DatabaseManager) -> bool:
    """Whether there is any user. Raises StoreError."""
    with db.transaction() as conn:
        return bool(run(conn, Q["user_any"])[0][0])


def set_role(db: DatabaseManager, name: str, role: Role) -> None:
    """Another role; all sign-ins of the user end. Raises ConfigError: no such user."""
    _change(db, name, "user_role", {"role": role})


def set_password(db: DatabaseManager, name: str, password_hash: str) -> None:
    """Another password; all sign-ins of the user end. Raises ConfigError: no such user."""
    _change(db, name, "user_password", {"password_hash": password_hash})


def set_disabled(db: DatabaseManager, name: str, disabled: bool) -> None:
    """Shut a user out, with all sign-ins and tokens, or let them in again. Raises ConfigError: no such user."""
    _change(db, name, "user_disabled", {"disabled": disabled})


def invite(db: DatabaseManager) -> str | None:
    """A secret that makes the first admin within 15 minutes, once; None: there are users already. Raises StoreError."""
    if there_are(db):
        return None
    secret = new_secret()
    with db.transaction() as conn:
        run(conn, Q["invitation_add"], {"digest": digest(secret), "life_s": INVITATION_S})
    return secret


def first_admin_link(db: DatabaseManager, address: str) -> str | None:
    """The link below that address, for whoever started the pages; None: there are users. Raises StoreError."""
    secret = invite(db)
    return None if secret is None else f"{address}/first-admin/{secret}"


def is_invited(db: DatabaseManager, secret: str) -> bool:
    """Whether the link is still good. Raises StoreError."""
    with db.transaction() as conn:
        return bool(run(conn, Q["invitation_known"], {"digest": digest(secret)})[0][0])


def accept(db: DatabaseManager, secret: str, name: str, password: str, passwords: Passwords) -> int | None:
    """The first admin, by the link; None: the link is used up or too old. Raises InputError, StoreError."""
    require_name(name)
    if not is_invited(db, secret):
        return None
    hashed = passwords.hashed(password)
    with db.transaction() as conn:
        run(conn, Q["users_lock"])
        if not run(conn, Q["invitation_known"], {"digest": digest(secret)})[0][0]:
            return None
        ((user_id,),) = run(conn, Q["user_first"], {"name": name, "password_hash": hashed})
        run(conn, Q["invitations_end"])
    return int(user_id)


def require_name(name: str) -> None:
    """Raise InputError: it could not be told from another, or not be written in a command."""
    if not NAME.fullmatch(name):
        raise InputError(
            "a user's name has 1 to 100 characters: letters, digits and . _ @ + -, beginning with a letter or digit"
        )


def _change(db: DatabaseManager, name: str, query: str, values: dict[str, Any]) -> None:
    with db.transaction() as conn:
        changed = run(conn, Q[query], {"name": name, **values})
        if not changed:
            raise ConfigError(f"there is no user {name}; `headrace users list` shows all of them", name=name)
        run(conn, Q["sessions_end"], {"user_id": changed[0][0]})
