"""What connections hold, asked of a real database; and the commands that show them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.connections.blocks import connections_of
from core.connections.catalog import real_catalog
from core.database import DatabaseManager
from core.errors import ConfigError
from core.pipelines.types import parse_type
from core.settings import ConnectionSettings, Settings
from tests.command import headrace

TABLES = """
CREATE SCHEMA sales;
CREATE TABLE sales.orders (order_id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL, note text DEFAULT '' NOT NULL,
                           seen timestamptz, small smallint, payload jsonb, code uuid UNIQUE, UNIQUE (small, amount));
CREATE UNIQUE INDEX ON sales.orders (amount) WHERE note = '';
CREATE UNIQUE INDEX ON sales.orders (lower(note));
CREATE VIEW sales.seen AS SELECT order_id, amount FROM sales.orders;
"""


@pytest.fixture(scope="module", autouse=True)
def _tables(db: DatabaseManager) -> None:
    for number, statement in enumerate(TABLES.split(";\n")):
        if statement.strip():
            db.execute_query(f"made_{number}", statement)


def settings(**given: ConnectionSettings) -> Settings:
    return Settings.model_validate({"connections": given})


def test_tables_have_columns_types_keys_and_what_must_be_made(db: DatabaseManager) -> None:
    found = real_catalog(connections_of(settings(), db))
    orders = found.tables["warehouse", "sales.orders"]
    assert {name: str(one) for name, one in orders.columns.items()} == {
        "order_id": "int", "amount": "decimal(12,2)", "note": "text", "seen": "timestamp", "small": "int",
        "payload": "json", "code": "text",
    }  # fmt: skip
    assert orders.keys == (("order_id",), ("code",), ("small", "amount"))
    assert orders.required == ("order_id", "amount")
    assert found.tables["warehouse", "sales.seen"].columns["amount"] == parse_type("decimal(12,2)")


def test_our_own_tables_are_hidden(db: DatabaseManager) -> None:
    found = real_catalog(connections_of(settings(), db))
    assert not [table for _, table in found.tables if table.startswith("public.")]


def test_writable_schemas_are_those_of_the_warehouse(db: DatabaseManager) -> None:
    for written in ("sales, crm", '["sales", "crm"]'):
        given = settings(warehouse=ConnectionSettings.model_validate({"writable_schemas": written}))
        assert real_catalog(connections_of(given, db)).blocks["warehouse"].writable_schemas == ("sales", "crm")


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("erp", {"kind": "postgres"}, "needs HEADRACE_CONNECTIONS__ERP__URL"),
        ("landing", {"kind": "folder"}, "needs HEADRACE_CONNECTIONS__LANDING__ROOT"),
        ("warehouse", {"url": "postgresql://x/y"}, "the warehouse is the queue's own database"),
    ],
)
def test_what_a_connection_lacks_is_said(db: DatabaseManager, name: str, given: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        connections_of(settings(**{name: ConnectionSettings.model_validate(given)}), db).blocks()


def test_commands_show_and_try_connections_and_never_a_secret(database_url: str, tmp_path: Path) -> None:
    env = {
        "HEADRACE_DATABASE__URL": database_url,
        "HEADRACE_CONNECTIONS__LANDING__KIND": "folder",
        "HEADRACE_CONNECTIONS__LANDING__ROOT": str(tmp_path),
        "HEADRACE_CONNECTIONS__ERP__URL": database_url,
        "HEADRACE_CONNECTIONS__SHOP__KIND": "http",
        "HEADRACE_CONNECTIONS__SHOP__URL": "https://hunter2.example",
        "HEADRACE_CONNECTIONS__SHOP__SECRET": "hunter2",
    }
    listed = headrace("connections", "list", "--json", env=env)
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    assert rows["landing"] == {
        "name": "landing", "kind": "folder", "root": str(tmp_path), "secret": False, "writes": None,
    }  # fmt: skip
    tried = headrace("connections", "test", "--json", env=env)
    assert tried.returncode == 1
    assert {row["name"]: row["ok"] for row in json.loads(tried.stdout)} == {
        "warehouse": True, "landing": True, "erp": True, "shop": False,
    }  # fmt: skip
    shown = headrace("connections", "list", env=env)
    assert "hunter2" not in listed.stdout + shown.stdout + tried.stdout + tried.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 80


SPEC = """
pipeline: copy_orders
sources: {orders: {kind: table, table: sales.orders}}
steps: [{do: select, columns: [order_id, amuont]}]
sink: {table: sales.orders, mode: upsert, keys: [order_id]}
"""


def test_a_spec_is_checked_against_the_database_as_it_is(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "copy.yaml").write_text(SPEC)
    env = {"HEADRACE_DATABASE__URL": database_url, "HEADRACE_CONNECTIONS__WAREHOUSE__WRITABLE_SCHEMAS": "sales"}
    ended = headrace("pipeline", "check", tmp_path / "copy.yaml", env=env)
    assert (ended.returncode, "did you mean amount?" in ended.stderr) == (2, True)
    (tmp_path / "copy.yaml").write_text(SPEC.replace("amuont", "amount"))
    assert headrace("pipeline", "check", tmp_path / "copy.yaml", env=env).returncode == 0


def test_our_own_schema_is_no_place_for_pipelines(db: DatabaseManager) -> None:
    given = settings(warehouse=ConnectionSettings.model_validate({"writable_schemas": "sales, public"}))
    with pytest.raises(ConfigError, match="names public, where Headrace's own tables stand"):
        real_catalog(connections_of(given, db))
