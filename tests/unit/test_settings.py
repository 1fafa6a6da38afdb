from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from core import settings as under_test
from core.errors import ConfigError
from core.settings import DatabaseSettings, QueueSettings, Settings, default_state_dir, named_database, read_settings


def test_read_settings_takes_nested_values_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__POOL_SIZE", "7")
    monkeypatch.setenv("HEADRACE_QUEUE__LEASE_TTL_S", "60")
    monkeypatch.setenv("HEADRACE_DATABASE__URL", "postgresql://u:secret@h/d")
    settings = read_settings()
    assert (settings.database.pool_size, settings.queue.lease_ttl_s) == (7, 60)
    assert "secret" not in repr(settings)


def test_defaults_are_the_documented_ones() -> None:
    database = DatabaseSettings()
    assert (database.pool_size, database.max_overflow, database.pool_timeout_s) == (10, 20, 30)
    assert (database.pool_recycle_s, database.pool_pre_ping, database.prepare_threshold) == (3600, True, 5)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("HEADRACE_QUEU__LEASE_TTL_S", "HEADRACE_QUEUE__LEASE_TTL_S"),
        ("HEADRACE_DATABASE__POOLSIZE", "HEADRACE_DATABASE__POOL_SIZE"),
        ("headrace_database__ur", "HEADRACE_DATABASE__URL"),
        ("HEADRACE_DATABASE", "HEADRACE_DATABASE__URL"),
    ],
)
def test_read_settings_refuses_a_misspelt_name_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(ConfigError, match="did you mean") as caught:
        read_settings()
    assert caught.value.nearest == nearest


def test_read_settings_passes_over_the_links_of_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_SERVER_PORT", "tcp://10.0.0.1:4200")
    monkeypatch.setenv("DEVELOPMENT_GLOBAL_RPA_DB_SERVICE_HOST", "10.0.0.1")
    settings = read_settings()
    assert named_database("rpa_db", settings, os.environ) == settings.database


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEADRACE_DATABASE__POOL_SIZE", "hunter2"),
        ("HEADRACE_DATABASE__POOL_SIZE", "0"),
        ("HEADRACE_DATABASE__PREPARE_THRESHOLD", "hunter2"),
        ("HEADRACE_LOG__LEVEL", "hunter2"),
    ],
)
def test_read_settings_names_variable_and_rule_but_not_the_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert name in caught.value.message
    assert "hunter2" not in caught.value.message
    assert caught.value.exit_code == 2


def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", "")
    assert read_settings().database.url is None


def test_prepare_threshold_reads_none_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__PREPARE_THRESHOLD", "none")
    assert read_settings().database.prepare_threshold is None


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().database.pool_size = 3  # type: ignore[misc]


def test_queue_settings_refuse_a_beat_that_loses_leases() -> None:
    with pytest.raises(ValueError, match="half of lease_ttl_s"):
        QueueSettings(lease_ttl_s=10, beat_s=9)


def test_named_database_overlays_the_default_group() -> None:
    base = Settings(environment="staging", database=DatabaseSettings(pool_size=4, slow_query_ms=5))
    environ = {
        "STAGING_GLOBAL_RPA_DB_URL": "postgresql://rpa@h/d",
        "STAGING_GLOBAL_RPA_DB_POOL_TIMEOUT": "3",
        "STAGING_GLOBAL_RPA_DB_POOL_PRE_PING": "false",
        "DEVELOPMENT_GLOBAL_RPA_DB_URL": "postgresql://other@h/d",
    }
    found = named_database("rpa_db", base, environ)
    assert found.url == SecretStr("postgresql://rpa@h/d")
    assert (found.pool_timeout_s, found.pool_pre_ping, found.pool_size, found.slow_query_ms) == (3, False, 4, 5)


def test_named_database_without_url_shares_the_default() -> None:
    base = Settings(database=DatabaseSettings(url=SecretStr("postgresql://x@h/d")))
    assert named_database("rpa_db", base, {}) == base.database


def test_named_database_refuses_an_unknown_suffix() -> None:
    with pytest.raises(ConfigError, match="did you mean DEVELOPMENT_GLOBAL_RPA_DB_POOL_SIZE"):
        named_database("rpa_db", Settings(), {"DEVELOPMENT_GLOBAL_RPA_DB_POOLSIZE": "3"})


