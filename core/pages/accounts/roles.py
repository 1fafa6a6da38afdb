"""Who may what: three roles, each may what the one before may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from core.errors import ConfigError

Role = Literal["viewer", "reviewer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. `token_id`: by that API token; None: a person at a page."""

    user_id: int
    name: str
    role: Role
    token_id: int | None = None

    def may(self, least: Role) -> bool:
        """Whether the role is at least the given one."""
        return ROLES.index(self.role) >= ROLES.index(least)


def lesser(one: Role, other: Role) -> Role:
    """The one that may less."""
    return min(one, other, key=ROLES.index)


def role_of(text: str) -> Role:
    """A role by its name. Raises ConfigError."""
    if text not in ROLES:
        raise ConfigError(f"there is no role {text!r}; there are {', '.join(ROLES)}", role=text)
    return next(role for role in ROLES if role == text)
