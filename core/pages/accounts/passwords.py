"""Passwords: argon2, two at a time, because each takes its memory."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import InputError, StoreBusy

AT_ONCE = 2
WAIT_S = 5.0
LENGTH_MIN, LENGTH_MAX = 12, 1_000


class Passwords:
    """Makes and checks hashes. Thread-safe.

    Args:
        memory_mb: of one hash; two are made at once, others wait for up to five seconds.
    Cost: 0.1 to 0.5 s each at 64 MB.
    """

    def __init__(self, memory_mb: int) -> None:
        self._hasher = PasswordHasher(memory_cost=memory_mb << 10)
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._decoy: str | None = None

    def hashed(self, password: str) -> str:
        """A new hash, with its salt and parameters. Raises InputError (too short, too long), StoreBusy."""
        if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
            raise InputError(
                f"a password has {LENGTH_MIN} to {LENGTH_MAX:,} characters, this one has {len(password):,}; take a "
                "sentence that nobody else would say"
            )
        return self._make(password)

    def fits(self, password: str, kept: str | None) -> bool:
        """Whether the password is the one of the hash. Without a hash: no, as late. Raises StoreBusy."""
        if self._decoy is None:
            self._decoy = self._make("nobody's password")
        with _held(self._room):
            try:
                self._hasher.verify(kept or self._decoy, password[:LENGTH_MAX])
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None

    def is_old(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than those of now."""
        return self._hasher.check_needs_rehash(kept)

    def _make(self, password: str) -> str:
        with _held(self._room):
            return self._hasher.hash(password)


class _held:  # noqa: N801 - reads as what it does
    """The semaphore within its limit."""

    def __init__(self, room: threading.BoundedSemaphore) -> None:
        self._room = room

    def __enter__(self) -> None:
        if not self._room.acquire(timeout=WAIT_S):
            raise StoreBusy(f"{AT_ONCE} passwords are checked at once, and others wait; try again in a few seconds")

    def __exit__(self, *_: object) -> None:
        self._room.release()
