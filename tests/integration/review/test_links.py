"""Verdicts on pairs that would contradict others are refused before they hold."""

from __future__ import annotations

import pytest

from core.database import DatabaseManager
from core.errors import Conflict
from core.review.items import claim, find
from core.review.links import consistent
from core.review.verdicts import Policy, Said, give
from tests.integration.review.test_items import AT, cases, filled

POLICY = Policy(("match", "differ"), second_share=0.0, check=consistent("match", "differ"))


def judge(db: DatabaseManager, topic: str, pair: str, verdict: str) -> None:
    (item,) = [each for each in claim(db, topic, "ann", AT) if "".join(each.subject) == pair]
    give(db, "ann", Said(item.item_id, item.version, verdict, f"{topic} {pair} {verdict}"), AT, POLICY)


def test_two_records_that_others_make_one_are_not_told_apart(db: DatabaseManager) -> None:
    filled(db, "t/chain", cases("ab", "bc", "cd", "ad"))
    for pair in ("ab", "bc", "cd"):
        judge(db, "t/chain", pair, "match")
    with pytest.raises(Conflict, match="other verdicts make these two one"):
        judge(db, "t/chain", "ad", "differ")
    judge(db, "t/chain", "ad", "match")


def test_two_records_that_somebody_told_apart_are_not_joined_by_a_chain(db: DatabaseManager) -> None:
    filled(db, "t/apart", cases("ad", "ab", "cd", "bc"))
    judge(db, "t/apart", "ad", "differ")
    judge(db, "t/apart", "ab", "match")
    judge(db, "t/apart", "cd", "match")
    with pytest.raises(Conflict, match="ann said at 2026-02-03 04:05 UTC that a and d are two"):
        judge(db, "t/apart", "bc", "match")
    judge(db, "t/apart", "bc", "unsure")


def test_a_verdict_may_be_overruled_by_its_opposite(db: DatabaseManager) -> None:
    filled(db, "t/over", cases("ab"))
    (item,) = claim(db, "t/over", "ann", AT)
    give(db, "ann", Said(item.item_id, item.version, "match", "t/over 1"), AT, POLICY)
    now = find(db, item.item_id)
    give(db, "bob", Said(item.item_id, now.version, "differ", "t/over 2"), AT, POLICY)
    assert find(db, item.item_id).verdict == "differ"
