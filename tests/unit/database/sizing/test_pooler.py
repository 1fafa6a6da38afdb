from __future__ import annotations

import configparser
import re

import pytest
from pydantic import SecretStr

from core.database.sizing.pooler import Load, as_ini, pgbouncer
from core.errors import ConfigError
from core.settings import DatabaseSettings

URL = "postgresql://clerk:very-secret@db.example.org:5433/matching?sslmode=require"


def ini(url: str = URL, **settings: int) -> configparser.ConfigParser:
    text = as_ini(pgbouncer(DatabaseSettings(url=SecretStr(url), **settings), Load(40, 200, 2)), "Made by a test.")
    assert "very-secret" not in text
    assert "clerk" not in text
    found = configparser.ConfigParser(interpolation=None)
    found.read_string(text)
    return found


def test_the_pooler_shares_what_the_server_has_among_what_the_settings_open() -> None:
    found = ini(pool_size=4, max_overflow=6)["pgbouncer"]
    assert found["pool_mode"] == "transaction"
    assert found.getint("max_client_conn") == 40 * (4 + 6) + 10
    pools = found.getint("default_pool_size") + found.getint("reserve_pool_size")
    # Both poolers together leave three for superusers and a third for who goes past them.
    assert 100 <= 2 * pools <= 0.7 * 197
    assert "options" in found["ignore_startup_parameters"].split(",")


def test_the_pooler_goes_where_the_url_goes_without_who_and_with_what() -> None:
    found = ini()
    assert dict(found["databases"]) == {"matching": "host=db.example.org port=5433"}
    assert found["pgbouncer"]["server_tls_sslmode"] == "require"
    odd = ini("postgresql://clerk:very-secret@/it%27s%20mine?host=/run/pg%20one")
    assert dict(odd["databases"]) == {"*": "host='/run/pg one'"}
    assert "server_tls_sslmode" not in odd["pgbouncer"]


def test_every_line_has_a_reason() -> None:
    text = as_ini(pgbouncer(DatabaseSettings(url=SecretStr(URL)), Load(1, 100, 1)), "Made by a test.")
    assert re.findall(r"^[^;\[\n].*", text, re.MULTILINE) == re.findall(r"(?<=^; ).*\n(.+)", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("processes", "connections", "poolers", "says"),
    [
        (0, 100, 1, "--processes 0: must be between 1 and 10000"),
        (1, 9, 1, "--connections 9: must be between 10 and 5000"),
        (1, 100, 101, "--poolers 101: must be between 1 and 100"),
        (1, 10, 3, "3 poolers cannot share 10 connections"),
    ],
)
def test_a_load_that_cannot_be_is_refused(processes: int, connections: int, poolers: int, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        pgbouncer(DatabaseSettings(url=SecretStr(URL)), Load(processes, connections, poolers))


def test_without_a_database_there_is_nothing_to_pool() -> None:
    with pytest.raises(ConfigError, match="HEADRACE_DATABASE__URL"):
        pgbouncer(DatabaseSettings(), Load(1, 100, 1))
