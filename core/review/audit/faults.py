"""What a check of the ledger finds, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from core.review.audit.chain import GENESIS, Head

FAULTS_MAX = 1000
"""Of a tenant so many are told one by one; the others are counted."""

Kind = Literal["changed", "missing", "added", "moved"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that is not as it was written. Ids and places only, never what stands in it."""

    kind: Kind
    table: str
    says: str
    event_id: int | None = None
    seq: int | None = None
    leaf_no: int | None = None


@dataclass(slots=True)
class Report:
    """What was looked at of a tenant, and what was found.

    unsealed: the oldest events of the tail that no seal protects yet; n_unsealed: how many it has.
    """

    tenant_id: str
    n_events: int = 0
    n_leaves: int = 0
    n_unsealed: int = 0
    unsealed: list[int] = field(default_factory=list)
    head: Head = field(init=False)
    n_faults: int = 0
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.head = Head(self.tenant_id, 0, GENESIS)

    @property
    def sound(self) -> bool:
        """Whether everything is as it was written."""
        return self.n_faults == 0

    def add(self, fault: Fault) -> None:
        """One more fault, in the order in which they are found."""
        self.n_faults += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)
