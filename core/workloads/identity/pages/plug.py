"""What the workbench mounts: routers, navigation, and what waits for whom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter

from core.database import DatabaseManager
from core.pages.accounts.roles import Person
from core.pages.kit import Link, Section, Waiting
from core.workloads.identity.pages import addresses, desk, entities, entities_api, jobs, review, review_api

router = APIRouter(routes=[*jobs.router.routes, *review.router.routes, *entities.router.routes])
api = APIRouter(routes=[*review_api.api.routes, *entities_api.api.routes])


def waiting(db: DatabaseManager, person: Person) -> Sequence[Waiting]:
    """Pairs to decide, for who may decide."""
    if not person.may("reviewer"):
        return ()
    return [
        Waiting(each.n_waiting, "pairs to decide", addresses.review(each.name), each.name)
        for each in desk.datasets(db)
        if each.n_waiting
    ]


SECTION = Section(
    "identity",
    "Identities",
    (Link("Data sets and jobs", "/identity", "i"),),
    Path(__file__).parent / "templates",
    waiting,
)
