"""Recompute the ledger from its rows: what was changed, taken away, put in or moved since it was written.

Everything is read from one snapshot, a page at a time; nothing is written and nobody waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from core.database import DatabaseManager, connect
from core.database.queries import load, run
from core.errors import InputError
from core.review.audit.chain import Event, Head, Seal, event_digest
from core.review.audit.faults import Fault, Report
from core.review.audit.leaves import Kept, LeafSource, check_leaves, kept_between

Q = load("audit")
PAGE = 1000
LISTED = 100
BEFORE_ALL, AFTER_ALL = -(2**63), 2**63 - 1


def verify(
    db: DatabaseManager, sources: Mapping[str, LeafSource], tenant_id: str | None = None, heads: Sequence[Head] = ()
) -> list[Report]:
    """Check the chains of all tenants, or of one; a report each, by name.

    Args:
        sources: who keeps leaves, by the name that events call it; the ledger's own table need not be among them.
        heads: taken earlier and kept elsewhere. Without one, a chain whose end was cut off looks whole.
    Raises InputError: a head of another tenant than that asked for. StoreError.
    Cost: one pass over all rows; about 2 us a leaf to hash, what the database needs to send it, and memory for a page.
    """
    if strange := [head for head in heads if tenant_id not in (None, head.tenant_id)]:
        raise InputError(f"the head {strange[0]} is not of the tenant {tenant_id}", tenant=tenant_id)
    with snapshot(db) as conn:
        there = [name for (name,) in run(conn, Q["audit_tenants"])] if tenant_id is None else [tenant_id]
        names = sorted({*there, *(head.tenant_id for head in heads)})
        return [_verified(conn, name, sources, [head for head in heads if head.tenant_id == name]) for name in names]


@contextmanager
def snapshot(db: DatabaseManager) -> Iterator[psycopg.Connection[Any]]:
    """A transaction that sees one moment and writes nothing."""
    with db.transaction() as conn:
        # What the manager may have begun behind a pooler; the next statement begins anew.
        conn.rollback()
        before = conn.isolation_level
        conn.isolation_level, conn.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
        try:
            connect.set_forms(conn)
            yield conn
        finally:
            if not conn.closed:
                conn.rollback()
                conn.isolation_level, conn.read_only = before, None


def _verified(
    conn: psycopg.Connection[Any], tenant_id: str, sources: Mapping[str, LeafSource], heads: Sequence[Head]
) -> Report:
    report = Report(tenant_id)
    _check_events(conn, report, sources)
    _check_chain(conn, report)
    _check_lists(conn, report)
    for head in heads:
        _check_head(conn, report, head)
    return report


def _check_events(conn: psycopg.Connection[Any], report: Report, sources: Mapping[str, LeafSource]) -> None:
    """Digests of events, and their leaves. The pages' ranges cover all ids, so leaves without an event are met."""
    after, last = BEFORE_ALL, False
    while not last:
        page = run(conn, Q["audit_events_page"], {"tenant_id": report.tenant_id, "after": after, "limit": PAGE})
        last = len(page) < PAGE
        upto = AFTER_ALL if last else page[-1][0]
        kept = kept_between(conn, report.tenant_id, (after, upto), sources)
        for row in page:
            _check_event(report, row, kept)
        for (source, event_id), leaves in sorted(kept.items()):
            says = f"{leaves.tree.n_leaves} leaves of event {event_id}, which has none there"
            report.add(Fault("added", source, says, event_id))
        after = upto


def _check_event(report: Report, row: Sequence[Any], kept: dict[tuple[str, int], Kept]) -> None:
    event_id, kind, actor, recorded_at, effective_on, details, leaves_in, n_leaves, root, digest = row
    leaves = kept.pop((leaves_in, event_id), None) or Kept()
    report.n_events += 1
    report.n_leaves += leaves.tree.n_leaves
    event = Event(report.tenant_id, kind, actor, recorded_at, effective_on)
    if event_digest(event, bytes(details), leaves_in, n_leaves, bytes(root)) != bytes(digest):
        report.add(Fault("changed", "audit_events", f"event {event_id} does not give its digest", event_id))
    check_leaves(report, event_id, leaves_in, n_leaves, bytes(root), leaves)


