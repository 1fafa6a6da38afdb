"""Sign-ins: throttled before anything is hashed, kept as a digest, read anew in each request."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import HeadraceError
from core.pages.accounts.passwords import Passwords
from core.pages.accounts.roles import Person, lesser
from core.pages.accounts.secrets import digest, new_secret
from core.pages.accounts.users import NAME
from core.settings import WebSettings

Q = load("accounts")

# Attempts without a pause: of one account from one address, and of one address whatever the account.
FREE_OF_ACCOUNT, FREE_OF_ADDRESS = 5, 20
NOTE_SEEN_S = 60.0


class TooManyAttempts(HeadraceError):
    """The next attempt must wait: fact `wait_s`."""


@dataclass(frozen=True, slots=True)
class SignIns:
    """Sign-ins on one database.

    A pause belongs to an account *and* an address, so nobody can keep another person out; an address that tries many
    accounts has a pause of its own.
    """

    db: DatabaseManager
    passwords: Passwords
    settings: WebSettings

    def sign_in(self, name: str, password: str, address: str) -> str | None:
        """The secret of a new session; None: name or password is wrong, or the user is disabled.

        Raises TooManyAttempts, StoreBusy, StoreError. Cost: one argon2 hash, also for names that do not exist.
        """
        of_account, of_address = _key("account", name.lower(), address), _key("address", address)
        # One order for all, so that no two wait for each other.
        for key, n_free in sorted([(of_account, FREE_OF_ACCOUNT), (of_address, FREE_OF_ADDRESS)]):
            self._attempt(key, n_free)
        with self.db.transaction() as conn:
            # No name of ours has other signs, and PostgreSQL takes no NUL.
            found = run(conn, Q["user_by_name"], {"name": name}) if NAME.fullmatch(name) else []
        user_id, _, _, kept, disabled = found[0] if found else (None, "", "viewer", None, True)
        if not self.passwords.fits(password, kept) or disabled:
            return None
        fresh = self.passwords.hashed(password) if self.passwords.is_old(kept) else None
        with self.db.transaction() as conn:
            run(conn, Q["failure_clear"], {"key": of_account})
            run(conn, Q["attempt_take_back"], {"key": of_address})
            run(conn, Q["sessions_sweep"])
            if fresh is not None:
                run(conn, Q["user_password"], {"name": name, "password_hash": fresh})
        return self.begin(int(user_id))

    def _attempt(self, key: bytes, n_free: int) -> None:
        """Count an attempt. Raises TooManyAttempts, StoreError."""
        with self.db.transaction() as conn:
            if run(conn, Q["attempt_add"], {"key": key, "n_free": n_free}):
                return
            wait_s = max(float(run(conn, Q["failure_wait"], {"key": key})[0][0]), 1.0)
        raise TooManyAttempts(
            f"too many wrong passwords from here; the next attempt can be made in {round(wait_s)} s", wait_s=wait_s
        )

    def begin(self, user_id: int) -> str:
        """The secret of a new session. Raises StoreError."""
        secret, life_s = new_secret(), self.settings.sign_in_days * 86_400
        with self.db.transaction() as conn:
            run(conn, Q["session_add"], {"digest": digest(secret), "user_id": user_id, "life_s": life_s})
        return secret

    def end(self, secret: str) -> None:
        """A sign-out. Raises StoreError."""
        with self.db.transaction() as conn:
            run(conn, Q["session_end"], {"digest": digest(secret)})

    def who(self, secret: str) -> Person | None:
        """Whose session it is, with the role of now; None: it ended. Raises StoreError. Cost: one read by key."""
        kept = digest(secret)
        with self.db.transaction() as conn:
            found = run(conn, Q["session_read"], {"digest": kept, "idle_s": self.settings.idle_hours * 3_600})
            if not found:
                return None
            user_id, name, role, seen_s = found[0]
            if seen_s >= NOTE_SEEN_S:
                run(conn, Q["session_seen"], {"digest": kept})
        return Person(user_id, name, role)

    def whose_token(self, token: str) -> Person | None:
        """Whose API token it is, with the lesser of both roles; None: it holds no more. Raises StoreError."""
        with self.db.transaction() as conn:
            found = run(conn, Q["token_read"], {"digest": digest(token)})
        if not found:
            return None
        user_id, name, role, most, token_id = found[0]
        return Person(user_id, name, lesser(role, most), token_id)


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
