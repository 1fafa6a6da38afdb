"""Every page in light and dark, wide and narrow: a picture of each is kept, none scrolls sideways."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from core.database import DatabaseManager
from tests.browser.workbench.conftest import SignedIn
from tests.web.pairs import published
from tests.web.receivables import settled, suggested

Scheme = Literal["light", "dark"]
PAGES = {
    "start": "/",
    "account": "/account",
    "identity": "/identity",
    "job": "/identity/jobs/1",
    "review": "/identity/shown/review",
    "lookup": "/identity/shown/lookup",
    "why": "/identity/shown/why",
    "runs": "/identity/shown/runs",
    "bank-lines": "/invoices/payments?state=applied",
    "bank-line": "/invoices/payment?id=P1",
    "to-clear": "/invoices/match",
    "aging": "/invoices/aging",
    "queue": "/operations/queue",
    "workers": "/operations/workers",
    "dead-letters": "/operations/dead-letters",
    "scaling": "/operations/scaling",
    "audit": "/audit",
    "problem": "/nowhere",
}


@pytest.fixture(scope="module")
def job_id(db: DatabaseManager, tmp_path_factory: pytest.TempPathFactory) -> int:
    settled(db, tmp_path_factory.mktemp("receivables"))
    suggested(db, tmp_path_factory.mktemp("suggested"), ["P7", "P8"])
    return published(db, "shown", n_pairs=60)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("wide", [360, 1_280])
def test_pages_fit_the_screen_in_both_schemes(
    address: str, job_id: int, signed_in: SignedIn, tmp_path: Path, scheme: Scheme, wide: int
) -> None:
    page = signed_in(f"eye-{scheme}-{wide}", "admin")
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": wide, "height": 900})
    page.goto(f"{address}/identity/shown/review")
    page.keyboard.press("b")
    page.locator("article.case:visible").wait_for()
    for name, path in PAGES.items():
        answer: Any = page.goto(address + path)
        assert answer.status == (404 if name == "problem" else 200), path
        page.screenshot(path=tmp_path / f"{name}-{scheme}-{wide}.png", full_page=True)
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 0, f"{path} at {wide}"
        assert page.title().endswith("Headrace")
