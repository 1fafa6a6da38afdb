"""What a route needs: the role is said in its signature, and read anew in each request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from core.errors import HeadraceError
from core.pages.accounts.roles import Person, Role
from core.pages.kit import kit_of

COOKIE, SECURE_COOKIE = "headrace", "__Host-headrace"


class SignInNeeded(HeadraceError):
    """Nobody is signed in, or the token holds no more."""


class NotAllowed(HeadraceError):
    """The role may not do that: facts `role`, `needs`."""


class Needs:
    """A dependency: who asks, if the role is at least the one given. Raises SignInNeeded, NotAllowed, StoreError."""

    def __init__(self, role: Role) -> None:
        self.role = role

    def __call__(self, request: Request) -> Person:
        """Who asks."""
        person: Person | None = getattr(request.state, "person", None) or _asker(request)
        if person is None:
            raise SignInNeeded("nobody is signed in here, or the sign-in has ended; sign in and do it again")
        request.state.person = person
        if not person.may(self.role):
            raise NotAllowed(
                f"{person.name} is {person.role} here, and this takes {self.role}; an admin can change that by "
                f"`headrace users role`",
                role=person.role,
                needs=self.role,
            )
        return person


VIEWER, REVIEWER, ADMIN = Needs("viewer"), Needs("reviewer"), Needs("admin")
Viewer = Annotated[Person, Depends(VIEWER)]
Reviewer = Annotated[Person, Depends(REVIEWER)]
Admin = Annotated[Person, Depends(ADMIN)]


def cookie_name(exposure: str) -> str:
    """A name with `__Host-` is bound to this host and TLS; on loopback there is none."""
    return SECURE_COOKIE if exposure == "tls" else COOKIE


def _asker(request: Request) -> Person | None:
    kit = kit_of(request)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind == "Bearer":
        found = kit.sign_ins.whose_token(token)
        if found is not None and found.token_id is not None:
            kit.rates.count(found.token_id)
        return found
    secret = request.cookies.get(cookie_name(kit.exposure))
    return kit.sign_ins.who(secret) if secret else None
