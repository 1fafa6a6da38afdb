"""A pooler that refuses `options` at the start of a session, as most do: it speaks just that much of the protocol."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from core.database import DatabaseManager
from core.database.queries import Query, run
from core.errors import ConfigError
from core.settings import DatabaseSettings

SOCKET = ".s.PGSQL.5432"
FORMS = "SELECT current_setting('TimeZone'), current_setting('IntervalStyle'), now()::text LIKE '%+00'"
REFUSAL = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0"


def _packet(client: socket.socket) -> bytes:
    head = client.recv(4, socket.MSG_WAITALL)
    return head + client.recv(struct.unpack("!I", head)[0] - 4, socket.MSG_WAITALL)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _link(client: socket.socket, target: str) -> None:
    """One session, from its first packet to the end of both its ends."""
    with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError, struct.error):
        start = _packet(client)
        if b"options\0" in start:
            client.sendall(b"E" + struct.pack("!I", 4 + len(REFUSAL)) + REFUSAL)
            return
        server.connect(target)
        server.sendall(start)
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join()


def _serve(listener: socket.socket, target: str) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_link, args=(client, target), daemon=True).start()


@pytest.fixture(scope="module")
def pooled_url(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The module's database, whose texts are not of our forms, through such a pooler."""
    fields = conninfo_to_dict(database_url)
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {fields['dbname']} SET TimeZone = 'Asia/Tokyo'")  # type: ignore[arg-type]
    folder: Path = tmp_path_factory.mktemp("pooler")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / SOCKET))
        listener.listen()
        threading.Thread(target=_serve, args=(listener, f"{fields['host']}/{SOCKET}"), daemon=True).start()
        yield database_url.replace(str(fields["host"]), str(folder))
        # A thread that waits in accept() is not woken by close().
        listener.shutdown(socket.SHUT_RDWR)


def test_a_pooler_that_refuses_options_serves_all_the_same(pooled_url: str) -> None:
    db = DatabaseManager("pooled", DatabaseSettings(url=SecretStr(pooled_url), connect_retry_s=600))
    ours = [("UTC", "iso_8601", True)]
    assert db.execute_query("forms", FORMS) == ours
    with db.transaction() as conn:
        assert run(conn, Query("forms", "one", "", FORMS)) == ours
    # The next client of the same backend finds what it had.
    with db.transaction() as conn:
        conn.rollback()
        assert run(conn, Query("forms", "one", "", FORMS))[0][0] == "Asia/Tokyo"
    db.dispose()


def test_options_of_the_url_that_a_pooler_refuses_are_told_at_once(pooled_url: str) -> None:
    url = f"{pooled_url}&options=-csearch_path%3Dpublic"
    db = DatabaseManager("pooled", DatabaseSettings(url=SecretStr(url), connect_retry_s=600))
    with pytest.raises(ConfigError, match="ignore_startup_parameters"):
        db.execute_query("forms", FORMS)
