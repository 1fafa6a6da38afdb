"""The benchmark itself: small runs of every system, in databases that are gone afterwards."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import psycopg
import pytest

from core.bench.harness.database import own_database
from core.bench.harness.meters import held_snapshot, metered
from core.bench.queue import side_headrace, side_pgqueuer
from core.bench.queue.systems import PEERS, Setup, ours, peers
from core.bench.queue.throughput import Load, Measured, judge, measure, with_ratio
from core.database import DatabaseManager
from core.errors import ConfigError, QueueError


def run(url: str, setup: Setup, *, rows: int, held_xmin: bool = False) -> Measured:
    said: list[tuple[str, int, int]] = []
    (found,) = measure(url, Load(rows, 200, 2, held_xmin), [setup], lambda *what: said.append(what))
    assert [what for what in said if what[0].endswith("enqueue")][-1][1:] == (rows, rows)
    assert (found.rows, found.left, found.lost, found.duplicated, found.sum_is_right) == (rows, 0, 0, 0, True)
    assert found.wal_bytes_per_row > found.payload_bytes
    assert found.wal_bytes_per_row_no_fpi is not None
    assert found.payload_bytes < found.wal_bytes_per_row_no_fpi <= found.wal_bytes_per_row
    assert found.drain_rows_per_s > 0
    assert 0 < found.claim_p50_ms <= found.claim_p95_ms
    assert 0 < found.complete_p50_ms <= found.complete_p95_ms
    assert found.cpu_s_per_million_rows is not None
    assert found.cpu_s_per_million_rows > found.client_cpu_s_per_million_rows > 0
    return found


def test_ours_under_a_held_snapshot(database_url: str, db: DatabaseManager, monkeypatch: pytest.MonkeyPatch) -> None:
    # Other tests measure on this server too: names of our own tell what is left of this run.
    named = SimpleNamespace(token_hex=lambda _: "held")
    monkeypatch.setattr("core.bench.harness.database.secrets", named)
    monkeypatch.setattr("core.bench.harness.meters.secrets", named)
    found = run(database_url, ours(200), rows=2_000, held_xmin=True)
    assert (found.system, found.held_xmin) == ("headrace", True)
    # Ten batches; how many of them one claim takes follows from how long those before took.
    assert 1 <= found.claims <= 10
    assert found.enqueue_2_rows_per_s is not None
    assert found.commits_per_row < 0.1
    # Ten headers, claimed and completed: what a held snapshot keeps is counted in batches, not in rows.
    assert found.dead_tuples < 200
    assert db.execute_query("d", "SELECT count(*) FROM pg_database WHERE datname = 'headrace_bench_held'") == [(0,)]
    slots = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'headrace_bench_held'"
    assert db.execute_query("s", slots) == [(0,)]
    assert (found.ratio, found.cpu_ratio) == (None, None)
    base = replace(found, drain_rows_per_s=30_500.0, cpu_s_per_million_rows=10.0)
    beside = with_ratio(replace(found, system="pgqueuer", drain_rows_per_s=2_000.0, cpu_s_per_million_rows=171.0), base)
    assert (beside.ratio, beside.cpu_ratio) == (15.2, 17.1)


@pytest.mark.parametrize("setup", PEERS["pgqueuer"], ids=lambda setup: setup.name)
def test_pgqueuer(database_url: str, setup: Setup) -> None:
    found = run(database_url, setup, rows=2_000)
    assert (found.system, found.version[:2], found.settings["name"]) == ("pgqueuer", "1.", setup.name)
    assert found.claims >= 2_000 / (1_000 if setup.name == "best" else 10)


@pytest.mark.parametrize("setup", PEERS["procrastinate"], ids=lambda setup: setup.name)
def test_procrastinate(database_url: str, setup: Setup) -> None:
    found = run(database_url, setup, rows=150)
    assert (found.system, found.version[:2], found.claims) == ("procrastinate", "3.", 150)
    assert found.commits_per_row >= 2


def test_a_drain_that_is_cut_short_leaves_rows_and_loses_none(database_url: str) -> None:
    size = Load(400, 50, 2, drain_limit_s=0.0)
    (ours_cut,) = measure(database_url, size, [ours(50)], lambda *_: None)
    assert (ours_cut.left, ours_cut.lost, ours_cut.duplicated, ours_cut.drain_rows_per_s) == (400, 0, 0, 0.0)


def test_a_worker_that_fails_is_an_error(database_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    broken = Setup("pgqueuer", "broken", {"autovac": False, "enqueue_rows": 10, "run": {"no_such_option": 1}})
    with pytest.raises(QueueError, match="bench worker ended"):
        measure(database_url, Load(20, 10, 2), [broken], lambda *_: None)
    assert "no_such_option" in capfd.readouterr().err


def test_judge_finds_what_was_lost_or_came_twice(database_url: str) -> None:
    with own_database(database_url, migrated=True) as own:
        side_headrace.install(own)
        side = side_headrace.HeadraceSide(own, {"batch_rows": 10})
        side.prepare(0, 40)
        side.enqueue()
        # The workers say that they have done 30 rows, and there is a result for none.
        verdict = judge(own, ours(10), 40, [{"n_rows": 30}])
        assert (verdict.left, verdict.lost, verdict.duplicated) == (10, 30, 0)
        side.drain(60.0, lambda _: None)
        assert judge(own, ours(10), 40, [{"n_rows": 40}]).lost == 0
        side.db.execute_query("t", "INSERT INTO queue_results SELECT * FROM queue_results WHERE seq = 3")
        verdict = judge(own, ours(10), 40, [{"n_rows": 40}])
        assert (verdict.left, verdict.lost, verdict.duplicated) == (0, 0, 4)
        side.close()
    best = PEERS["pgqueuer"][0]
    with own_database(database_url, migrated=False) as own:
        side_pgqueuer.install(own, autovac=True)
        verdict = judge(own, best, 4, [{"seen": [0, 1], "total": 1}, {"seen": [1, 3], "total": 4}])
        assert (verdict.left, verdict.lost, verdict.duplicated, verdict.total) == (0, 1, 1, 5)


def test_held_snapshot_keeps_dead_rows(database_url: str) -> None:
    with metered(database_url) as meter, psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("CREATE TABLE mortal (n integer)")
        conn.execute("INSERT INTO mortal SELECT generate_series(1, 100)")
        with held_snapshot(database_url, held=True):
            conn.execute("DELETE FROM mortal")
            conn.execute("VACUUM mortal")
            assert meter.dead_tuples() >= 100
        conn.execute("VACUUM mortal")
        (n_dead,) = conn.execute("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'mortal'").fetchone() or ()
        assert n_dead == 0


def test_a_phase_that_wrote_nothing_has_no_page_images(database_url: str) -> None:
    with metered(database_url) as meter:
        for _ in range(20):  # other tests may write in between: some of these readings are the very end of the log
            reading = meter.read()
            assert meter.image_bytes(reading, reading) == 0


def test_meter_tells_page_images_from_the_rest(database_url: str) -> None:
    with metered(database_url) as meter, psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("CREATE TABLE imaged (n integer)")
        conn.execute("INSERT INTO imaged SELECT generate_series(1, 1000)")
        conn.execute("CHECKPOINT")
        begin = meter.read()
        conn.execute("UPDATE imaged SET n = 0 WHERE n = 1")
        end = meter.read()
        images = meter.image_bytes(begin, end)
    assert images is not None
    assert 4_096 < images < end.wal_bytes - begin.wal_bytes


def test_peers_are_refused_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"knows pgqueuer, procrastinate, oban, not 'celery'") as refused:
        peers(["celery"])
    assert refused.value.exit_code == 2
    with pytest.raises(ConfigError, match=r"oban cannot be run: .*needs Python >= 3\.12"):
        peers(["pgqueuer", "oban"])
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"needs pgqueuer and asyncpg: pip install 'headrace\[bench\]'"):
        peers(["pgqueuer"])