def test_named_database_names_the_variable_that_is_out_of_bounds() -> None:
    with pytest.raises(ConfigError, match="^DEVELOPMENT_GLOBAL_RPA_DB_POOL_SIZE: "):
        named_database("rpa_db", Settings(), {"DEVELOPMENT_GLOBAL_RPA_DB_POOL_SIZE": "-3"})


@pytest.mark.parametrize(
    ("uid", "environ", "expected"),
    [
        (1000, {"HOME": "/home/a"}, "/home/a/.local/state/headrace"),
        (1000, {"HOME": "/home/a", "XDG_STATE_HOME": "/s"}, "/s/headrace"),
        (0, {"HOME": "/root"}, "/var/lib/headrace"),
    ],
)
def test_default_state_dir_follows_the_standards(
    monkeypatch: pytest.MonkeyPatch, uid: int, environ: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(under_test.os, "geteuid", lambda: uid)
    assert default_state_dir(environ) == Path(expected)


def test_default_state_dir_looks_an_empty_home_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test.os, "geteuid", lambda: 1)
    home = under_test.pwd.getpwuid(1).pw_dir
    assert default_state_dir({"HOME": ""}) == Path(home) / ".local/state/headrace"


def test_default_state_dir_asks_for_a_folder_where_no_home_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test.os, "geteuid", lambda: 3_999_999)
    with pytest.raises(ConfigError, match="user id 3999999 is not in the user database.*HEADRACE_STATE_DIR"):
        default_state_dir({"HOME": ""})
    assert default_state_dir({"HOME": "/h"}) == Path("/h/.local/state/headrace")


def test_settings_reference_is_current() -> None:
    path = Path(under_test.__file__).parents[1] / "docs" / "reference" / "settings.md"
    assert path.read_text(encoding="utf-8") == under_test.render_reference(), (
        "docs/reference/settings.md is stale: python -m core.settings > docs/reference/settings.md"
    )


CARRIED = "STAGING_DISTRIBUTED_PROCESSOR_"


def test_names_carried_over_are_read_as_the_settings_they_mean(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    values = {
        "CLEANUP_TIMEOUT_HOURS": "2",
        "QUERY_TIMEOUT": "30",
        "CONNECTION_TIMEOUT": "5",
        "PROCESSING_TIMEOUT": "600",
    }
    for name, value in values.items():
        monkeypatch.setenv(CARRIED + name, value)
    monkeypatch.setenv("PRODUCTION_DISTRIBUTED_PROCESSOR_QUERY_TIMEOUT", "no number")
    for _ in range(2):
        settings = read_settings()
    assert (settings.queue.orphan_hours, settings.queue.record_max_runtime_s) == (2, 600)
    assert (settings.database.query_timeout_s, settings.database.connect_timeout_s) == (30, 5)
    assert [line.message for line in caplog.records if "DISTRIBUTED_PROCESSOR_QUERY_TIMEOUT" in line.message] == [
        f"{CARRIED}QUERY_TIMEOUT is read as HEADRACE_DATABASE__QUERY_TIMEOUT_S"
    ]


def test_names_carried_over_yield_to_the_names_of_today_and_others_are_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DEVELOPMENT_DISTRIBUTED_PROCESSOR_PROCESSING_TIMEOUT", "bad")
    monkeypatch.setenv("HEADRACE_QUEUE__RECORD_MAX_RUNTIME_S", "60")
    monkeypatch.setenv("DEVELOPMENT_DISTRIBUTED_PROCESSOR_QUERY_TIMOUT", "3")
    assert read_settings().queue.record_max_runtime_s == 60
    assert "for HEADRACE_QUEUE__RECORD_MAX_RUNTIME_S is set" in caplog.text
    assert (
        "QUERY_TIMOUT is not read; the nearest name that is: DEVELOPMENT_DISTRIBUTED_PROCESSOR_QUERY_TIMEOUT"
        in caplog.text
    )


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "1e99"])
@pytest.mark.parametrize("name", ["QUERY_TIMEOUT", "CONNECTION_TIMEOUT", "PROCESSING_TIMEOUT"])
def test_bad_values_of_names_carried_over_name_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"DEVELOPMENT_DISTRIBUTED_PROCESSOR_{name}", value)
    with pytest.raises(ConfigError, match=f"DEVELOPMENT_DISTRIBUTED_PROCESSOR_{name}: ") as told:
        read_settings()
    assert told.value.exit_code == 2
