"""What holds an entity together: the pairs between its records, and the one at which it would come apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

End = tuple[int, str]
"""A record: source and id."""


@dataclass(frozen=True, slots=True)
class Link:
    """A pair of one entity. bits: log2 odds that both are one; levels: `field=level`, by commas."""

    a: End
    b: End
    bits: float
    confidence: float
    rule: str
    levels: str


@dataclass(frozen=True, slots=True)
class Weakest:
    """Without `link` the entity would be two, of `n_a` and `n_b` records. link: None where pairs that are listed do
    not reach all records, so that something else joins them, as a verdict does: in `n_parts` parts."""

    link: Link | None
    n_a: int
    n_b: int
    n_parts: int


def weakest_of(records: Sequence[End], links: Sequence[Link]) -> Weakest:
    """The weakest pair of the strongest tree over all records: no other way between its two sides is stronger.

    Args:
        links: between those records, the strongest first.
    Cost: a few steps a link.
    """
    part = {record: record for record in records}

    def root(record: End) -> End:
        while part[record] != record:
            part[record] = part[part[record]]
            record = part[record]
        return record

    last: Link | None = None
    n_a = n_b = 0
    n_parts = len(records)
    sizes = Counter(records)
    for link in links:
        a, b = root(link.a), root(link.b)
        if a == b:
            continue
        last, n_a, n_b = link, sizes[a], sizes[b]
        part[b] = a
        sizes[a] += sizes[b]
        n_parts -= 1
    return Weakest(last, n_a, n_b, 1) if n_parts == 1 else Weakest(None, 0, 0, n_parts)
