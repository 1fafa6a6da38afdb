from __future__ import annotations

import psycopg
import pytest
from pydantic import SecretStr

from core.database import connect
from core.database.errors import connection_refused_for_good
from core.errors import ConfigError, StoreUnavailable
from core.settings import DatabaseSettings


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:pw@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://u@h/d?sslmode=require", "postgresql://u@h/d?sslmode=require"),
        ("postgresql://u:p%40w@h1:1,h2:2/d", "postgresql://u:***@h1:1,h2:2/d"),
        ("host=/run/pg dbname=d user=u password='p w'", "postgresql://u:***@/d?host=/run/pg"),
        ("postgresql://h/d?password=pw&user=u", "postgresql://u:***@h/d"),
        ("postgresql://u:p?w@h/d?sslpassword=pw", "postgresql://u:***@h/d?sslpassword=***"),
        ("postgresql://h/d?options=-cmy.secret%3Dpw", "postgresql://h/d?options=***"),
    ],
)
def test_mask_hides_every_password(url: str, shown: str) -> None:
    assert connect.mask(url) == shown


def test_require_url_accepts_the_usual_schemes() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        settings = DatabaseSettings(url=SecretStr(f"{scheme}://u@h/d"))
        assert connect.require_url(settings) == "postgresql://u@h/d"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@h/d",
        "postgresql://u:hunter2@[h/d",
        "hunter2",
        "postgresql://u:p@hunter2@h/d",
        "postgresql://u:p/hunter2@h/d",
        "postgresql://u:hunter2/d",
        "postgresql://u:p%hunter2@h/d",
        "postgresql://h?password=p@hunter2&user=u",
        "dbname=postgresql://u:hunter2@h/d",
        "host=h password=p hunter2",
        "host=h pasword=hunter2",
    ],
)
def test_require_url_refuses_others_without_quoting_them(url: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        connect.require_url(DatabaseSettings(url=SecretStr(url)))
    assert "hunter2" not in str(caught.value)
    assert "@ as %40" in str(caught.value)
    assert caught.value.__cause__ is None


def test_connect_retries_within_the_bound_then_says_one_sentence() -> None:
    revived: list[int] = []
    source = connect.Source("postgresql://u:hunter2@/d?host=/nonexistent", lambda: revived.append(1))
    with pytest.raises(StoreUnavailable, match=r"cannot be reached within 0\.4 s: No such file or directory") as caught:
        connect.connect(source, DatabaseSettings(connect_retry_s=0.4))
    assert len(revived) == 2
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "for_good"),
    [
        ('connection failed: FATAL:  password authentication failed for user "x"', True),
        ('connection failed: FATAL:  database "x" does not exist', True),
        ("connection failed: FATAL:  no such database: x", True),
        ("connection failed: server does not support SSL, but SSL was required", True),
        ('connection failed: FATAL:  unrecognized configuration parameter "x"', True),
        ("connection failed: SSL SYSCALL error: EOF detected", False),
        ("connection failed: SSL connection has been closed unexpectedly", False),
        ('connection failed: FATAL:  no pg_hba.conf entry for host "1.2.3.4"', True),
        ("connection failed: fe_sendauth: no password supplied", True),
        ("connection failed: Connection refused", False),
        ("connection failed: FATAL:  the database system is starting up", False),
        ("connection failed: FATAL:  sorry, too many clients already", False),
        ("[Errno -2] Name or service not known", False),
        ("server closed the connection unexpectedly", False),
    ],
)
def test_connection_refused_for_good_tells_settings_from_patience(text: str, for_good: bool) -> None:
    assert connection_refused_for_good(psycopg.OperationalError(text)) is for_good
