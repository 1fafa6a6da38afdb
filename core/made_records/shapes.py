"""Which record is of which entity, in which file: the same for every kind of record, before a word is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.made_records.draws import Draws

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Records:
    """Records before they are written. entity, source: (n,) true entity and file (from 0) of each; n_entities: of all.

    `keys`: (n,) a number of its own for each record, for draws.
    """

    entity: Ints
    source: Ints
    n_entities: int

    @property
    def keys(self) -> Ints:
        """(n,) a number of its own for each record."""
        return np.arange(len(self.entity), dtype=np.int64)


def one_file(rows: int, sizes: NDArray[np.float64], draws: Draws) -> Records:
    """Entities of 1, 2, ... records in one file, in a random order. sizes: share of the entities with each size."""
    cumulative = np.cumsum(sizes) / np.sum(sizes)
    candidates = np.arange(rows, dtype=np.int64)
    size = 1 + np.searchsorted(cumulative[:-1], draws.unit("records of one", candidates), side="right")
    entity = np.repeat(candidates, size)[:rows]
    order = np.argsort(draws.bits("order", np.arange(rows, dtype=np.int64)), kind="stable")
    return Records(entity[order], np.zeros(rows, dtype=np.int64), int(entity[-1]) + 1)


def two_files(rows: int, first: float, overlap: float, copies: float, draws: Draws) -> Records:
    """Two files that describe partly the same entities.

    Args:
        rows: of both files together.
        first: share of the rows that are in the first file; it has each entity once.
        overlap: share of the smaller file's entities that the other has too.
        copies: share of the second file's records that are one more copy of an entity that it has.
    """
    n_first = min(max(round(rows * first), 1), rows - 1)
    n_second = rows - n_first
    n_own = max(n_second - round(n_second * copies), 1)
    n_both = round(min(n_first, n_own) * overlap)
    n_entities = n_first + n_own - n_both
    # Entities of both files are scattered over all: what is alike by number stands in either file or in both.
    order = np.argsort(draws.bits("entities", np.arange(n_entities, dtype=np.int64)), kind="stable")
    both = order[:n_both]
    again = np.arange(n_second - n_own, dtype=np.int64)
    # Further copies are of entities that the first file has, if any: these are what its mentions are about.
    pool = both if n_both else order[n_first:]
    copied = pool[draws.below("copied", again, max(len(pool), 1))] if len(again) else again
    second = np.concatenate((both, order[n_first:], copied))
    entity = np.concatenate((_shuffled(order[:n_first], "first", draws), _shuffled(second, "second", draws)))
    return Records(entity, np.repeat(np.arange(2), (n_first, n_second)), n_entities)


def several_files(rows: int, n_files: int, share: float, draws: Draws) -> Records:
    """Entities that stand in one file or more, at most once in each. share: probability of each file beyond one."""
    entities = np.arange(rows, dtype=np.int64)
    home = draws.below("home", entities, n_files)
    has = np.stack([(home == k) | draws.flag(f"in {k}", entities, share) for k in range(n_files)], axis=1)
    entity, source = (places[:rows] for places in np.nonzero(has))
    order = np.argsort(draws.bits("order", np.arange(rows, dtype=np.int64)), kind="stable")
    return Records(entity[order].astype(np.int64), source[order].astype(np.int64), int(entity[-1]) + 1)


def families(entities: Ints, most: int, alone: float, draws: Draws) -> tuple[Ints, Ints]:
    """(family, number within it) of each entity: blocks of `most`, of which a share of members stand for themselves.

    Members of a family are alike in all but what is drawn by entity: variants of a product, offices of a company.
    """
    block, member = np.divmod(entities, most)
    single = draws.flag("alone", entities, alone)
    # A family of its own has a number that no block has.
    return np.where(single, -1 - entities, block) * 2 + 1, np.where(single, 0, member)


def _shuffled(entities: Ints, name: str, draws: Draws) -> Ints:
    return entities[np.argsort(draws.bits(f"order {name}", np.arange(len(entities), dtype=np.int64)), kind="stable")]
