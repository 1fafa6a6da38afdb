"""What the workbench mounts: routers, navigation, and what waits for whom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter

from core.database import DatabaseManager
from core.pages.accounts.roles import Person
from core.pages.kit import Link, Section, Waiting
from core.workloads.invoices.pages import desk, match, receivables, receivables_api

router = APIRouter(routes=[*receivables.router.routes, *match.router.routes])
api = receivables_api.api


def waiting(db: DatabaseManager, person: Person) -> Sequence[Waiting]:
    """Bank lines that no rule could settle, for who may decide."""
    if not person.may("reviewer"):
        return ()
    left = {state: n for state, n in desk.counts(db).items() if state in desk.FOR_PEOPLE and n}
    return [Waiting(n, f"bank lines: {desk.STATES[state]}", desk.list_address(state)) for state, n in left.items()]


SECTION = Section(
    "invoices",
    "Invoices",
    (
        Link("Bank lines", "/invoices/payments", "p"),
        Link("To clear", "/invoices/match", "c"),
        Link("Aging", "/invoices/aging", "o"),
    ),
    Path(__file__).parent / "templates",
    waiting,
)
