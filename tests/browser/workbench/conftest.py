"""One Chromium, one database and two web processes' worth of app for the suite; a context a test."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from core.database import DatabaseManager
from core.pages.accounts.roles import Role
from core.web.app import create_app
from tests.browser.test_run_in_the_ui import FLAGS
from tests.web.browsing import PASSWORD, person, settings

LIMIT_MS = 15_000
SignedIn = Callable[[str, Role], Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(database_url: str) -> Iterator[str]:
    """Where a server of the workbench answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(settings(database_url)), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[Callable[[], BrowserContext]]:
    """New browsers of people; whatever a page may not do, or fetches from elsewhere, fails the test."""
    opened: list[BrowserContext] = []
    wrong: list[str] = []

    def opening() -> BrowserContext:
        made = browser.new_context(viewport={"width": 1_280, "height": 900})
        made.set_default_timeout(LIMIT_MS)
        made.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        made.on("weberror", lambda error: wrong.append(str(error.error)))
        made.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(address) else None)
        opened.append(made)
        return made

    yield opening
    for made in opened:
        made.close()
    assert wrong == []


@pytest.fixture
def signed_in(context: Callable[[], BrowserContext], address: str, db: DatabaseManager) -> SignedIn:
    """A page of a new user who has signed in by the form."""

    def opening(name: str, role: Role) -> Page:
        page = context().new_page()
        page.goto(f"{address}/sign-in")
        page.get_by_label("Name").fill(person(db, name, role))
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="What waits for you").wait_for()
        return page

    return opening
