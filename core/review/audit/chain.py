"""What an event is, its digest, and the links of a tenant's chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from core.errors import InputError
from core.review.audit.canonical import canonical

EVENT, LINK = b"\x02", b"\x03"
GENESIS = bytes(32)
"""What the first link of a chain follows."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    kind: what, `settled` say. actor: who, a person's id or a flow's name.
    recorded_at: when it became known, with a zone. effective_on: the day from which it counts, if that is another.
    details: what else is to be kept, as `canonical` takes it.
    """

    tenant_id: str
    kind: str
    actor: str
    recorded_at: datetime
    effective_on: date | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def event_digest(event: Event, details: bytes, leaves_in: str, n_leaves: int, root: bytes) -> bytes:
    """SHA-256 over all that is kept of an event and the root of its leaves, 32 bytes.

    Args:
        details: canonical bytes of `event.details`, as they are kept.
        leaves_in: name of the source that holds its leaves.
    """
    facts = {
        "actor": event.actor,
        "details": sha256(details).digest(),
        "effective_on": event.effective_on,
        "kind": event.kind,
        "leaves_in": leaves_in,
        "n_leaves": n_leaves,
        "recorded_at": event.recorded_at,
        "root": root,
        "tenant": event.tenant_id,
    }
    return sha256(EVENT + canonical(facts)).digest()


@dataclass(frozen=True, slots=True)
class Seal:
    """A place in a tenant's chain: `seq` from 1 on, without a gap."""

    tenant_id: str
    seq: int
    event_id: int
    digest: bytes
    previous: bytes
    sealed_at: datetime

    def link(self) -> bytes:
        """SHA-256 over this place and, by `previous`, all before it, 32 bytes."""
        facts = {
            "digest": self.digest,
            "event": self.event_id,
            "previous": self.previous,
            "sealed_at": self.sealed_at,
            "seq": self.seq,
            "tenant": self.tenant_id,
        }
        return sha256(LINK + canonical(facts)).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link of a tenant's chain: kept elsewhere, it shows later that nothing up to it was changed or cut."""

    tenant_id: str
    seq: int
    link: bytes

    def __str__(self) -> str:
        return f"{self.tenant_id}:{self.seq}:{self.link.hex()}"


def read_head(text: str) -> Head:
    """A head as it was printed, TENANT:SEQ:HASH. Raises InputError."""
    try:
        tenant_id, seq, link = text.strip().rsplit(":", 2)
        head = Head(tenant_id, int(seq), bytes.fromhex(link))
    except ValueError:
        raise InputError(f"{text!r} is no head: `headrace audit head` prints one, TENANT:SEQ:HASH") from None
    if not tenant_id or head.seq < 0 or len(head.link) != len(GENESIS):
        raise InputError(f"{text!r} is no head: TENANT:SEQ:HASH has a number from 0 on and 64 hexadecimal digits")
    return head
