"""The leaves of events, wherever they are kept, held against the roots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psycopg

from core.database.queries import load, stream
from core.review.audit.events import OWN_LEAVES
from core.review.audit.faults import Fault, Report
from core.review.audit.merkle import Tree

Q = load("audit")

LeafSource = Callable[[psycopg.Connection[Any], str, int, int], Iterator[tuple[int, int, bytes]]]
"""Who keeps leaves: from a connection, a tenant and a range `after < event_id <= upto` to all its rows there.

By event and leaf, also such as belong to no event: (event_id, leaf_no, canonical bytes), made from all a row holds.
"""


class Kept:
    """The leaves of one event that are there."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.gap: int | None = None

    def add(self, leaf_no: int, body: bytes) -> None:
        """The next leaf that is there; `gap` becomes the first number that is not."""
        if self.gap is None and leaf_no != self.tree.n_leaves:
            self.gap = self.tree.n_leaves
        self.tree.add(body)


def own_leaves(
    conn: psycopg.Connection[Any], tenant_id: str, after: int, upto: int
) -> Iterator[tuple[int, int, bytes]]:
    """Those in the ledger's own table."""
    params = {"tenant_id": tenant_id, "after": after, "upto": upto}
    for event_id, leaf_no, body in stream(conn, Q["audit_leaves_between"], params):
        yield event_id, leaf_no, bytes(body)


def kept_between(
    conn: psycopg.Connection[Any], tenant_id: str, span: tuple[int, int], sources: Mapping[str, LeafSource]
) -> dict[tuple[str, int], Kept]:
    """What the sources hold for the events of a range, by source and event. Memory: a few hashes an event."""
    found: dict[tuple[str, int], Kept] = {}
    for name, source in {**sources, OWN_LEAVES: own_leaves}.items():
        for event_id, leaf_no, body in source(conn, tenant_id, *span):
            found.setdefault((name, event_id), Kept()).add(leaf_no, body)
    return found


def check_leaves(report: Report, event_id: int, leaves_in: str, n_leaves: int, root: bytes, kept: Kept) -> None:
    """Hold what is kept of an event's leaves against their number and root."""
    n_kept = kept.tree.n_leaves
    if n_kept == n_leaves and kept.gap is None and kept.tree.root() == root:
        return
    if n_kept < n_leaves:
        first = n_kept if kept.gap is None else kept.gap
        says = f"event {event_id} has {n_kept} of its {n_leaves} leaves; leaf {first} is the first that is missing"
        report.add(Fault("missing", leaves_in, says, event_id, leaf_no=first))
    elif n_kept > n_leaves:
        says = f"event {event_id} has {n_kept} leaves, and {n_leaves} were recorded"
        report.add(Fault("added", leaves_in, says, event_id))
    elif kept.gap is not None:
        says = f"leaf {kept.gap} of event {event_id} stands elsewhere: its leaves are not numbered 0 to {n_leaves - 1}"
        report.add(Fault("moved", leaves_in, says, event_id, leaf_no=kept.gap))
    else:
        says = f"a leaf of event {event_id} was changed, or leaves changed places: the {n_leaves} do not give its root"
        report.add(Fault("changed", leaves_in, says, event_id))
