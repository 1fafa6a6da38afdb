"""What a user does first: `headrace up`, then Run in the Prefect UI. `make test-browser`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.stack import Stack, own_stack

ROWS = 2_000
RUN_LIMIT_MS = 240_000
FIRST_FIELDS = ["Input", "Id column", "Spec", "Mapping", "Link"]
# Nothing is fetched, and it runs as root in a container, too.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def stack() -> Iterator[Stack]:
    with own_stack() as made:
        up = made.up()
        assert up.returncode == 0, up.stderr
        yield made


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page of Debian's Chromium; what it showed last is kept as a picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1800})
        page.set_default_timeout(30_000)
        yield page
        page.screenshot(path=tmp_path / "last.png")
        browser.close()


def test_click_on_run_resolves_persons_and_the_run_page_tells_about_it(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.ui_url}/deployments")
    # The name of a deployment stands before that of its flow.
    page.locator("//a[normalize-space()='identity-resolution']/preceding::a[normalize-space()='local'][1]").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Custom run", exact=True).click()

    fields = page.locator(".schema-form-property__label")
    expect(fields.first).to_have_text("Request")
    shown = [name.removesuffix("(Optional)").strip() for name in fields.all_inner_texts()]
    assert shown[1:] == [*FIRST_FIELDS, *shown[1 + len(FIRST_FIELDS) :]], shown
    page.locator("form textarea").first.fill(f"demo:persons?rows={ROWS}")
    page.locator("form input").first.fill("pressed-by-hand")
    page.get_by_role("button", name="Submit").click()
    # The form is left once the server has taken the run.
    expect(page).not_to_have_url(re.compile(r"/run(\?|$)"), timeout=30_000)

    page.goto(f"{stack.ui_url}/runs")
    page.get_by_role("link", name="pressed-by-hand").first.click()
    # Only on the page of the run: the list before it shows others that are completed.
    expect(page.get_by_text("Job Variables", exact=True)).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=RUN_LIMIT_MS)
    expect(page.get_by_text("stage ingest: ").first).to_be_visible(timeout=30_000)
    page.get_by_text("Artifacts", exact=True).click()
    for kind in ("progress", "summary", "batches"):
        expect(page.get_by_text(re.compile(rf"^job-\d+-{kind}$"))).to_have_count(1)
    page.goto(f"{stack.ui_url}/artifacts")
    page.get_by_text(re.compile(r"^job-\d+-summary$")).click()
    # Its versions, the newest first.
    page.get_by_role("link", name=re.compile(r"^[0-9a-f]{8}$")).first.click()
    expect(page.get_by_text(re.compile(rf"^{ROWS:,} records are [\d,]+ entities$")).first).to_be_visible()

    down = stack.run("down", "--json")
    assert down.returncode == 0, down.stderr
    assert json.loads(down.stdout)["stopped"] is True
