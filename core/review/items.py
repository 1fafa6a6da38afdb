"""Cases for people to decide: found by runs, handed out like batches, dearest answer first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson
import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.queries import Row, load, run
from core.errors import InputError

Q = load("review")
TENANT = "default"
BETWEEN = "\x1f"
"""Stands between the ids of a subject where that travels as one text."""
CLAIM_MAX = 100
LEASE_S = 300.0
# A statement of so many takes half a second at most.
FILL_ROWS = 5_000

State = Literal["open", "second", "settled"]
Returned = Literal["values", "disagreement", "undone"]


@dataclass(frozen=True, slots=True)
class Item:
    """One case as it stands. Ids, levels and whole numbers only: the values are where the workload has them.

    verdict: what holds, by whom, since when and by which event of the ledger; also while the case is open again.
    version: grows with each verdict and with what is judged by; a verdict names the one that was seen.
    facts: evidence, as the ledger takes it. value: worth of an answer. run: job whose answer is judged.
    """

    item_id: int
    topic: str
    subject: tuple[str, ...]
    state: State
    returned: Returned | None
    verdict: str | None
    decided_by: str | None
    decided_at: datetime | None
    event_id: int | None
    version: int
    seen: str
    facts: dict[str, Any]
    probability: float | None
    value: float
    run: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def item_of(row: Row) -> Item:
    """An item from a row of the queries that give all of it."""
    return Item(row[0], row[1], tuple(row[2]), *row[3:])


def topic_of(workload: str, name: str) -> str:
    """What a workload's list of that name is called."""
    return f"{workload}/{name}"


def fill(conn: psycopg.Connection[Any], topic: str, job_id: int, found: pl.DataFrame) -> None:
    """Make the cases that a run asks about the list of a topic, in the caller's transaction.

    Verdicts go on to hold. A case whose values changed since its verdict is open again; one that only earlier runs
    asked about and nobody answered is gone.

    Args:
        found: (n,) `subject` (ids, BETWEEN between them), `seen`, `facts` (JSON without floats), `probability`,
            `value`.
    Cost: about 30 us a case, in the database.
    """
    for part in found.iter_slices(FILL_ROWS):
        run(conn, Q["review_fill"], {
            "tenant_id": TENANT, "topic": topic, "run": job_id,
            "subjects": part["subject"].to_list(), "seen": part["seen"].to_list(), "facts": part["facts"].to_list(),
            "probabilities": part["probability"].to_list(), "values": part["value"].to_list(),
        })  # fmt: skip
    run(conn, Q["review_drop"], {"tenant_id": TENANT, "topic": topic, "run": job_id})


def decided(conn: psycopg.Connection[Any], topic: str) -> list[tuple[tuple[str, ...], str]]:
    """Subject and `seen` of each case that has a verdict."""
    rows = run(conn, Q["review_said"], {"tenant_id": TENANT, "topic": topic})
    return [(tuple(subject), seen) for subject, seen in rows]


def ask_again(conn: psycopg.Connection[Any], topic: str, job_id: int, now: Mapping[tuple[str, ...], str]) -> None:
    """Open decided cases anew whose values, by `seen`, are others now. Verdicts go on to hold."""
    params = {"subjects": [BETWEEN.join(subject) for subject in now], "seen": list(now.values())}
    run(conn, Q["review_return"], {"tenant_id": TENANT, "topic": topic, "run": job_id, **params})


def claim(
    db: DatabaseManager, topic: str, actor: str, at: datetime, *, n_most: int = 10, held: Sequence[int] = ()
) -> list[Item]:
    """Take cases that wait, the dearest first, for LEASE_S; nobody else gets them meanwhile, unless he asks by number.

    A second look is handed to somebody else than who decided.

    Args:
        held: those that the caller has already. at: now, with a zone.
    Raises InputError: more than CLAIM_MAX at once.
    """
    if not 1 <= n_most <= CLAIM_MAX:
        raise InputError(f"{n_most} cases at once; 1 to {CLAIM_MAX} can be taken", limit=CLAIM_MAX)
    params = {"tenant_id": TENANT, "topic": topic, "actor": actor, "at": at, "limit": n_most}
    until = at + timedelta(seconds=LEASE_S)
    with db.transaction() as conn:
        rows = run(conn, Q["review_claim"], params | {"held": list(held), "until": until})
    return sorted(map(item_of, rows), key=lambda item: (-item.value, item.item_id))


def held_by(db: DatabaseManager, topic: str, actor: str, at: datetime) -> list[Item]:
    """The cases that somebody has taken and not decided yet, the dearest first."""
    params = {"tenant_id": TENANT, "topic": topic, "actor": actor, "at": at, "limit": CLAIM_MAX}
    with db.transaction() as conn:
        return [item_of(row) for row in run(conn, Q["review_held"], params)]


def release(db: DatabaseManager, actor: str, item_ids: Sequence[int]) -> None:
    """Give back what was taken and not decided."""
    with db.transaction() as conn:
        run(conn, Q["review_release"], {"tenant_id": TENANT, "actor": actor, "item_ids": list(item_ids)})


def find(db: DatabaseManager, item_id: int) -> Item:
    """One case. Raises InputError: there is none of that number."""
    with db.transaction() as conn:
        rows = run(conn, Q["review_item"], {"tenant_id": TENANT, "item_id": item_id})
    if not rows:
        raise InputError(f"there is no case {item_id} to review", item_id=item_id)
    return item_of(rows[0])


def waiting(db: DatabaseManager, topic: str, limit: int) -> list[Item]:
    """Open cases, dearest first, whoever holds them."""
    with db.transaction() as conn:
        rows = run(conn, Q["review_waiting"], {"tenant_id": TENANT, "topic": topic, "limit": limit})
    return [item_of(row) for row in rows]


def items_of(db: DatabaseManager, topic: str, subjects: Sequence[Sequence[str]]) -> list[Item]:
    """The cases of subjects, as far as there are any."""
    texts = [BETWEEN.join(subject) for subject in subjects]
    with db.transaction() as conn:
        rows = run(conn, Q["review_items_of"], {"tenant_id": TENANT, "topic": topic, "subjects": texts})
    return [item_of(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases of a topic stand how. returned: open ones that had a verdict. taken: with somebody now."""

    topic: str
    open: int
    second: int
    settled: int
    returned: int
    taken: int


def counts(db: DatabaseManager, at: datetime, topic: str | None = None) -> list[Counts]:
    """Of each topic that has cases, or of one. Cost: one reading of the cases."""
    with db.transaction() as conn:
        rows = run(conn, Q["review_counts"], {"tenant_id": TENANT, "topic": topic, "at": at})
    return [Counts(*row) for row in rows]


def add(conn: psycopg.Connection[Any], topic: str, subject: Sequence[str], seen: str, facts: Mapping[str, Any]) -> Item:
    """The case of a subject, made if no run asked about it; its verdict comes in the same transaction."""
    text = BETWEEN.join(subject)
    which = {"tenant_id": TENANT, "topic": topic, "subjects": [text]}
    rows = run(conn, Q["review_items_of"], which)
    if not rows:
        told = {"run": 0, "seen": [seen], "facts": [orjson.dumps(dict(facts)).decode()]}
        run(conn, Q["review_fill"], which | told | {"probabilities": [None], "values": [0.0]})
        rows = run(conn, Q["review_items_of"], which)
    return item_of(rows[0])
