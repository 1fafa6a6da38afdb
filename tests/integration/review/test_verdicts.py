"""Verdicts, second looks and undos: the first wins, and all of it is in the ledger."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier

import psycopg
import pytest

from core.database import DatabaseManager
from core.errors import Conflict, InputError, StoreError
from core.review.audit.sealer import seal_all
from core.review.audit.verify import verify
from core.review.items import Item, claim, find
from core.review.verdicts import (
    LEAVES_IN,
    Outcome,
    Policy,
    Said,
    give,
    holding,
    leaves,
    recent,
    second_looks,
    stated_and_said,
    take_back,
)
from tests.integration.review.test_items import AT, cases, filled

POLICY = Policy(("match", "differ"), ("same household",), second_share=0.0)
TWICE = Policy(("match", "differ"), second_share=1.0)


def one_case(db: DatabaseManager, topic: str) -> Item:
    filled(db, topic, cases("ab"))
    (item,) = claim(db, topic, "ann", AT)
    return item


def said(item: Item, verdict: str = "match", key: str = "first") -> Said:
    """A verdict whose key no other topic has."""
    return Said(item.item_id, item.version, verdict, f"{item.topic} {key}")


def test_the_first_verdict_wins_and_the_second_person_is_told_who_and_when(db: DatabaseManager) -> None:
    item = one_case(db, "t/first")
    give(db, "ann", said(item), AT, POLICY)
    with pytest.raises(Conflict, match=r"decided meanwhile: match, by ann at 2026-02-03 04:05:06 UTC") as late:
        give(db, "bob", said(item, "differ"), AT, POLICY)
    assert (late.value.by, late.value.at, late.value.verdict) == ("ann", AT, "match")
    now = find(db, item.item_id)
    assert (now.verdict, now.decided_by, now.state) == ("match", "ann", "settled")
    give(db, "bob", said(now, "differ", "overrule"), AT, POLICY)
    assert find(db, item.item_id).verdict == "differ"


def test_two_verdicts_at_the_same_moment_leave_one(db: DatabaseManager) -> None:
    item, together = one_case(db, "t/moment"), Barrier(2)

    def judge(actor: str) -> Outcome | Conflict:
        together.wait()
        try:
            return give(db, actor, said(item), AT, POLICY)
        except Conflict as late:
            return late

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(judge, ["ann", "bob"]))
    assert sorted(type(end).__name__ for end in ends) == ["Conflict", "Outcome"]


def test_a_double_click_is_one_event(db: DatabaseManager) -> None:
    item, together = one_case(db, "t/twice"), Barrier(2)

    def click(_: int) -> Outcome:
        together.wait()
        return give(db, "ann", said(item), AT, POLICY)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(click, range(2))
    assert one.event_id == other.event_id
    assert sorted([one.repeated, other.repeated]) == [False, True]
    with pytest.raises(InputError, match="named another verdict before"):
        give(db, "ann", said(item, "differ"), AT, POLICY)


def test_a_verdict_on_other_values_than_those_of_now_is_refused(db: DatabaseManager) -> None:
    item = one_case(db, "t/stale")
    filled(db, "t/stale", cases("ab", seen="v2"), job_id=2)
    with pytest.raises(Conflict, match="has changed since it was shown"):
        give(db, "ann", said(item), AT, POLICY)
    assert holding(db, "t/stale") == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Said(1, 1, "yes", "k"), "'yes' is no verdict; say one of match, differ, unsure"),
        (Said(1, 1, "match", "k", "because Ann Smith said so"), "the reason is none of same household"),
        (Said(1, 1, "match", ""), "a request's key has 1 to 200 characters"),
        (Said(999_999, 1, "match", "k"), "there is no case 999999"),
    ],
)
def test_what_cannot_be_said_is_refused_in_words(db: DatabaseManager, given: Said, says: str) -> None:
    with pytest.raises(InputError, match=says):
        give(db, "ann", given, AT, POLICY)


def test_a_check_that_refuses_leaves_nothing(db: DatabaseManager) -> None:
    item = one_case(db, "t/check")

    def no(_conn: psycopg.Connection[object], _item: Item, _verdict: str) -> None:
        raise Conflict("others say otherwise")

    with pytest.raises(Conflict, match="others say otherwise"):
        give(db, "ann", said(item), AT, Policy(("match",), check=no))
    assert holding(db, "t/check") == []


def test_undo_brings_back_what_held_before_and_hands_the_case_to_its_author(db: DatabaseManager) -> None:
    item = one_case(db, "t/undo")
    give(db, "ann", said(item), AT, POLICY)
    over = give(db, "bob", said(find(db, item.item_id), "differ"), AT, POLICY)
    back = take_back(db, "bob", over.event_id, "t/undo z", AT)
    assert not back.repeated
    assert take_back(db, "bob", over.event_id, "t/undo z", AT).repeated
    now = find(db, item.item_id)
    assert (now.verdict, now.decided_by, now.state, now.returned) == ("match", "ann", "open", "undone")
    assert claim(db, "t/undo", "cid", AT) == []
    assert [each.item_id for each in claim(db, "t/undo", "bob", AT)] == [item.item_id]
    with pytest.raises(Conflict, match="was taken back already, by bob at"):
        take_back(db, "bob", over.event_id, "t/undo z2", AT)


def test_undo_of_what_others_built_on_is_refused(db: DatabaseManager) -> None:
    item = one_case(db, "t/built")
    first = give(db, "ann", said(item), AT, POLICY)
    give(db, "bob", said(find(db, item.item_id), "differ"), AT, POLICY)
    with pytest.raises(Conflict, match="decided meanwhile: differ, by bob"):
        take_back(db, "ann", first.event_id, "t/built z", AT)
    with pytest.raises(InputError, match="is no verdict of cid"):
        take_back(db, "cid", first.event_id, "t/built z", AT)


def test_second_look_is_another_persons_and_does_not_change_what_holds(db: DatabaseManager) -> None:
    item = one_case(db, "t/second")
    give(db, "ann", said(item), AT, TWICE)
    later = AT + timedelta(hours=1)
    assert claim(db, "t/second", "ann", later) == []
    (again,) = claim(db, "t/second", "bob", later)
    look = give(db, "bob", said(again, "differ"), later, TWICE)
    assert (look.kind, look.agrees) == ("second", False)
    now = find(db, item.item_id)
    assert (now.verdict, now.decided_by, now.state, now.returned) == ("match", "ann", "open", "disagreement")
    assert second_looks(db, "t/second") == [("match", "differ")]
    take_back(db, "bob", look.event_id, "t/second z", later)
    assert find(db, item.item_id).state == "second"
    assert second_looks(db, "t/second") == []


def test_second_looks_are_about_the_share_that_was_asked(db: DatabaseManager) -> None:
    filled(db, "t/share", cases(*(f"{n:03d}" for n in range(200)), first_value=500))
    policy = Policy(("match",), second_share=0.05)
    kept = [
        give(db, "ann", said(item, key=str(item.item_id)), AT, policy).item_id
        for _ in range(2)
        for item in claim(db, "t/share", "ann", AT, n_most=100)
    ]
    assert len(kept) == 200
    n_second = len(claim(db, "t/share", "bob", AT, n_most=100))
    assert 2 <= n_second <= 25


def test_recent_lists_what_still_stands_the_last_first(db: DatabaseManager) -> None:
    filled(db, "t/recent", cases("ab", "cd"))
    one, two = claim(db, "t/recent", "ann", AT)
    first = give(db, "ann", said(one, key="1"), AT, POLICY)
    second = give(db, "ann", said(two, "unsure", "2"), AT, POLICY)
    assert [(each.event_id, each.verdict) for each in recent(db, "t/recent", "ann")] == [
        (second.event_id, "unsure"),
        (first.event_id, "match"),
    ]
    take_back(db, "ann", second.event_id, "t/recent z", AT)
    assert [each.event_id for each in recent(db, "t/recent", "ann")] == [first.event_id]
    assert [(each.subject, each.verdict) for each in holding(db, "t/recent")] == [
        (("a", "b"), "match"),
        (("c", "d"), None),
    ]
    assert stated_and_said(db, "t/recent") == [(0.6, "match")]


def test_ledger_holds_every_word_and_finds_the_one_that_was_changed(db: DatabaseManager) -> None:
    item = one_case(db, "t/ledger")
    word = give(db, "ann", Said(item.item_id, item.version, "match", "ledger", "same household"), AT, POLICY)
    take_back(db, "ann", word.event_id, "t/ledger z", AT)
    seal_all(db, "test")
    check = partial(verify, db, {LEAVES_IN: leaves}, "default")
    (report,) = check()
    assert report.sound, report.faults
    for how in ("UPDATE review_verdicts SET actor = 'bob'", "DELETE FROM review_verdicts"):
        with pytest.raises(StoreError) as refused, db.transaction() as conn:
            conn.execute(how)  # type: ignore[arg-type]
        assert refused.value.sqlstate == "42501"
    with db.transaction() as conn:
        conn.execute("ALTER TABLE review_verdicts DISABLE TRIGGER ALL")
        conn.execute("UPDATE review_verdicts SET verdict = 'differ' WHERE event_id = %s", (word.event_id,))
    (report,) = check()
    assert [(fault.kind, fault.table, fault.event_id) for fault in report.faults] == [
        ("changed", "review_verdicts", word.event_id)
    ]
