"""Testing pooled connections without a round trip for each: a ping only where there is a reason to doubt."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import Pool

# A server that ended a connection has said so by then on the socket; one that vanished without a word has not.
PING_IDLE_S = 5.0
# A proxy acknowledges what it never hands on, so the network notices nothing: who does not answer an empty statement
# within so long is gone.
ANSWERS_WITHIN_S = 10.0
_SINCE = "headrace_idle_since"
_BORN = "headrace_born"


class Vintage:
    """When connections were given up on, all at once: after a failover those that are open lead to the wrong server.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = float("-inf")

    def give_up(self) -> None:
        """No connection that is open now is lent out again."""
        self._since = self._clock()

    def is_too_old(self, born: float) -> bool:
        """Whether a connection that was opened then has been given up on."""
        return born <= self._since


def replace_given_up(pool: Pool, vintage: Vintage, clock: Callable[[], float] = time.monotonic) -> None:
    """Replace connections of a pool that were given up on, when they would be lent out."""

    def connected(conn: Any, record: Any) -> None:
        record.info[_BORN] = clock()

    def checked_out(conn: psycopg.Connection[Any], record: Any, proxied: Any) -> None:
        if vintage.is_too_old(record.info[_BORN]):
            raise DisconnectionError

    event.listen(pool, "connect", connected)
    event.listen(pool, "checkout", checked_out)


def ping_if_doubtful(pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
    """Ping a connection before it is lent out if it was idle for a while, or if its socket has something to tell.

    A dead one is replaced, silently. An administrator's termination or the server's end shows on the socket, so a
    busy connection costs no round trip.
    """

    def checked_in(conn: Any, record: Any) -> None:
        record.info[_SINCE] = clock()

    def checked_out(conn: psycopg.Connection[Any], record: Any, proxied: Any) -> None:
        since = record.info.get(_SINCE)
        if since is not None and not is_alive(conn, clock() - since):
            raise DisconnectionError

    event.listen(pool, "checkin", checked_in)
    event.listen(pool, "checkout", checked_out)


def is_alive(conn: psycopg.Connection[Any], idle_s: float) -> bool:
    """Whether a connection that was idle so long can be used; asks the server only if there is doubt."""
    return not (idle_s > PING_IDLE_S or _has_news(conn)) or _answers(conn)


def _has_news(conn: psycopg.Connection[Any]) -> bool:
    """Whether something unread lies on the socket: its end, above all."""
    if conn.closed:
        return True
    poll = select.poll()
    poll.register(conn.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _answers(conn: psycopg.Connection[Any]) -> bool:
    """One round trip with an empty statement, which begins no transaction; waits a bounded time."""
    if conn.closed:
        return False
    pgconn, poll = conn.pgconn, select.poll()
    poll.register(conn.fileno(), select.POLLIN)
    give_up = time.monotonic() + ANSWERS_WITHIN_S
    try:
        pgconn.send_query(b"")
        while pgconn.is_busy():
            if not poll.poll(max(0.0, give_up - time.monotonic()) * 1e3):
                return False
            pgconn.consume_input()
        answer = pgconn.get_result()
        # The end of the answer comes with it.
        return answer is not None and answer.status == ExecStatus.EMPTY_QUERY and pgconn.get_result() is None
    except psycopg.Error:
        return False
