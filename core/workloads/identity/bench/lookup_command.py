"""`headrace bench lookup`: made persons are published, and others of them looked up."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.bench.harness.show import Json, Out

if TYPE_CHECKING:
    from core.database import DatabaseManager
    from core.settings import Settings
    from core.workloads.identity.bench.lookup import Ask, Question

Moved = Callable[[str, int, int], None]
FIELDS = ("first_name", "last_name", "dob", "ssn", "phone", "street", "city", "state", "zip", "email")


def lookup(
    rows: Annotated[int, typer.Option("--rows", min=1_000, help="Published persons, 30 % duplicates.")] = 100_000,
    asked: Annotated[int, typer.Option("--asked", min=100, help="Persons looked up, of the same population.")] = 2_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the generator.")] = 7,
    threads: Annotated[
        int, typer.Option("--threads", min=1, help="Threads that ask at once, for the last figure.")
    ] = 2,
    out: Out = None,
    json_file: Json = None,
) -> None:
    """Milliseconds of one lookup: answer made anew, out of memory, out of Redis. In a database of its own.

    Example: headrace bench lookup --rows 1000000 --out out.json
    """
    import tempfile
    from dataclasses import asdict

    from core.bench.harness.database import own_database
    from core.bench.harness.show import show
    from core.runtime import open_runtime
    from core.terminal.progress import rows_progress
    from core.workloads.identity.bench.lookup import measure_lookup

    command = f"headrace bench lookup --rows {rows} --asked {asked} --seed {seed} --threads {threads}"
    with tempfile.TemporaryDirectory(prefix="headrace-lookup-") as folder, rows_progress() as moved:
        questions, path = _persons(Path(folder), rows, asked, seed)
        with open_runtime() as runtime, own_database(runtime.db.url, migrated=True) as own:
            db = _manager(own)
            started = time.perf_counter()
            _publish(db, path, moved)
            facts = {
                "rows": rows,
                "publish_s": time.perf_counter() - started,
                "stored_mb": _stored_mb(own),
                "forget": _forget(runtime.settings),
            }
            found = asdict(measure_lookup(questions, lambda: _asking(db, runtime.settings), facts, threads, moved))
            db.dispose()
    show(command, [found], out or json_file)


def _persons(folder: Path, rows: int, asked: int, seed: int) -> tuple[list[Question], Path]:
    """Write the persons to be published; the others, with who is the same as they."""
    import polars as pl

    from core.made_records.persons.generator import person_chunks
    from core.made_records.persons.population import plan_population
    from core.workloads.identity.bench.lookup import WARM, Question

    plan = plan_population(rows + asked + WARM, seed, 0.3)
    persons = pl.concat(list(person_chunks(plan))).sample(fraction=1.0, shuffle=True, seed=seed)
    path = folder / "persons.parquet"
    persons[:rows].drop("entity_id").write_parquet(path)
    others = persons[rows:]
    kin = persons[:rows].join(others.select("entity_id"), on="entity_id", how="semi")
    same = dict(kin.group_by("entity_id").agg("id").iter_rows())
    return [
        Question({name: record[name] for name in FIELDS}, frozenset(same.get(record["entity_id"], ())))
        for record in others.with_columns(pl.col(FIELDS).cast(pl.String)).to_dicts()
    ], path


def _manager(url: str) -> DatabaseManager:
    from pydantic import SecretStr

    from core.database import DatabaseManager
    from core.settings import DatabaseSettings

    return DatabaseManager("bench", DatabaseSettings(url=SecretStr(url)))


def _publish(db: DatabaseManager, path: Path, moved: Moved) -> None:
    """Match the persons through the queue, in this process, and publish them with all that lookups need."""
    from core.linkage.prepare import describe, understand
    from core.linkage.request import MatchRequest
    from core.queue import BatchQueue
    from core.settings import QueueSettings
    from core.storage.workspace import Workspace
    from core.workloads.identity.session import IdentitySession

    request = MatchRequest(input=str(path), id_column="id", lookup=True)
    understood = understand(request)
    workspace = Workspace(str(path.parent / understood.key))
    session = IdentitySession(BatchQueue(db, QueueSettings(), "bench"), describe(understood, workspace), workspace)
    for number, stage in enumerate(session.stages, start=1):
        session.open(stage)
        while not session.progress(stage).drained:
            for tag in session.claim(stage, 1):
                session.run(tag)
        moved("publishing", number, len(session.stages))
    session.finish()
    session.close()


def _asking(db: DatabaseManager, settings: Settings) -> Ask:
    """A way to ask whose own memory is empty."""
    from core.cache import MemoryCache, TieredCache, connect_shared
    from core.workloads.identity.lookup import IdentityLookup

    wanted = settings.cache
    memory = MemoryCache(wanted.entries, wanted.memory_mb << 20, wanted.ttl_s)
    cache = TieredCache(memory, connect_shared(settings.redis, wanted.ttl_s))
    return IdentityLookup(db, cache, version_ttl_s=wanted.version_ttl_s).find


def _forget(settings: Settings) -> Callable[[], Any] | None:
    """What takes the answers of this benchmark out of Redis; None without one."""
    if settings.redis.url is None:
        return None
    import redis

    url = settings.redis.url.get_secret_value()

    def forget() -> None:
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter("headrace:lookup:*", count=1_000):
                client.delete(key)

    return forget


def _stored_mb(url: str) -> float:
    """Size of the tables that only lookups need, indexes included."""
    from core.bench.harness.database import session
    from core.database.queries import load, run

    with session(url) as conn:
        return float(run(conn, load("bench")["bench_lookup_bytes"])[0][0]) / 1e6
