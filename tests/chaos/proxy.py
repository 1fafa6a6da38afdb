"""A proxy between worker and server that knows just enough of the protocol to lose one COMMIT or its reply.

It can also let all packets vanish for a while, without a word to either end.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Literal

SOCKET = ".s.PGSQL.5432"
Lose = Literal["reply", "request"]


class Proxy:
    """Listens in `folder`, forwards to the server in `target`, and cuts connections at their COMMIT.

    Args:
        lose: the reply (the server has committed) or the request (it has not).
        after: the connection must have completed a command of this tag since it was made; b"" for none, and then the
            reply to a statement that commits itself counts as that to a COMMIT does.
        every: of those only each so many-th.
        cuts: as often at most.
    """

    def __init__(self, folder: Path, target: Path, lose: Lose, after: bytes = b"COPY", every: int = 1) -> None:
        self.lose, self.after, self.every = lose, after, every
        self.cuts_left = 0
        # From a cut on no new connection is let through, until the test says so.
        self.away_after_cut = False
        self.away = False
        self.n_cut = 0
        # While it is so, nothing gets through, and nobody is told.
        self.silent = False
        self._links: weakref.WeakSet[_Link] = weakref.WeakSet()
        self._n_seen = 0
        self._lock = threading.Lock()
        self.folder = folder
        self._target = str(target / SOCKET)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No more connections; those that are open stay until an end hangs up."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.away:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._target)
            except OSError:
                # The server is away, which is what the client is told as well.
                server.close()
                client.close()
                continue
            link = _Link(self, client, server)
            self._links.add(link)
            for pump in (link.upwards, link.downwards):
                threading.Thread(target=pump, daemon=True).start()

    def swallow(self, seconds: float) -> None:
        """Let what is sent vanish for so long; connections that lived through it are cut at its end."""
        self.silent = True
        time.sleep(seconds)
        for link in list(self._links):
            link.hang_up()
        self.silent = False

    def must_cut(self) -> bool:
        """Called at each COMMIT that fits."""
        with self._lock:
            self._n_seen += 1
            if self.cuts_left == 0 or self._n_seen % self.every:
                return False
            self.cuts_left -= 1
            self.n_cut += 1
            self.away = self.away_after_cut
            return True


class _Link:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.armed = not proxy.after
        self.in_transaction = False

    def upwards(self) -> None:
        """Client to server: bytes as they come; one send of the client holds a whole COMMIT."""
        with suppress(OSError):
            while data := self.client.recv(1 << 16):
                if self.proxy.silent:
                    continue
                asks = self.proxy.lose == "request" and self.armed and b"COMMIT" in data
                if asks and self.proxy.must_cut():
                    break
                self.server.sendall(data)
        self.hang_up()

    def downwards(self) -> None:
        """Server to client, message by message."""
        waiting = b""
        with suppress(OSError):
            while data := self.server.recv(1 << 16):
                if self.proxy.silent:
                    continue
                waiting += data
                whole, cut = self._whole_messages(waiting)
                self.client.sendall(waiting[:whole])
                if cut:
                    break
                waiting = waiting[whole:]
        self.hang_up()

    def _whole_messages(self, data: bytes) -> tuple[int, bool]:
        """Length of the complete messages, and whether the one after them is the reply to lose."""
        at = 0
        while len(data) - at >= 5:
            (length,) = struct.unpack_from("!I", data, at + 1)
            if len(data) - at < 1 + length:
                break
            if data[at : at + 1] == b"C" and self._lost(data[at + 5 : at + 1 + length]):
                return at, True
            if data[at : at + 1] == b"Z":
                # ReadyForQuery says how the transaction stands: I is idle.
                self.in_transaction = data[at + 5 : at + 6] != b"I"
            at += 1 + length
        return at, False

    def _lost(self, tag: bytes) -> bool:
        commits_itself = not self.proxy.after and not self.in_transaction and not tag.startswith(b"BEGIN")
        if tag.startswith(b"COMMIT") or commits_itself:
            return self.proxy.lose == "reply" and self.armed and self.proxy.must_cut()
        self.armed = self.armed or tag.startswith(self.proxy.after)
        return False

    def hang_up(self) -> None:
        """Both ends learn that the connection is gone."""
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
