"""Cases filled by runs and handed out to people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import InputError
from core.review.items import BETWEEN, LEASE_S, Counts, claim, counts, decided, fill, find, release
from core.review.verdicts import Policy, Said, give

AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
LATER = AT + timedelta(seconds=LEASE_S)
POLICY = Policy(("match", "differ"), second_share=0.0)


def cases(*pairs: str, seen: str = "v1", level: str = "alike", first_value: float = 9.0) -> pl.DataFrame:
    """One case a pair, `ab` for a and b; the first is the dearest."""
    return pl.DataFrame(
        {
            "subject": [BETWEEN.join(pair) for pair in pairs],
            "seen": [seen] * len(pairs),
            "facts": [f'{{"pattern": "{level}"}}'] * len(pairs),
            "probability": [0.6] * len(pairs),
            "value": [first_value - at for at in range(len(pairs))],
        }
    )


def filled(db: DatabaseManager, topic: str, found: pl.DataFrame, job_id: int = 1) -> None:
    with db.transaction() as conn:
        fill(conn, topic, job_id, found)


def subjects(db: DatabaseManager, topic: str, actor: str, at: datetime = AT, n_most: int = 10) -> list[str]:
    return ["".join(item.subject) for item in claim(db, topic, actor, at, n_most=n_most)]


def test_claim_gives_the_dearest_to_one_person_until_the_lease_ends(db: DatabaseManager) -> None:
    filled(db, "t/claim", cases("ab", "cd", "ef"))
    assert subjects(db, "t/claim", "ann", n_most=2) == ["ab", "cd"]
    assert subjects(db, "t/claim", "bob") == ["ef"]
    assert subjects(db, "t/claim", "ann") == ["ab", "cd"], "a page that is loaded again shows the same"
    assert subjects(db, "t/claim", "bob", LATER) == ["ab", "cd", "ef"]


def test_claim_passes_over_what_the_page_has_already(db: DatabaseManager) -> None:
    filled(db, "t/held", cases("ab", "cd"))
    (first,) = claim(db, "t/held", "ann", AT, n_most=1)
    assert [item.subject for item in claim(db, "t/held", "ann", AT, held=[first.item_id])] == [("c", "d")]
    release(db, "bob", [first.item_id])
    assert subjects(db, "t/held", "bob") == [], "another's lease is not his to give back"
    release(db, "ann", [first.item_id])
    assert subjects(db, "t/held", "bob") == ["ab"]


def test_claim_refuses_to_hand_out_a_whole_list(db: DatabaseManager) -> None:
    with pytest.raises(InputError, match="1000 cases at once; 1 to 100"):
        claim(db, "t/any", "ann", AT, n_most=1000)


def test_two_claims_at_once_do_not_wait_and_do_not_share(db: DatabaseManager) -> None:
    filled(db, "t/race", cases("ab", "cd"))
    with db.transaction() as conn:
        conn.execute("SELECT 1 FROM review_items WHERE topic = 't/race' AND subject = '{a,b}' FOR UPDATE")
        assert subjects(db, "t/race", "bob") == ["cd"]


def test_fill_drops_what_is_no_longer_asked_and_keeps_what_was_answered(db: DatabaseManager) -> None:
    filled(db, "t/fill", cases("ab", "cd", "ef"))
    first, *_ = claim(db, "t/fill", "ann", AT)
    give(db, "ann", Said(first.item_id, first.version, "match", "t/fill"), AT, POLICY)
    filled(db, "t/fill", cases("cd"), job_id=2)
    assert counts(db, AT, "t/fill") == [Counts("t/fill", open=1, second=0, settled=1, returned=0, taken=1)]
    assert find(db, first.item_id).verdict == "match"


def test_fill_asks_again_when_the_values_changed_and_the_verdict_holds_on(db: DatabaseManager) -> None:
    filled(db, "t/again", cases("ab"))
    (item,) = claim(db, "t/again", "ann", AT)
    give(db, "ann", Said(item.item_id, item.version, "differ", "t/again"), AT, POLICY)
    filled(db, "t/again", cases("ab"), job_id=2)
    assert claim(db, "t/again", "bob", AT) == []
    filled(db, "t/again", cases("ab", seen="v2"), job_id=3)
    (back,) = claim(db, "t/again", "bob", AT)
    assert (back.returned, back.verdict, back.version) == ("values", "differ", item.version + 2)
    with db.transaction() as conn:
        assert decided(conn, "t/again") == [(("a", "b"), "v2")]


def test_find_names_the_number_that_there_is_not(db: DatabaseManager) -> None:
    with pytest.raises(InputError, match="there is no case 999999 to review"):
        find(db, 999_999)
