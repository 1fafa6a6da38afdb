"""Wide passes: keys so general that they also bring together what is wrong in many places, where there is room for it.

Pairs of a general key grow with the square of the records, so few records leave room for many such passes and a million
for none. How many pairs a pass makes is known before one is made.
"""

from __future__ import annotations

from collections.abc import Sequence

ROOM_PAIRS = 4_000_000
ROOM_ROWS = 1_000_000


def room_of(n_rows: int) -> int:
    """Most pairs that the wide passes of a job may make together: the fewer the more rows, from ROOM_ROWS on none."""
    return max(ROOM_PAIRS * (ROOM_ROWS - n_rows) // ROOM_ROWS, 0)


def fitting(pairs: Sequence[int], room: int) -> list[bool]:
    """Which passes there is room for, in the order given; one that does not fit leaves its room to those behind it."""
    found = []
    for n_pairs in pairs:
        found.append(n_pairs <= room)
        room -= n_pairs if n_pairs <= room else 0
    return found
