"""A server whose files may not grow, as on a full disk (`ulimit -f`), and then may again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.database.embedded import EmbeddedServer
from core.errors import StoreError
from tests.chaos.fleet import Fleet
from tests.chaos.server import full_disk, postmaster

N = 20_000
# A WAL segment is 16 MiB and must still fit.
LIMIT_BYTES = 17 * 2**20
# Bytes added to each result: all of them need twice the limit.
PAD = 1_700


def test_work_goes_on_after_a_full_disk(
    own_fleet: Fleet, server: EmbeddedServer, figures: Callable[[str], None]
) -> None:
    own_fleet.fill(N, 1_000)
    pid = postmaster(server)
    with full_disk(server, LIMIT_BYTES):
        workers = [own_fleet.start(f"worker-{n}", pad=PAD) for n in range(2)]
        refusals = [worker.wait_for("refused", 2) for worker in workers]
        with pytest.raises(StoreError, match="the database refused"):
            own_fleet.queue.enqueue(own_fleet.flow, [{"n": 0, "pad": "x" * 900}] * 20_000)
        assert postmaster(server) == pid
        n_done = sum(len(worker.said("done")) for worker in workers)
        assert 0 < n_done < N // 1_000
    own_fleet.drain()
    found = own_fleet.check(N)
    assert postmaster(server) == pid
    figures(
        f"disk full: sqlstate {refusals[0]['sqlstate']} after {n_done} of {N // 1_000} batches, server up, "
        f"the rest after the limit was lifted, lost {found.lost}, twice {found.twice}"
    )
