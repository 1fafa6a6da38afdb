"""What people say of cases: verdicts, blind second looks and undos, each an event of the ledger. The first one wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run, stream
from core.errors import Conflict, InputError
from core.review.audit.canonical import canonical
from core.review.audit.chain import Event
from core.review.audit.events import append
from core.review.items import LEASE_S, TENANT, Item, Returned, State, item_of

Q = load("review")
LEAVES_IN = "review_verdicts"
UNSURE = "unsure"
SECOND_SHARE = 0.05
KEY_MAX = 200
_DRAWS = 10_000

Kind = Literal["verdict", "second", "undo"]
Check = Callable[[psycopg.Connection[Any], Item, str], None]
"""Raises where a verdict cannot stand beside others; called with the case locked."""


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict as somebody gives it.

    version: of the case, as it was seen. request_key: names this one request of the actor, so that it counts once
    however often it arrives. reason: one of the words that the workload offers, never free text: it cannot be deleted.
    """

    item_id: int
    version: int
    verdict: str
    request_key: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be said of cases, and how many are looked at twice.

    words: the verdicts, UNSURE aside. reasons: what may be given as one. second_share: of verdicts, 0 to 1, that
    another person repeats without seeing the first. check: see `Check`.
    """

    words: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    second_share: float = SECOND_SHARE
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: its event, and whether it was done before. agrees: of a second look, with the first."""

    event_id: int
    item_id: int
    kind: Kind
    verdict: str
    at: datetime
    repeated: bool = False
    agrees: bool | None = None


def give(db: DatabaseManager, actor: str, said: Said, at: datetime, policy: Policy) -> Outcome:
    """Record a verdict. It holds from then on, unless it is a second look.

    Args:
        actor: who, by a lasting name. at: now, with a zone.
    Raises:
        Conflict: the case is not as it was seen: somebody came first (says who, when and what), or its values changed;
            or `policy.check` refuses. Nothing was recorded.
        InputError: no such case, word or reason; or the key named another request before.
    """
    _require_known(said, policy)
    with db.transaction() as conn:
        # Before the key is looked up: a double click arrives twice at once.
        _locked(conn, said.item_id)
        if (before := _by_key(conn, actor, said.request_key)) is not None:
            return _repeated(before, said.item_id, said.verdict)
        return give_in(conn, actor, said, at, policy)


def give_in(conn: psycopg.Connection[Any], actor: str, said: Said, at: datetime, policy: Policy) -> Outcome:
    """As `give`, in the caller's transaction, for a key that is known to be new."""
    item = _locked(conn, said.item_id)
    if item.version != said.version:
        raise _superseded(item)
    second = item.state == "second" and item.decided_by != actor
    if not second and policy.check is not None:
        policy.check(conn, item, said.verdict)
    event_id = _record(conn, item, actor, said, at, ("second" if second else "verdict", None))
    if second:
        agrees = item.verdict == said.verdict
        _settle(conn, item, (item.verdict, item.event_id, item.decided_by, item.decided_at), _after_look(agrees))
        return Outcome(event_id, item.item_id, "second", said.verdict, at, agrees=agrees)
    state: State = "second" if _drawn(item.item_id, policy.second_share) and item.returned is None else "settled"
    _settle(conn, item, (said.verdict, event_id, actor, at), (state, None))
    return Outcome(event_id, item.item_id, "verdict", said.verdict, at)


