"""Entity ids that last: a cluster of a new run keeps the published id of the records that it holds.

Each pair of a cluster and a published entity that share records is a claim. Claims are granted from the largest down,
ties to the oldest entity, then to the smallest id, then to the cluster named first; an id is granted once, a cluster
gets one. So a cluster keeps the id with which it shares most records, and of a split entity the largest part keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.clustering.entity_ids import entity_keys
from core.matching.clustering.keys128 import find_keys
from core.matching.jit import kernel
from core.matching.records.sources import WITHIN_ONE, Boundaries

UNPUBLISHED = 0
"""Published number of a record that no earlier run had, and of a cluster that gets a new id."""
KINDS = ("new", "merge", "split", "gone")


class Claims(NamedTuple):
    """Clusters and published entities that share records: (c,) cluster, published number, records shared."""

    cluster: NDArray[np.int64]
    published: NDArray[np.int64]
    n_records: NDArray[np.int64]


class Carried(NamedTuple):
    """What became of published entities.

    kept: (k,) published number of each cluster, or UNPUBLISHED. changes: `kind` (of KINDS), `cluster` and `published`
    (null where there is none), `n_records`. `merge` and `split` say that a cluster took so many records of a published
    entity whose id is gone (merge) or lives on elsewhere (split).
    """

    kept: NDArray[np.int64]
    changes: pl.DataFrame


def carry(
    clusters: NDArray[np.uint32], published: NDArray[np.uint32], ages: Sequence[int] | NDArray[np.int64],
    names: NDArray[np.uint64],
) -> Carried:  # fmt: skip
    """Give each cluster the id that it keeps, and say what changed.

    Args:
        clusters: (n,) cluster of each record, 0 to k - 1.
        published: (n,) number of the entity that holds the record now, 1 to m in the order of the ids; UNPUBLISHED.
        ages: (m + 1,) when each entity was first published, the oldest lowest; place 0 is not read.
        names: (k, 2) keys of the ids that the clusters would have if they were new.
    Cost: one sort of 8 bytes a record.
    """
    claims, kept, holder = _granted(clusters, published, ages, names)
    return Carried(kept, _changes(claims, kept, holder))


def kept_ids(
    clusters: NDArray[np.uint32], published: NDArray[np.uint32], ages: Sequence[int] | NDArray[np.int64],
    names: NDArray[np.uint64],
) -> NDArray[np.int64]:  # fmt: skip
    """Only `kept` of `carry`."""
    return _granted(clusters, published, ages, names)[1]


def _granted(
    clusters: NDArray[np.uint32], published: NDArray[np.uint32], ages: Sequence[int] | NDArray[np.int64],
    names: NDArray[np.uint64],
) -> tuple[Claims, NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    """Claims; published number that each cluster keeps; cluster that keeps each published number, or -1."""
    n_clusters, n_published = len(names), len(ages) - 1
    claims = _claims(clusters, published)
    kept = np.zeros(n_clusters, dtype=np.int64)
    holder = np.full(n_published + 1, -1, dtype=np.int64)
    rivals = np.bincount(claims.published, minlength=n_published + 1)
    choices = np.bincount(claims.cluster, minlength=n_clusters)
    sole = (rivals[claims.published] == 1) & (choices[claims.cluster] == 1)
    kept[claims.cluster[sole]] = claims.published[sole]
    holder[claims.published[sole]] = claims.cluster[sole]
    cluster, number, shared = (column[~sole] for column in claims)
    order = np.lexsort((names[cluster, 1], names[cluster, 0], number, np.asarray(ages)[number], -shared))
    grant(cluster[order], number[order], kept, holder)
    return claims, kept, holder


@kernel
def grant(
    clusters: NDArray[np.int64], published: NDArray[np.int64], kept: NDArray[np.int64], holder: NDArray[np.int64]
) -> None:
    """Grant claims in the order given: kept (k,) and holder (m + 1,; -1 free) are filled."""
    for at in range(len(clusters)):
        cluster, number = clusters[at], published[at]
        if kept[cluster] == 0 and holder[number] < 0:
            kept[cluster] = number
            holder[number] = cluster


def _claims(clusters: NDArray[np.uint32], published: NDArray[np.uint32]) -> Claims:
    known = published != UNPUBLISHED
    mixed = clusters[known].astype(np.uint64) << np.uint64(32) | published[known]
    pairs, n_records = np.unique(mixed, return_counts=True)
    return Claims(
        (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64), n_records
    )


def _changes(claims: Claims, kept: NDArray[np.int64], holder: NDArray[np.int64]) -> pl.DataFrame:
    taken = kept[claims.cluster] != claims.published
    lost = holder[claims.published] < 0
    unheard = np.bincount(claims.cluster, minlength=len(kept)) == 0
    empty = np.bincount(claims.published, minlength=len(holder)) == 0
    empty[UNPUBLISHED] = False
    frames = [
        _rows("new", np.flatnonzero(unheard), None, None),
        _rows("merge", *(column[taken & lost] for column in claims)),
        _rows("split", *(column[taken & ~lost] for column in claims)),
        _rows("gone", None, np.flatnonzero(empty), None),
    ]
    return pl.concat(frames)


def _rows(
    kind: str,
    cluster: NDArray[np.int64] | None,
    published: NDArray[np.int64] | None,
    n_records: NDArray[np.int64] | None,
) -> pl.DataFrame:
    height = len(cluster if cluster is not None else published if published is not None else ())
    columns = {"cluster": cluster, "published": published, "n_records": n_records}
    series = [
        pl.Series(name, [None] * height if values is None else values, dtype=pl.Int64)
        for name, values in columns.items()
    ]
    return pl.DataFrame([pl.Series("kind", [kind] * height, dtype=pl.String), *series])


def fresh_keys(
    rows: NDArray[np.uint32],
    ids: tuple[NDArray[np.uint8], NDArray[np.int64]],
    namespace: str,
    taken: NDArray[np.uint64],
    boundaries: Boundaries = WITHIN_ONE,
) -> NDArray[np.uint64]:
    """Name new entities as `entity_keys` does, but never by an id that is taken: one that lives, or once lived.

    The part that a split leaves with the record after which the entity was named would get its old id otherwise.

    Args:
        taken: (t, 2) keys of those ids.
    """
    found = entity_keys(rows, ids, namespace, boundaries)
    for nth in count(1):
        clashes = np.flatnonzero(find_keys(found, taken))
        if len(clashes) == 0:
            return found
        found[clashes] = entity_keys(rows[clashes], ids, f"{namespace}#{nth}", boundaries)
    raise AssertionError("count() does not end")
