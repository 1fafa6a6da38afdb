"""Running a handler's sink in the transaction that acknowledges, and noticing when the sink ended that transaction.

What a sink is lent is the connection itself, which for the time being refuses to end its transaction: its rows, the
results and the acknowledgement are committed together or not at all. A sink that gets past that, with libpq's own calls
for instance, is found out by the number of the transaction, before a result is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, Self

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from core.database.queries import Connection, load, run
from core.errors import SinkEndedTransaction

Q = load("queue")

Sink = Callable[[psycopg.Connection[Any]], None]

_CURE = (
    "what it wrote, the results and the acknowledgement are one transaction; use `with conn.transaction():` for a part"
)
# Comments and all that is quoted; what is left is cut at semicolons.
_QUOTED = re.compile(
    r"--[^\n]*|/\*.*?\*/|(?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag)|\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"",
    re.DOTALL,
)
_ENDS = re.compile(
    r"(?:^|;)\s*(?P<what>commit|end|abort|begin|start\s+transaction|prepare\s+transaction"
    r"|rollback(?!(?:\s+(?:work|transaction))?\s+to\b))\b",
    re.IGNORECASE,
)
# The body of a function in standard SQL holds semicolons and an END of its own.
_BODY = re.compile(r"\bbegin\s+atomic\b", re.IGNORECASE)


def ends_transaction(text: str) -> str | None:
    """The words by which some statement of the text would begin or end a transaction, in capitals; None: by none."""
    bare = _QUOTED.sub(" ", text)
    found = None if _BODY.search(bare) else _ENDS.search(bare)
    return None if found is None else " ".join(found["what"].upper().split())


class LentCursor(psycopg.Cursor[Any]):
    """Executes what leaves the transaction as it is, and remembers what the database refused."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """As psycopg's; SinkEndedTransaction for COMMIT and the like."""
        with self._watched(query):
            return super().execute(query, params, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        """Likewise."""
        with self._watched(query):
            super().executemany(query, params_seq, **options)

    @contextmanager
    def _watched(self, query: Any) -> Iterator[None]:
        lent = self.connection
        assert isinstance(lent, LentConnection)
        if what := ends_transaction(_text(query, lent)):
            lent.refuse(f"executed {what}")
        try:
            yield
        except psycopg.Error as error:
            lent.refused_by_database = error
            raise


class LentConnection(Connection):
    """A connection in the hands of a sink: everything but the end of its transaction."""

    refused_by_database: psycopg.Error | None
    # How the sink tried to end the transaction, also where it then caught our refusal.
    tried: str | None

    def refuse(self, what: str) -> NoReturn:
        """Raise SinkEndedTransaction, and remember that it was raised."""
        self.tried = self.tried or what
        raise SinkEndedTransaction(f"the sink {what}: {_CURE}")

    def __enter__(self) -> Self:
        self.refuse("used `with conn:`, which commits and closes")

    def commit(self) -> None:
        """Refused."""
        self.refuse("called conn.commit()")

    def rollback(self) -> None:
        """Refused."""
        self.refuse("called conn.rollback()")

    def close(self) -> None:
        """Refused."""
        self.refuse("called conn.close()")

    def set_autocommit(self, value: bool) -> None:
        """Refused."""
        self.refuse("switched conn.autocommit")

    def tpc_begin(self, xid: Any) -> None:
        """Refused."""
        self.refuse("called conn.tpc_begin()")


def run_sink(conn: Connection, sink: Sink) -> None:
    """Let the sink write. Raises what the sink raises; SinkEndedTransaction if the transaction is not what it was.

    Cost: two short statements, and what the sink does.
    """
    before = _transaction_id(conn)
    with _lent(conn) as lent:
        sink(lent)
        tried, refused = lent.tried, lent.refused_by_database
    if tried is not None:
        raise SinkEndedTransaction(f"the sink {tried}, and went on after that was refused: {_CURE}") from refused
    if conn.closed and refused is not None:
        raise refused
    if conn.info.transaction_status == TransactionStatus.INERROR:
        raise SinkEndedTransaction(
            f"the sink caught an error of the database and went on in a transaction that is lost by it: {_CURE}"
        ) from refused
    if conn.info.transaction_status != TransactionStatus.INTRANS or _transaction_id(conn) != before:
        raise SinkEndedTransaction(f"the sink ended the transaction: {_CURE}")


@contextmanager
def _lent(conn: Connection) -> Iterator[LentConnection]:
    """The same object under the class that refuses: whoever gets it, or asks for its class, has a connection."""
    kind, factory = conn.__class__, conn.cursor_factory
    conn.__class__ = LentConnection
    lent: Any = conn
    lent.cursor_factory = LentCursor
    lent.refused_by_database = lent.tried = None
    try:
        yield lent
    finally:
        conn.__class__ = kind
        conn.cursor_factory = factory
        del lent.refused_by_database, lent.tried


def _transaction_id(conn: Connection) -> Any:
    return run(conn, Q["transaction_id"])[0][0]


def _text(query: Any, conn: psycopg.Connection[Any]) -> str:
    if isinstance(query, sql.Composable):
        return query.as_string(conn)
    return query.decode(errors="replace") if isinstance(query, bytes) else str(query)
