"""A COMMIT whose reply never comes: it may have taken place or not, and the worker has to find out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.database.embedded import EmbeddedServer
from tests.chaos.fleet import Fleet
from tests.chaos.proxy import Lose, Proxy

N, BATCHES, CUTS = 5_000, 10, 4


@contextmanager
def proxied(fleet: Fleet, server: EmbeddedServer, lose: Lose, after: bytes, every: int) -> Iterator[Proxy]:
    """The fleet's workers go through a proxy, the test's own connections do not."""
    # Below /tmp: a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="hp-", dir="/tmp") as folder:
        proxy = Proxy(Path(folder), server.socket_dir, lose, after, every)
        proxy.cuts_left = CUTS
        fleet.url = fleet.url.replace(str(server.socket_dir), folder)
        yield proxy
        proxy.close()


@pytest.mark.parametrize("lose", ["reply", "request"])
def test_a_lost_commit_of_a_completion_is_looked_up(
    fleet: Fleet, postgres: EmbeddedServer, figures: Callable[[str], None], lose: Lose
) -> None:
    fleet.fill(N, N // BATCHES)
    with proxied(fleet, postgres, lose, b"COPY", 1) as proxy:
        worker = fleet.start("worker")
        worker.wait_for("done", BATCHES)
        fleet.drain()
    found = fleet.check(N)
    assert proxy.n_cut == CUTS
    # It was told the truth at once: no batch was lost to it, none ran again.
    assert (found.rescues, worker.said("lost")) == (0, [])
    figures(f"lost commit {lose}: {CUTS} of {BATCHES} completions, lost {found.lost}, twice {found.twice}")


def test_a_completion_that_cannot_be_looked_up_at_once_is_known_later(fleet: Fleet, postgres: EmbeddedServer) -> None:
    """It took place, its reply is lost and the server away: who completes again later is not told of a lost lease."""
    (batch_id,) = fleet.fill(500, 500)
    with proxied(fleet, postgres, "reply", b"COPY", 1) as proxy:
        proxy.cuts_left, proxy.away_after_cut = 1, True
        worker = fleet.start("worker")
        assert worker.wait_for("refused")["batch"] == batch_id
        proxy.away = False
        assert worker.wait_for("done")["batch"] == batch_id
        fleet.drain()
    fleet.check(500)
    assert worker.said("lost") == []


def test_commits_lost_anywhere_lose_no_row(
    fleet: Fleet, postgres: EmbeddedServer, figures: Callable[[str], None]
) -> None:
    """Also those of claims and beats: a lease whose claim was never answered runs out."""
    fleet.fill(N, N // BATCHES)
    with proxied(fleet, postgres, "reply", b"", 5) as proxy:
        for n in range(2):
            fleet.start(f"worker-{n}")
        fleet.drain()
    found = fleet.check(N)
    assert proxy.n_cut == CUTS
    figures(f"lost commit replies of anything: {CUTS} cuts, {found.rescues} rescues, twice {found.twice}")
