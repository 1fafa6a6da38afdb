"""Values that too many records share to mean anything: found by frequency, nulled in place.

A switchboard's number or a clerk's default date ties strangers into giant clusters. How many records may share a value
honestly is read off the data itself: the bulk of values says what is usual, and what stands far above it is suspect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.value_places import field_values
from core.matching.specs.spec import FieldSpec

# A value is suspect above `floor` records and above `ratio` times the count that all but 1 in 1,000 values stay below.
FLOORS: Mapping[str, int] = {"digits": 15, "email": 15, "date": 40}
RATIOS: Mapping[str, float] = {"digits": 4.0, "email": 4.0, "date": 8.0}
SHARED_FLOOR = 30
USUAL_QUANTILE = 0.999
# No value is usual that occurs more often than this: counts beyond are not told apart.
COUNTED_MAX = 1 << 20


def suspects_of(parts: Iterable[NDArray[np.uint64]], field: FieldSpec) -> NDArray[np.uint64]:
    """Find the suspicious values of a field of dates, digits or e-mail addresses.

    Args:
        parts: values of all records as `field_values` gives them, range by range; each value counts.
    Returns:
        Ascending; empty where none is suspect.
    Cost: one sort; 8 bytes a record.
    """
    values = np.concatenate([*(part.ravel() for part in parts), np.zeros(0, dtype=np.uint64)])
    floor = SHARED_FLOOR if field.shared else FLOORS[field.kind]
    return suspects(values, floor, RATIOS[field.kind])


def suspects(values: NDArray[np.uint64], floor: int, ratio: float) -> NDArray[np.uint64]:
    """Values far more frequent than the bulk; 0 (missing) is never one. Sorts `values` in place."""
    values.sort()
    present = values[np.searchsorted(values, np.uint64(0), side="right") :]
    if len(present) == 0:
        return present
    times = np.zeros(COUNTED_MAX + 1, dtype=np.int64)
    count_runs(present, times)
    n_distinct = int(times.sum())
    # The count at the quantile's lower place among all distinct values.
    place = int(np.floor(USUAL_QUANTILE * (n_distinct - 1)))
    usual = float(np.searchsorted(np.cumsum(times), place, side="right"))
    # The single most frequent value of a small file is its own quantile: the mean keeps it from excusing itself.
    usual = min(usual, 10.0 * len(present) / n_distinct)
    if n_distinct == 1:
        # Nothing else says what is usual, and a value that all records share tells none apart.
        usual = 0.0
    return frequent_runs(present, max(float(floor), ratio * usual))


@kernel
def count_runs(ordered: NDArray[np.uint64], times: NDArray[np.int64]) -> None:
    """How many distinct values occur once, twice, ...; counts beyond the table stand in its last place."""
    start = 0
    while start < len(ordered):
        end = start + 1
        while end < len(ordered) and ordered[end] == ordered[start]:
            end += 1
        times[min(end - start, len(times) - 1)] += 1
        start = end


@kernel
def frequent_runs(ordered: NDArray[np.uint64], above: float) -> NDArray[np.uint64]:
    """The values that occur more than `above` times, ascending."""
    found = np.empty(np.int64(len(ordered) / max(above, 1.0)) + 1, dtype=np.uint64)
    n_found, start = 0, 0
    while start < len(ordered):
        end = start + 1
        while end < len(ordered) and ordered[end] == ordered[start]:
            end += 1
        if end - start > above:
            found[n_found] = ordered[start]
            n_found += 1
        start = end
    return found[:n_found].copy()


def null_values(words: NDArray[np.uint32], layout: Layout, field: str, values: NDArray[np.uint64]) -> int:
    """Make some values of a field missing, in place; returns how many records changed."""
    if len(values) == 0:
        return 0
    hit = np.isin(field_values(words, layout, field), values).reshape(len(words), -1)
    for number, span in enumerate(layout.value_words(field)):
        words[hit[:, number], span] = 0
    return int(hit.any(axis=1).sum())
