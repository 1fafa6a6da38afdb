from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from core.database import connect, migrations
from core.database.embedded import EmbeddedServer
from core.errors import MigrationError
from core.settings import DatabaseSettings

SETTINGS = DatabaseSettings()


@pytest.fixture
def empty(postgres: EmbeddedServer) -> Iterator[connect.Source]:
    """A database without any migration."""
    name = sql.Identifier(f"m_{uuid.uuid4().hex[:12]}")
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        yield connect.Source(postgres.url(name.as_string(None).strip('"')))
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def revisions() -> list[str]:
    return sorted(path.stem for path in (migrations.MIGRATIONS_DIR / "versions").glob("[0-9]*.py"))


def test_each_revision_has_its_reviewed_sql_file() -> None:
    files = sorted(path.stem for path in migrations.MIGRATIONS_DIR.glob("*.sql"))
    assert files == revisions()
    for name in files:
        assert f'run_file("{name}")' in (migrations.MIGRATIONS_DIR / "versions" / f"{name}.py").read_text()


def test_revisions_form_one_line() -> None:
    numbers = [name[:4] for name in revisions()]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    for before, name in zip(["None", *numbers], revisions(), strict=False):
        text = (migrations.MIGRATIONS_DIR / "versions" / f"{name}.py").read_text()
        found = re.search(r'^revision, down_revision = "(\d{4})", (.+)$', text, re.MULTILINE)
        assert found is not None
        assert (found[1], found[2].strip('"')) == (name[:4], before)


def test_migrate_brings_an_empty_database_to_the_newest_revision_once(empty: connect.Source) -> None:
    assert not migrations.is_current(empty, SETTINGS)
    with pytest.raises(MigrationError, match="run `headrace db migrate`") as caught:
        migrations.require_current(empty, SETTINGS)
    assert caught.value.pending[0] == "0001"
    done = migrations.migrate(empty, SETTINGS)
    assert sorted(done) == [name[:4] for name in revisions()]
    assert migrations.is_current(empty, SETTINGS)
    assert migrations.newest() == revisions()[-1][:4]
    migrations.require_current(empty, SETTINGS)
    assert migrations.migrate(empty, SETTINGS) == []
    assert all(step.applied and step.title for step in migrations.history(empty, SETTINGS))


def test_migrate_by_a_role_that_may_not_create_extensions_goes_without_figures_of_statements(
    empty: connect.Source,
) -> None:
    role = sql.Identifier(f"small_{uuid.uuid4().hex[:12]}")
    reviewed = (migrations.MIGRATIONS_DIR / "0019_statement_figures.sql").read_text()
    told: list[str] = []
    with psycopg.connect(empty.url, autocommit=True) as conn:
        conn.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        conn.execute(sql.SQL("CREATE ROLE {}").format(role))
        conn.execute(sql.SQL("SET ROLE {}").format(role))
        conn.execute(reviewed)
        conn.execute("RESET ROLE")
        conn.execute(sql.SQL("DROP ROLE {}").format(role))
        assert not conn.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'").fetchall()
        assert [text[:25] for text in told] == ["no figures of statements:"]
        available = conn.execute(
            "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'"
        ).fetchone()
        conn.execute(reviewed)
        made = conn.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'").fetchone()
        assert made == available


def test_migrate_by_several_at_once_applies_each_revision_once(empty: connect.Source) -> None:
    done: list[list[str]] = []
    threads = [threading.Thread(target=lambda: done.append(migrations.migrate(empty, SETTINGS))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(one) for one in done) == [0, 0, len(revisions())]


def test_migrate_after_an_error_leaves_the_schema_as_before(
    empty: connect.Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = tmp_path / "50% of a folder" / "migrations"
    shutil.copytree(migrations.MIGRATIONS_DIR, folder)
    last = revisions()[-1][:4]
    (folder / "9999_bad.sql").write_text("CREATE TABLE half (x int); INSERT INTO half VALUES ('123-45-6789');")
    (folder / "versions" / "9999_bad.py").write_text(
        '"""Bad."""\nfrom core.database.migrations import run_file\n'
        f'revision, down_revision = "9999", "{last}"\ndef upgrade():\n    run_file("9999_bad")\n'
    )
    monkeypatch.setattr(migrations, "MIGRATIONS_DIR", folder)
    with pytest.raises(MigrationError, match=r"nothing was changed.*migration 9999_bad") as caught:
        migrations.migrate(empty, SETTINGS)
    assert "123-45-6789" not in str(caught.value)
    with psycopg.connect(empty.url) as conn:
        tables = conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_a_database_ahead_of_this_version_is_told(empty: connect.Source) -> None:
    migrations.migrate(empty, SETTINGS)
    with psycopg.connect(empty.url) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9998'")
    with pytest.raises(MigrationError, match="9998, unknown to this version"):
        migrations.require_current(empty, SETTINGS)


@pytest.mark.parametrize("path", ["own", "missing"])
def test_migrate_into_another_schema_than_public_is_refused_in_a_sentence(empty: connect.Source, path: str) -> None:
    with psycopg.connect(empty.url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA own")
    joint = "&" if "?" in empty.url else "?"
    elsewhere = connect.Source(f"{empty.url}{joint}options=-csearch_path%3D{path}")
    with pytest.raises(MigrationError, match="lives in the schema public, and this role's search_path begins with"):
        migrations.migrate(elsewhere, SETTINGS)
    both = connect.Source(f"{empty.url}{joint}options=-csearch_path%3Dpublic,own")
    assert sorted(migrations.migrate(both, SETTINGS)) == sorted(name.split("_")[0] for name in revisions())
