import numpy as np
import polars as pl

from core.linkage.history.kept_apart import KEPT_APART, in_words, linking_notices, notices_of, with_kept_apart
from core.matching.clustering.contested import BY
from core.matching.scoring.calibration.held_out import Calibration


def test_pairs_kept_apart_are_for_review_with_their_alternatives_counted() -> None:
    pairs = pl.DataFrame(
        {"confidence": [0.99, 0.98, 0.5], "decision": ["match", "match", "review"], "passes": [1, 1, 2]}
    )
    columns = {"left": [0], "right": [5], "bits": [-1.0], KEPT_APART[0]: ["rival"], KEPT_APART[1]: ["7"]}
    types = {"left": pl.UInt32, "right": pl.UInt32, "bits": pl.Float32}
    apart = pl.DataFrame(columns, schema_overrides=types)
    ends = np.array([0, 0, 3], dtype=np.uint32), np.array([4, 5, 4], dtype=np.uint32)
    found = with_kept_apart(pairs, apart, ends, Calibration())
    assert found["decision"].to_list() == ["match", "review", "review"]
    assert found["confidence"].round(6).to_list() == [0.99, 0.333333, 0.5]
    assert found.select(KEPT_APART).rows() == [(None, None), ("rival", "7"), (None, None)]
    nothing = with_kept_apart(pairs, apart.clear(), ends, Calibration())
    assert nothing.columns == found.columns
    assert nothing.drop(KEPT_APART).equals(pairs)


def test_each_reason_is_said_in_words_and_counted_in_one_notice() -> None:
    assert in_words("record", "7") == "record 7 does not fit the entity of the other"
    assert in_words("decision", "ann") == "a decision by ann"
    assert in_words(None, None) is None
    assert all(in_words(by, "7") for by in BY)
    assert notices_of({}) == []
    (notice,) = notices_of(dict.fromkeys(BY, 2))
    assert notice.startswith("10 pairs were accepted by their score and not joined: 2 for records")


def test_lost_partners_are_counted_in_a_notice_of_their_own_that_names_the_way_out() -> None:
    assert notices_of({"partner": 3}) == []
    assert linking_notices(None, ["a.csv", "b.csv"]) == []
    assert linking_notices({"lost": 0, "better_partner": [0, 0]}, ["a.csv", "b.csv"]) == []
    (notice,) = linking_notices({"lost": 1200, "better_partner": [3, 1199]}, ["a.csv", "b.csv"])
    assert notice == (
        "1,200 pairs at or above the threshold were not taken because a record had a better partner "
        "(3 times one of a.csv, 1,199 times one of b.csv); `shared` b.csv lets its records have several"
    )
    (notice,) = linking_notices({"lost": 1, "better_partner": [0, 0, 0]}, ["a.csv", "b.csv", "c.csv"])
    assert notice.endswith("because a record had a better partner")
    (notice,) = linking_notices({"asked": 9, "answered": 7}, ["a.csv", "b.csv"])
    assert notice == "7 of 9 records got an answer, 2 none"