def take_back(
    db: DatabaseManager, actor: str, event_id: int, request_key: str, at: datetime, *, of_others: bool = False
) -> Outcome:
    """Undo a verdict by another event. What held before holds again; the case is open, and with the actor.

    Args:
        of_others: whether words of other people may be taken back, too.
    Raises:
        Conflict: it was taken back already, or something was said of the case since.
        InputError: no such verdict, or it is somebody else's.
    """
    with db.transaction() as conn:
        rows = run(conn, Q["review_verdict"], {"tenant_id": TENANT, "event_id": event_id})
        if not rows or rows[0][2] == "undo" or (rows[0][5] != actor and not of_others):
            raise InputError(f"event {event_id} is no verdict of {actor}", event_id=event_id, actor=actor)
        _, item_id, kind, verdict, version, *_ = rows[0]
        item = _locked(conn, item_id)
        if (before := _by_key(conn, actor, request_key)) is not None:
            return _repeated(before, None, None, event_id)
        _require_standing(conn, item, event_id, (kind, version))
        said = Said(item_id, item.version, verdict, request_key)
        undo_id = _record(conn, item, actor, said, at, ("undo", event_id))
        held = (item.verdict, item.event_id, item.decided_by, item.decided_at)
        if kind == "second":
            _settle(conn, item, held, ("second", None), (actor, at + timedelta(seconds=LEASE_S)))
        else:
            earlier = run(conn, Q["review_verdict_before"], {"item_id": item_id, "event_id": event_id})
            word = (earlier[0][1], earlier[0][0], *earlier[0][2:]) if earlier else (None, None, None, None)
            _settle(conn, item, word, ("open", "undone"), (actor, at + timedelta(seconds=LEASE_S)))
        return Outcome(undo_id, item_id, "undo", verdict, at)


@dataclass(frozen=True, slots=True)
class Spoken:
    """Something that a person said and that still stands."""

    event_id: int
    item_id: int
    kind: Kind
    verdict: str
    subject: list[str]
    at: datetime


def recent(db: DatabaseManager, topic: str, actor: str, limit: int = 10) -> list[Spoken]:
    """The newest words of a person that stand, the last one first."""
    params = {"tenant_id": TENANT, "topic": topic, "actor": actor, "limit": limit}
    with db.transaction() as conn:
        return [Spoken(*row) for row in run(conn, Q["review_recent"], params)]


@dataclass(frozen=True, slots=True)
class Held:
    """What holds of a subject; verdict None: whatever was said was taken back. seen: the values it was said of."""

    subject: tuple[str, ...]
    verdict: str | None
    by: str | None
    at: datetime | None
    seen: str | None


def holding(db: DatabaseManager, topic: str) -> list[Held]:
    """Every case that was ever judged, in the order in which they came."""
    with db.transaction() as conn:
        rows = run(conn, Q["review_holding"], {"tenant_id": TENANT, "topic": topic})
    return [Held(tuple(subject), word, by, at, seen) for subject, word, by, at, seen in rows]


def leaves(conn: psycopg.Connection[Any], tenant_id: str, after: int, upto: int) -> Iterator[tuple[int, int, bytes]]:
    """Verdicts as leaves of the ledger: a `LeafSource` of core.review.audit.leaves."""
    params = {"tenant_id": tenant_id, "after": after, "upto": upto}
    names = "kind topic subject version verdict takes_back actor decided_at reason seen evidence".split()
    for event_id, leaf_no, *values in stream(conn, Q["review_leaves_between"], params):
        yield event_id, leaf_no, _leaf(dict(zip(names, values, strict=True)))


def _leaf(facts: Mapping[str, Any]) -> bytes:
    return canonical({**facts, "evidence": sha256(bytes(facts["evidence"])).digest()})


def _record(
    conn: psycopg.Connection[Any], item: Item, actor: str, said: Said, at: datetime, of: tuple[Kind, int | None]
) -> int:
    """Append the event and its leaf; returns its id. `of`: kind, and the event that is taken back."""
    kind, takes_back = of
    facts = {
        "kind": kind,
        "topic": item.topic,
        "subject": list(item.subject),
        "version": item.version,
        "verdict": said.verdict,
        "takes_back": takes_back,
        "actor": actor,
        "decided_at": at,
        "reason": said.reason,
        "seen": item.seen,
        "evidence": canonical({**item.facts, "run": item.run, "after": item.event_id}),
    }
    event_id = append(conn, Event(TENANT, f"review {kind}", actor, at), [_leaf(facts)], LEAVES_IN)
    row = {**facts, "tenant_id": TENANT, "event_id": event_id, "item_id": item.item_id}
    run(conn, Q["review_verdict_add"], row | {"request_key": said.request_key})
    return event_id


def _settle(
    conn: psycopg.Connection[Any],
    item: Item,
    held: tuple[str | None, int | None, str | None, datetime | None],
    becomes: tuple[State, Returned | None],
    lease: tuple[str | None, datetime | None] = (None, None),
) -> None:
    word = dict(zip(("verdict", "event_id", "actor", "at"), held, strict=True))
    state = dict(zip(("state", "returned"), becomes, strict=True))
    run(
        conn,
        Q["review_decide"],
        word | state | {"item_id": item.item_id, "leased_by": lease[0], "leased_until": lease[1]},
    )


