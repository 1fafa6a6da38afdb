"""Clearing bank lines by keyboard alone: accept, undo, accept another, leave one for later."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from core.database import DatabaseManager
from tests.browser.workbench.conftest import SignedIn
from tests.web.receivables import suggested


def test_lines_are_cleared_by_keyboard_and_taken_back(
    address: str, db: DatabaseManager, signed_in: SignedIn, tmp_path: Path
) -> None:
    suggested(db, tmp_path, ["K1", "K2"])
    page = signed_in("kit", "reviewer")
    page.keyboard.press("g")
    page.keyboard.press("c")
    line = page.get_by_role("region", name="Bank line")
    expect(line).to_contain_text("K1")
    page.keyboard.press("2")
    expect(page.get_by_role("status")).to_contain_text("K1 is applied")
    expect(line).to_contain_text("K2")
    page.keyboard.press("z")
    expect(line).to_contain_text("K1: 777.31 EUR")
    page.keyboard.press("1")
    expect(page.get_by_role("status")).to_contain_text("K1 is applied")
    expect(line).to_contain_text("other payments came first")
    page.keyboard.press("2")
    expect(page.get_by_role("status")).to_contain_text("K2 is applied")
    expect(page.get_by_text("Nothing waits in this list")).to_be_visible()
