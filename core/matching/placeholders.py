"""Values that too many records share to mean anything: found by frequency, nulled in place.

A switchboard's number or a clerk's default date ties strangers into giant clusters. How many records may share a value
honestly is read off the data itself: the bulk of values says what is usual, and what stands far above it is suspect.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.matching.layout import Layout
from core.matching.vocabulary import field_values

# A value is suspect above `floor` records and above `ratio` times the count that all but 1 in 1,000 values stay below.
FLOORS: Mapping[str, int] = {"digits": 15, "email": 15, "date": 40}
RATIOS: Mapping[str, float] = {"digits": 4.0, "email": 4.0, "date": 8.0}
SHARED_FLOOR = 30
USUAL_QUANTILE = 0.999


def placeholders(words: NDArray[np.uint32], layout: Layout) -> dict[str, NDArray[np.uint64]]:
    """Find suspicious values of dates, digits and e-mail addresses.

    Returns:
        Per such field the values (as `field_values` gives them), ascending; an empty array where none is suspect.
    Cost: one sort per field.
    """
    found = {}
    for field in layout.spec.fields:
        if field.kind in FLOORS:
            values = field_values(words, layout, field.name)
            floor = SHARED_FLOOR if field.shared else FLOORS[field.kind]
            found[field.name] = suspects(values, floor, RATIOS[field.kind])
    return found


def suspects(values: NDArray[np.uint64], floor: int, ratio: float) -> NDArray[np.uint64]:
    """Values far more frequent than the bulk; 0 (missing) is never one."""
    distinct, counts = np.unique(values[values != 0], return_counts=True)
    if len(distinct) == 0:
        return distinct
    usual = float(np.quantile(counts, USUAL_QUANTILE, method="lower"))
    # The single most frequent value of a small file is its own quantile: the mean keeps it from excusing itself.
    usual = min(usual, 10.0 * float(counts.mean()))
    return distinct[counts > max(floor, ratio * usual)]


def null_values(words: NDArray[np.uint32], layout: Layout, field: str, values: NDArray[np.uint64]) -> int:
    """Make some values of a field missing, in place; returns how many records changed."""
    if len(values) == 0:
        return 0
    hit = np.isin(field_values(words, layout, field), values)
    words[hit, layout.words_of(field)] = 0
    return int(hit.sum())