def _after_look(agrees: bool) -> tuple[State, Returned | None]:
    return ("settled", None) if agrees else ("open", "disagreement")


def _drawn(item_id: int, share: float) -> bool:
    """Whether a case is among those looked at twice: by its number, so that nobody can guess and none is drawn anew."""
    digest = int.from_bytes(sha256(str(item_id).encode()).digest()[:8], "big")
    return digest % _DRAWS < share * _DRAWS


def _locked(conn: psycopg.Connection[Any], item_id: int) -> Item:
    rows = run(conn, Q["review_item_lock"], {"tenant_id": TENANT, "item_id": item_id})
    if not rows:
        raise InputError(f"there is no case {item_id} to review", item_id=item_id)
    return item_of(rows[0])


def _require_known(said: Said, policy: Policy) -> None:
    if said.verdict not in (*policy.words, UNSURE):
        words = ", ".join((*policy.words, UNSURE))
        raise InputError(f"{said.verdict!r} is no verdict; say one of {words}", field="verdict")
    if said.reason is not None and said.reason not in policy.reasons:
        raise InputError(f"the reason is none of {', '.join(policy.reasons) or '(none)'}", field="reason")
    if not 0 < len(said.request_key) <= KEY_MAX:
        raise InputError(f"a request's key has 1 to {KEY_MAX} characters", field="request_key", limit=KEY_MAX)


def _require_standing(conn: psycopg.Connection[Any], item: Item, event_id: int, was: tuple[Kind, int]) -> None:
    """Raises Conflict: the verdict was taken back, or is not the last word on its case."""
    # Asked again now that the case is locked: two undos of one verdict may come at once.
    ((*_, by, at),) = run(conn, Q["review_verdict"], {"tenant_id": TENANT, "event_id": event_id})
    if by is not None:
        raise Conflict(f"event {event_id} was taken back already, by {by} at {_when(at)}", by=by, at=at)
    kind, version = was
    last = item.version == version + 1 if kind == "second" else item.event_id == event_id
    if not last:
        raise _superseded(item)


def _superseded(item: Item) -> Conflict:
    facts = {"item_id": item.item_id, "by": item.decided_by, "at": item.decided_at, "version": item.version}
    if item.verdict is None or item.returned == "values":
        return Conflict(f"case {item.item_id} has changed since it was shown; look at it again", **facts)
    said = (
        f"case {item.item_id} was decided meanwhile: {item.verdict}, by {item.decided_by} at {_when(item.decided_at)}"
    )
    return Conflict(f"{said}; look at it again to overrule", verdict=item.verdict, **facts)


def _when(at: datetime | None) -> str:
    return "an unknown time" if at is None else f"{at:%Y-%m-%d %H:%M:%S %Z}"


def _by_key(conn: psycopg.Connection[Any], actor: str, key: str) -> Any:
    rows = run(conn, Q["review_verdict_by_key"], {"tenant_id": TENANT, "actor": actor, "request_key": key})
    return rows[0] if rows else None


def _repeated(before: Any, item_id: int | None, verdict: str | None, takes_back: int | None = None) -> Outcome:
    event_id, of_item, kind, word, undone, at = before
    same = undone == takes_back and (takes_back is not None or (of_item, word) == (item_id, verdict))
    if not same:
        raise InputError("the request's key named another verdict before; give each its own", field="request_key")
    return Outcome(event_id, of_item, kind, word, at, repeated=True)


def stated_and_said(db: DatabaseManager, topic: str) -> list[tuple[float, str]]:
    """Of each case whose verdict holds: what the run stated, and the word."""
    with db.transaction() as conn:
        return [(row[0], row[1]) for row in run(conn, Q["review_stated"], {"tenant_id": TENANT, "topic": topic})]


def second_looks(db: DatabaseManager, topic: str) -> list[tuple[str, str]]:
    """First and second word of each case that was looked at twice."""
    with db.transaction() as conn:
        return [(row[0], row[1]) for row in run(conn, Q["review_second_looks"], {"tenant_id": TENANT, "topic": topic})]