def _check_chain(conn: psycopg.Connection[Any], report: Report) -> None:
    """Links, and the events they seal."""
    # What the next link may follow: the one before as it stands, or, if that was changed, as it must have been.
    follows = {report.head.link}
    while page := run(
        conn, Q["audit_seals_page"], {"tenant_id": report.tenant_id, "after": report.head.seq, "limit": PAGE}
    ):
        for seq, event_id, digest, previous, link, sealed_at, event_digest_now in page:
            seal = Seal(report.tenant_id, seq, event_id, bytes(digest), bytes(previous), sealed_at)
            made, stands = seal.link(), bytes(link)
            if fault := _link_fault(seal, report.head.seq, made == stands, seal.previous in follows):
                report.add(fault)
            if made == stands:
                _check_sealed(conn, report, seal, event_digest_now)
            follows = {made, stands}
            report.head = Head(report.tenant_id, seq, stands)


def _link_fault(seal: Seal, last_seq: int, whole: bool, follows: bool) -> Fault | None:
    """At most one a link: what follows a gap follows nothing, and a link that moved does not give its hash."""
    seq, where = seal.seq, {"event_id": seal.event_id, "seq": seal.seq}
    if seq != last_seq + 1:
        gone = f"link {seq - 1} is" if seq == last_seq + 2 else f"links {last_seq + 1} to {seq - 1} are"
        return Fault("missing", "audit_seals", f"{gone} missing from the chain", seq=last_seq + 1)
    if not follows:
        return Fault("moved", "audit_seals", f"link {seq} does not follow the one before it", **where)
    if not whole:
        return Fault("changed", "audit_seals", f"link {seq} does not give its hash", **where)
    return None


def _check_sealed(conn: psycopg.Connection[Any], report: Report, seal: Seal, digest: bytes | None) -> None:
    """Whether an event is still what was sealed."""
    event_id, seq = seal.event_id, seal.seq
    if digest is None:
        says = f"event {event_id}, sealed by link {seq}, is missing"
        report.add(Fault("missing", "audit_events", says, event_id, seq))
    elif bytes(digest) != seal.digest:
        elsewhere = run(conn, Q["audit_seal_of_digest"], {"tenant_id": report.tenant_id, "digest": digest})
        if elsewhere:
            says = f"in the place of event {event_id} stands what was event {elsewhere[0][0]}"
            report.add(Fault("moved", "audit_events", says, event_id, seq))
        else:
            says = f"event {event_id} is not what link {seq} sealed"
            report.add(Fault("changed", "audit_events", says, event_id, seq))


def _check_lists(conn: psycopg.Connection[Any], report: Report) -> None:
    """What is neither in the chain nor waits for it, and what waits."""
    params = {"tenant_id": report.tenant_id, "limit": LISTED}
    for (event_id,) in run(conn, Q["audit_unlisted"], params):
        says = f"event {event_id} is not in the chain and does not wait for it: it was put in, or its link taken away"
        report.add(Fault("added", "audit_events", says, event_id))
    for event_id, sealed in run(conn, Q["audit_unsealed_odd"], params):
        if sealed:
            report.add(Fault("added", "audit_unsealed", f"event {event_id} waits, and is sealed already", event_id))
        else:
            report.add(Fault("missing", "audit_events", f"event {event_id}, not sealed yet, is missing", event_id))
    ((report.n_unsealed,),) = run(conn, Q["audit_unsealed_count"], {"tenant_id": report.tenant_id})
    report.unsealed = [event_id for (event_id,) in run(conn, Q["audit_unsealed_list"], params)]


def _check_head(conn: psycopg.Connection[Any], report: Report, head: Head) -> None:
    """Whether a head that was kept elsewhere is still in the chain."""
    if head.seq == 0:
        return
    stands = run(conn, Q["audit_seal_at"], {"tenant_id": head.tenant_id, "seq": head.seq})
    if not stands:
        says = f"the chain ends at link {report.head.seq}, and a head of link {head.seq} was kept: its end was cut off"
        says = says if report.head.seq < head.seq else f"link {head.seq}, whose head was kept, is missing"
        report.add(Fault("missing", "audit_seals", says, seq=head.seq))
    elif bytes(stands[0][0]) != head.link:
        says = f"link {head.seq} is not the head that was kept: the chain was written anew"
        report.add(Fault("changed", "audit_seals", says, seq=head.seq))
