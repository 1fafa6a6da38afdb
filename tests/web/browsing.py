"""What tests of pages need: an app on a real database, a client, and people signed in to it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI

from core.database import DatabaseManager
from core.pages.accounts import tokens, users
from core.pages.accounts.passwords import Passwords
from core.pages.accounts.roles import Role
from core.settings import DatabaseSettings, Settings, WebSettings
from core.web.app import create_app

PASSWORD = "water over the wheel"
CHEAP = Passwords(8)
OWN = {"Sec-Fetch-Site": "same-origin"}


def settings(url: str, **web: object) -> Settings:
    return Settings(
        database=DatabaseSettings.model_validate({"url": url, "connect_timeout_s": 2}),
        web=WebSettings.model_validate({"password_memory_mb": 8, **web}),
    )


class Client:
    """A browser without scripts: it keeps cookies, follows nothing by itself, and comes from `address`."""

    def __init__(self, app: FastAPI, base_url: str = "http://localhost", address: str = "127.0.0.1") -> None:
        self._transport = httpx.ASGITransport(app, client=(address, 1), raise_app_exceptions=False)
        self._base_url = base_url
        self._cookies = httpx.Cookies()

    def get(self, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, given))

    def post(self, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, given))

    async def _ask(self, method: str, path: str, given: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=self._transport, base_url=self._base_url, cookies=self._cookies
        ) as found:
            answer = await found.request(method, path, **given)
            self._cookies = found.cookies
            return answer


def client(url: str, **web: object) -> Client:
    return Client(create_app(settings(url, **web)))


def person(db: DatabaseManager, name: str, role: Role) -> str:
    users.add(db, name, role, CHEAP.hashed(PASSWORD))
    return name


def bearer(db: DatabaseManager, name: str, role: Role) -> dict[str, str]:
    """The header of a token of a new user."""
    return {"Authorization": f"Bearer {tokens.create(db, person(db, name, role), 'tests', role, 1).token}"}


def signed_in(url: str, name: str, **web: object) -> Client:
    found = client(url, **web)
    answer = found.post("/sign-in", data={"name": name, "password": PASSWORD}, headers=OWN)
    assert answer.status_code == 303, answer.text
    return found
