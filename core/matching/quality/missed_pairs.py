"""Whether a run made a pair that shares a key: a large block is cut at refinements, and what stays large windowed.

The verdict is found by the functions that the run itself used, on the records of the one block.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.blocks import SAME, Blocks, Cut, cut, refine_blocks, windowed_order
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Placing:
    """Where two records of one block of a pass stand to each other.

    cut_by: the refinement key that first tells them apart, in different parts. part_records: of the part they share, or
    of the smaller one of their two. places_apart: in a part larger than the window, else None. no_room: the pass is a
    wide one that the run left out.
    """

    pass_name: str
    block_records: int
    window: int
    part_records: int
    cut_by: str | None = None
    places_apart: int | None = None
    no_room: bool = False

    @property
    def made(self) -> bool:
        """Whether the run made the pair."""
        return (
            not self.no_room and self.cut_by is None and (self.places_apart is None or self.places_apart < self.window)
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    def why(self) -> str:
        """Why the pair was not made, in words."""
        if self.no_room:
            return "a wide pass, for whose pairs the run had no room"
        block = f"its block of {self.block_records:,} records, more than {self.window}, was"
        if self.cut_by is not None:
            return f"{block} cut at {self.cut_by}, in which the two differ"
        inside = "" if self.part_records == self.block_records else f" cut to a part of {self.part_records:,}, and that"
        return (
            f"{block}{inside} windowed: a record meets the next {self.window - 1}, the two stand "
            f"{self.places_apart:,} places apart"
        )


def place(
    words: NDArray[np.uint32],
    vocabulary: Vocabulary,
    layout: Layout,
    number: int,
    pair: tuple[int, int],
    window: int,
) -> Placing:
    """Place two records in a block as `plan` and `match` do.

    Args:
        words: (n, stride) the records of the block, in the order of their rows.
        number: the pass. pair: places of the two in `words`.
    """
    name = layout.spec.passes[number].name
    depth = np.full(len(words), SAME, dtype=np.uint8)
    depth[0] = 0
    blocks = Blocks(np.arange(len(words), dtype=np.uint32), depth)
    refine_blocks(blocks, words, vocabulary, layout, number)
    parts = cut(blocks, window, len(layout.refinements[number]))
    stand = np.empty(len(words), dtype=np.int64)
    stand[blocks.rows] = np.arange(len(words))
    first, last = sorted(int(stand[each]) for each in pair)
    inside, sizes = _parts_of(parts, (first, last))
    if inside[0] != inside[1] or inside[0] is None:
        level = int(blocks.depth[first + 1 : last + 1].min())
        return Placing(name, len(words), window, min(sizes), cut_by=layout.spec.passes[number].refine[level - 1])
    if sizes[0] <= window:
        return Placing(name, len(words), window, sizes[0])
    start = int(parts.starts[inside[0]])
    rows = blocks.rows[start : start + sizes[0]]
    ordered = windowed_order(words, rows, np.zeros(len(rows), dtype=np.uint64), window)
    one, two = (int(np.flatnonzero(ordered == each)[0]) for each in pair)
    return Placing(name, len(words), window, sizes[0], places_apart=abs(one - two))


def _parts_of(parts: Cut, places: tuple[int, int]) -> tuple[list[int | None], list[int]]:
    """For each place the part that holds it, None where it is alone, and how many records that has."""
    found: list[int | None] = []
    sizes: list[int] = []
    for place_ in places:
        at = int(np.searchsorted(parts.starts, place_, side="right")) - 1
        held = at >= 0 and place_ < int(parts.starts[at]) + int(parts.sizes[at])
        found.append(at if held else None)
        sizes.append(int(parts.sizes[at]) if held else 1)
    return found, sizes
