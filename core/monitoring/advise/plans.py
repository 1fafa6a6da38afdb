"""What a plan says about indexes that are missing; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

HOT = frozenset({"lease_until", "heartbeat_at", "bucket_at", "bucket_rows", "n_leases", "load"})
"""Columns that heartbeats and claims change in place (heap-only updates): an index on one would end that."""

COLUMNS_MAX = 3


@dataclass(frozen=True, slots=True)
class Scan:
    """A table that is read from end to end. `rows_kept`: rows that pass the filter, as the planner estimates.

    `columns`: of the filter, those compared with `=` first, then at most one compared by order.
    """

    schema: str
    table: str
    rows_kept: float
    columns: tuple[str, ...]


def scans(plan: Mapping[str, Any]) -> Iterator[Scan]:
    """Sequential scans with a filter that an index could serve.

    Args:
        plan: a node as `EXPLAIN (VERBOSE, FORMAT JSON)` gives it, under the key "Plan".
    """
    columns = _columns(str(plan.get("Filter", "")), str(plan.get("Alias", "")))
    if plan.get("Node Type") == "Seq Scan" and columns:
        # Of a parallel scan the planner tells the rows of one process; there are seldom more than three.
        share = 3 if plan.get("Parallel Aware") else 1
        yield Scan(str(plan["Schema"]), str(plan["Relation Name"]), share * float(plan["Plan Rows"]), columns)
    for inner in plan.get("Plans", ()):
        yield from scans(inner)


def _columns(filtered: str, alias: str) -> tuple[str, ...]:
    """None where it has an OR: one index does not serve it."""
    if not filtered or " OR " in filtered:
        return ()
    compared = rf"(?<![\w.]){re.escape(alias)}\.(\w+)\)?(?:::[a-z ]+)? (=|<=|>=|<|>) "
    found: dict[str, list[str]] = {"=": [], "<": []}
    for column, operator in re.findall(compared, filtered):
        of_kind = found["=" if operator == "=" else "<"]
        if column not in HOT and column not in of_kind:
            of_kind.append(column)
    ordered = [column for column in found["<"] if column not in found["="]][:1]
    return tuple([*found["="], *ordered][:COLUMNS_MAX])
