"""Verdicts on pairs that join or part: they must not say that what others make one is two."""

from __future__ import annotations

from typing import Any

import psycopg

from core.database.queries import load, run
from core.errors import Conflict
from core.review.items import TENANT, Item
from core.review.verdicts import Check

Q = load("review")
REACH_MAX = 10_000


def consistent(joins: str, parts: str) -> Check:
    """A check of verdicts on two ids: `joins` makes them one, `parts` keeps them two, other words say nothing.

    It raises Conflict where verdicts that hold, by a chain of any length, say otherwise; names who said so and when.
    Cost: what verdicts make one with either id, found by an index.
    """

    def check(conn: psycopg.Connection[Any], item: Item, verdict: str) -> None:
        if verdict not in (joins, parts):
            return
        run(conn, Q["review_topic_lock"], {"topic": item.topic})
        where = {"tenant_id": TENANT, "topic": item.topic, "item_id": item.item_id}
        reach = {"joins": joins, "limit": REACH_MAX}
        these, those = (
            [row[0] for row in run(conn, Q["review_joined_with"], where | reach | {"start": record_id})]
            for record_id in item.subject
        )
        if verdict == parts and item.subject[1] in these:
            raise Conflict(
                "other verdicts make these two one by way of further records; take one of those back first",
                item_id=item.item_id,
                records=these,
            )
        if verdict == joins:
            said = run(conn, Q["review_apart_between"], where | {"parts": parts, "these": these, "those": those})
            if said:
                subject, by, at = said[0]
                raise Conflict(
                    f"{by} said at {at:%Y-%m-%d %H:%M %Z} that {' and '.join(subject)} are two, which this would make "
                    "one; take that back first",
                    item_id=item.item_id,
                    by=by,
                    at=at,
                )

    return check
