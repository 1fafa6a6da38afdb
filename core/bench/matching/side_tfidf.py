"""What plain TF-IDF finds, the floor of every kind: `python -m core.bench.matching.side_tfidf`.

Cosine over words and 4-grams of one text a record, each half of the weight. Between two files a pair is what is the
best of both above 0.3; records of a file whose entities may stand in it several times each go to their best. In one
file a pair is what is above 0.4. It learns nothing and is told nothing but the columns of text.

The process reads `{"input": [...], "out": ..., "pairs": ..., "settings": {...}}` from standard input, writes id and
entity_id (whatever pairs join) to `out`, id_a and id_b to `pairs`, and prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from scipy.sparse.csgraph import connected_components

from core.bench.harness.clock import Clock

Pairs = NDArray[np.int64]
CHUNK_ROWS = 500
LINK_THRESHOLD, FILE_THRESHOLD = 0.3, 0.4


def main() -> None:
    """Do the one job."""
    sys.stdout.write(json.dumps(run(json.loads(sys.stdin.readline()))) + "\n")


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Read, weigh, compare; each timed. Cost: the pairs that share a feature; minutes at 50,000 rows."""
    settings, clock = order["settings"], Clock()
    files = [pl.read_parquet(path) for path in order["input"]]
    ids = pl.concat([one["id"] for one in files])
    clock.lap("read")
    pairs = found_pairs(files, settings["columns"], settings["shared"])
    clock.lap("compare")
    graph = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ids), len(ids)))
    entity = connected_components(graph, directed=False)[1]
    pl.DataFrame({"id": ids, "entity_id": entity}).write_parquet(order["out"])
    pl.DataFrame({"id_a": ids.gather(pairs[:, 0]), "id_b": ids.gather(pairs[:, 1])}).write_parquet(order["pairs"])
    clock.lap("write")
    return {"stages": clock.seconds, "candidate_pairs": None, "version": ""}


def found_pairs(files: list[pl.DataFrame], columns: list[str], shared: list[int]) -> Pairs:
    """(k, 2) rows of the files behind each other that are one. shared: files whose records may be several of one."""
    joined = pl.concat_str(columns, separator=" ", ignore_nulls=True).fill_null("").alias("text")
    features = weights(pl.concat([one.select(joined) for one in files])["text"])
    bounds = np.cumsum([0, *(len(one) for one in files)])
    if len(files) == 1:
        return above(features, FILE_THRESHOLD)
    found = []
    for left in range(len(files)):
        for right in range(left + 1, len(files)):
            sides = features[bounds[left] : bounds[left + 1]], features[bounds[right] : bounds[right + 1]]
            pairs = best(*sides, LINK_THRESHOLD, (left in shared, right in shared))
            found.append(pairs + np.array([bounds[left], bounds[right]]))
    return np.concatenate(found)


def weights(texts: pl.Series) -> Any:
    """(n, features) sparse rows of length 1: TF-IDF of the words and of the 4-grams, each of length sqrt(1/2)."""
    plain = texts.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    grams = [[text[at : at + 4] for at in range(max(len(text) - 3, 1))] for text in plain]
    return hstack([_rows(plain.str.split(" ")), _rows(pl.Series(grams, dtype=pl.List(pl.String)))]).tocsr() * 0.5**0.5


def _rows(lists: pl.Series) -> Any:
    frame = pl.DataFrame({"row": np.arange(len(lists)), "feature": lists}).explode("feature")
    count = frame.group_by("row", "feature").len("tf")
    df = count.group_by("feature").len("df").sort("feature").with_row_index("column")
    rows = count.join(df, on="feature").sort("row", "column")
    rows = rows.with_columns(w=pl.col("tf") * (1 + len(lists) / pl.col("df")).log())
    rows = rows.with_columns(w=pl.col("w") / (pl.col("w") ** 2).sum().over("row").sqrt())
    return csr_matrix((rows["w"], (rows["row"], rows["column"])), shape=(len(lists), len(df)))


def above(features: Any, threshold: float) -> Pairs:
    """(k, 2) pairs of rows with a cosine above the threshold, the first below the second."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for low in range(0, features.shape[0], CHUNK_ROWS):
        cosine = (features[low : low + CHUNK_ROWS] @ features.T).tocoo()
        kept = (cosine.data > threshold) & (cosine.row + low < cosine.col)
        found.append(np.stack([cosine.row[kept] + low, cosine.col[kept]], axis=1).astype(np.int64))
    return np.concatenate(found)


def best(left: Any, right: Any, threshold: float, shared: tuple[bool, bool]) -> Pairs:
    """(k, 2) pairs above the threshold that are the best of both; of the one side only if its file is shared."""
    (partner, score), (back, back_score) = _nearest(left, right), _nearest(right, left)
    rows, others = np.arange(left.shape[0]), np.arange(right.shape[0])
    if shared[1]:
        kept = back_score > threshold
        return np.stack([back[kept], others[kept]], axis=1)
    kept = score > threshold
    if not shared[0]:
        kept &= back[partner] == rows
    return np.stack([rows[kept], partner[kept]], axis=1)


def _nearest(left: Any, right: Any) -> tuple[Pairs, NDArray[np.float64]]:
    """Of each row of the left the nearest of the right, the first of equal ones, and their cosine."""
    partner, score = [], []
    for low in range(0, left.shape[0], CHUNK_ROWS):
        cosine = (left[low : low + CHUNK_ROWS] @ right.T).toarray()
        partner.append(cosine.argmax(axis=1))
        score.append(cosine.max(axis=1))
    return np.concatenate(partner), np.concatenate(score)


if __name__ == "__main__":
    main()
