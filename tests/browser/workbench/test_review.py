"""Deciding pairs by keyboard alone, with undo, and two people at one list."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from core.database import DatabaseManager
from core.review.verdicts import holding
from core.workloads.identity.reviewing.cases import topic
from tests.browser.workbench.conftest import SignedIn
from tests.web.pairs import published


def said(db: DatabaseManager, dataset: str) -> dict[str, str | None]:
    return {each.subject[0]: each.verdict for each in holding(db, topic(dataset))}


def test_pairs_are_decided_by_keyboard_and_taken_back(address: str, db: DatabaseManager, signed_in: SignedIn) -> None:
    published(db, "keys", n_pairs=12)
    page = signed_in("kim", "reviewer")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.get_by_role("link", name="keys").click()
    page.keyboard.press("b")
    case = page.locator("article.case:visible")
    undos = page.locator("[data-undo] li")
    for at, key in enumerate("axuaxaxaxa"):
        expect(case).to_contain_text(f"a{at}")
        page.keyboard.press(key)
    expect(case).to_contain_text("a10")
    expect(undos).to_have_count(10)
    words = {"a": "match", "x": "differ", "u": "unsure"}
    assert said(db, "keys") == {f"a{at}": words[key] for at, key in enumerate("axuaxaxaxa")}

    for at in (9, 8, 7):
        page.keyboard.press("z")
        expect(case).to_contain_text(f"a{at}")
    expect(undos).to_have_count(7)
    assert [word for word in said(db, "keys").values() if word is None] == [None] * 3

    page.keyboard.press("w")
    expect(case.get_by_text("Evidence in bits")).to_be_attached()
    expect(case.locator("details")).to_have_attribute("open", "")
    page.keyboard.press("j")
    expect(case).to_contain_text("a8")
    page.keyboard.press("k")
    expect(case).to_contain_text("a7")
    page.reload()
    expect(case).to_contain_text("a7")


def test_the_second_of_two_is_told_and_sees_the_pair_again(
    address: str, db: DatabaseManager, signed_in: SignedIn
) -> None:
    published(db, "both", n_pairs=3)
    one = signed_in("one", "reviewer")
    one.goto(f"{address}/identity/both/review")
    one.keyboard.press("b")
    other = one.context.new_page()
    other.goto(f"{address}/identity/both/review")
    expect(other.locator("article.case:visible")).to_contain_text("a0")
    one.keyboard.press("a")
    expect(one.locator("[data-undo] li")).to_have_count(1)
    other.keyboard.press("x")
    expect(other.locator("[data-said]")).to_have_text(re.compile("decided meanwhile: match, by one at"))
    expect(other.locator("article.case:visible")).to_contain_text("a0")
    assert said(db, "both") == {"a0": "match"}


def test_verdicts_wait_while_the_server_does_not_answer(address: str, db: DatabaseManager, signed_in: SignedIn) -> None:
    published(db, "away", n_pairs=5)
    page = signed_in("pat", "reviewer")
    page.goto(f"{address}/identity/away/review")
    page.keyboard.press("b")
    expect(page.locator("article.case:visible")).to_contain_text("a0")
    page.context.set_offline(True)
    page.keyboard.press("a")
    page.keyboard.press("x")
    expect(page.locator("article.case:visible")).to_contain_text("a2")
    expect(page.locator("[data-said]")).to_contain_text("2 not saved yet")
    page.context.set_offline(False)
    expect(page.locator("[data-undo] li")).to_have_count(2)
    expect(page.locator("[data-said]")).to_have_text("")
    assert said(db, "away") == {"a0": "match", "a1": "differ"}
