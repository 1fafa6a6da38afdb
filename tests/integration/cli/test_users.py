"""`headrace users` and `headrace api token` as a user calls them."""

from __future__ import annotations

import io
import json
from datetime import datetime

import pytest

from core.database import DatabaseManager
from core.pages.accounts.sign_ins import SignIns
from core.settings import WebSettings
from tests.command import headrace
from tests.web.browsing import CHEAP

PASSWORD = "the wheel turns at night"


@pytest.fixture
def env(database_url: str) -> dict[str, str]:
    return {"HEADRACE_DATABASE__URL": database_url, "HEADRACE_WEB__PASSWORD_MEMORY_MB": "8", "COLUMNS": "120"}


@pytest.fixture
def sign_ins(db: DatabaseManager) -> SignIns:
    return SignIns(db, CHEAP, WebSettings(password_memory_mb=8))


@pytest.fixture(autouse=True)
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n" + "another wheel, another night\n"))


def test_users_are_added_changed_and_shut_out(env: dict[str, str], sign_ins: SignIns) -> None:
    added = headrace("users", "add", "carla", "--role", "reviewer", "--password-stdin", env=env)
    assert (added.returncode, added.stdout) == (0, "carla may sign in as reviewer\n"), added.stderr
    secret = sign_ins.sign_in("Carla", PASSWORD, "192.0.2.20")
    assert secret is not None
    assert (person := sign_ins.who(secret)) is not None
    assert (person.name, person.role) == ("carla", "reviewer")
    assert headrace("users", "role", "carla", "admin", env=env).returncode == 0
    assert sign_ins.who(secret) is None
    assert headrace("users", "password", "carla", "--password-stdin", env=env).returncode == 0
    assert sign_ins.sign_in("carla", PASSWORD, "192.0.2.20") is None
    assert headrace("users", "disable", "carla", env=env).stdout == "carla is shut out\n"
    (row,) = [one for one in json.loads(headrace("users", "list", "--json", env=env).stdout) if one["name"] == "carla"]
    assert (row["role"], row["disabled"]) == ("admin", True)
    assert "password" not in " ".join(row)


def test_user_commands_refuse_in_one_sentence(env: dict[str, str]) -> None:
    for arguments, said in (
        (("users", "role", "nobody-here", "admin"), "there is no user nobody-here"),
        (("users", "add", "dora", "--role", "king", "--password-stdin"), "there is no role 'king'"),
        (("users", "add", "-", "--password-stdin"), "a user's name has 1 to 100 characters"),
        (("api", "token", "create", "nobody-here"), "there is no user nobody-here"),
        (("api", "token", "revoke", "999999"), "no token 999999 that still holds"),
    ):
        refused = headrace(*arguments, env=env)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr


def test_tokens_are_shown_once_and_end_at_once(env: dict[str, str], sign_ins: SignIns) -> None:
    headrace("users", "add", "tom", "--role", "reviewer", "--password-stdin", env=env)
    made = json.loads(headrace("api", "token", "create", "tom", "--role", "admin", "--json", env=env).stdout)
    assert datetime.fromisoformat(made["ends_at"]).tzinfo is not None
    person = sign_ins.whose_token(made["token"])
    # Never more than its user.
    assert person is not None
    assert person.role == "reviewer"
    listed = headrace("api", "token", "list", "--json", env=env).stdout
    assert made["token"] not in listed
    assert made["token"][:10] in listed
    assert headrace("api", "token", "revoke", str(made["token_id"]), env=env).returncode == 0
    assert sign_ins.whose_token(made["token"]) is None
