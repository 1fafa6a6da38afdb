"""PostgreSQL, PgBouncer and Redis as the manifests start them: sizes that fit each other, real programs that agree."""

from __future__ import annotations

import configparser
import re
import shlex
import socket
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from core.database.embedded import EmbeddedServer
from core.stack.plan import packaged_redis
from tests.architecture.tree import ROOT
from tests.command import headrace
from tests.k8s.overlays import configs, named, of, overlay

PROFILES = ("postgresql.conf", "seventy-million.conf")


def settings_of(conf: str) -> dict[str, str]:
    lines = [line.partition(" = ") for line in conf.splitlines() if line and not line.startswith("#")]
    return {name: value.strip("'") for name, _, value in lines}


@pytest.mark.parametrize("name", PROFILES)
def test_postgres_profile_is_what_the_command_in_it_prints(name: str) -> None:
    text = (ROOT / "k8s/base/postgres" / name).read_text()
    command = shlex.split(re.findall(r"`headrace (.+)`", text)[0])
    done = headrace(*command)
    assert done.stdout == text, f"run: headrace {shlex.join(command)} > k8s/base/postgres/{name}"


@pytest.mark.parametrize("name", PROFILES)
def test_postgres_profile_is_taken_by_postgres(name: str, postgres: EmbeddedServer, tmp_path: Path) -> None:
    conf = ROOT / "k8s/base/postgres" / name
    command = [postgres.program("postgres"), "-C", "fsync", f"--config-file={conf}", "-D", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "on"), done.stderr


def test_postgres_fits_its_container() -> None:
    container = named(overlay("local"), "StatefulSet", "headrace-postgres")["spec"]["template"]["spec"]["containers"][0]
    text = next(data["postgresql.conf"] for data in configs(overlay("local")).values() if "postgresql.conf" in data)
    assert f"--ram {container['resources']['limits']['memory'].replace('Gi', 'GB')} " in text.splitlines()[0]
    assert f"--cores {container['resources']['limits']['cpu']} " in text.splitlines()[0]


def test_roles_of_the_local_database_have_what_they_need_and_no_more(postgres: EmbeddedServer, tmp_path: Path) -> None:
    """The script that PostgreSQL's image runs, on a real server, with names of this test's own."""
    script = (ROOT / "k8s/base/postgres/roles.sh").read_text()
    for name in ("headrace_scaler", "prefect", "headrace"):
        script = re.sub(rf"\b{name}\b(?!')", f"k8s_{name}", script)
    script = script.replace("--username postgres", "--username headrace").replace(":'k8s_prefect'", ":'prefect'")
    script = script.replace("--set k8s_prefect", "--set prefect")
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as conn:
        owner: Any = conn.execute("SELECT current_user, current_setting('port'), inet_server_addr()").fetchone()
        conn.execute("CREATE DATABASE k8s_headrace")
        try:
            host = postgres.url("postgres")
            done = _roles(postgres, script.replace("--username headrace", f"--username {owner[0]}"), host)
            assert done.returncode == 0, done.stderr
            rows = conn.execute(
                "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolconnlimit FROM pg_roles"
                " WHERE rolname LIKE 'k8s_%' ORDER BY rolname"
            ).fetchall()
            assert rows == [
                ("k8s_headrace", False, False, False, -1),
                ("k8s_headrace_scaler", False, False, False, 10),
                ("k8s_prefect", False, False, False, -1),
            ]
            may: Any = conn.execute(
                "SELECT has_database_privilege('k8s_headrace_scaler', 'k8s_prefect', 'CONNECT'),"
                " has_database_privilege('k8s_prefect', 'k8s_prefect', 'CREATE')"
            ).fetchone()
            assert may == (False, True)
        finally:
            for statement in ("DATABASE k8s_headrace", "DATABASE IF EXISTS k8s_prefect"):
                conn.execute(f"DROP {statement}")  # type: ignore[call-overload]
            conn.execute("DROP ROLE IF EXISTS k8s_headrace, k8s_headrace_scaler, k8s_prefect")


def _roles(server: EmbeddedServer, script: str, url: str) -> subprocess.CompletedProcess[str]:
    fields = psycopg.conninfo.conninfo_to_dict(url)
    env = {
        "PATH": f"{server.program('psql').parent}:/usr/bin:/bin",
        "PGHOST": str(fields["host"]),
        "PGPORT": str(fields.get("port", "")),
        "PGPASSWORD": str(fields.get("password", "")),
        "OWNER_PASSWORD": "it's",
        "PREFECT_PASSWORD": "p",
        "SCALER_PASSWORD": "s",
    }
    return subprocess.run(["sh"], input=script, env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", ["local", "production"])
def test_pgbouncer_leaves_connections_for_the_others(name: str) -> None:
    (text,) = (data["pgbouncer.ini"] for data in configs(overlay(name)).values() if "pgbouncer.ini" in data)
    pooler = configparser.ConfigParser(inline_comment_prefixes=None)
    pooler.read_string(text)
    sizes = pooler["pgbouncer"]
    replicas = named(overlay(name), "Deployment", "headrace-pgbouncer")["spec"]["replicas"]
    held = replicas * (int(sizes["default_pool_size"]) + int(sizes["reserve_pool_size"]))
    limit = int(settings_of((ROOT / "k8s/base/postgres/postgresql.conf").read_text())["max_connections"])
    assert held + 30 <= limit, "Prefect's server holds up to 15, migrations 2, superusers 3"
    assert sizes["pool_mode"] == "transaction"
    assert int(sizes["max_prepared_statements"]) >= 100


def test_pgbouncer_takes_every_consumer_there_can_be() -> None:
    docs = overlay("keda")
    (text,) = (data["pgbouncer.ini"] for data in configs(docs).values() if "pgbouncer.ini" in data)
    limit = int(re.findall(r"^max_client_conn = (\d+)", text, re.MULTILINE)[0])
    data = named(docs, "ConfigMap", "headrace-consumer")["data"]
    each = int(data["HEADRACE_DATABASE__POOL_SIZE"]) + int(data["HEADRACE_DATABASE__MAX_OVERFLOW"])
    most = sum(doc["spec"]["maxReplicaCount"] for doc in of(docs, "ScaledJob", "ScaledObject"))
    # Runs of Prefect's pool, the web app and the autoscaler come on top.
    assert (most + 50) * each <= limit


def test_production_pooler_differs_from_the_local_one_in_its_server_only() -> None:
    texts = []
    for name in ("base/pgbouncer", "overlays/production"):
        lines = (ROOT / "k8s" / name / "pgbouncer.ini").read_text().splitlines()
        texts.append([line for line in lines if not line.startswith((";", "headrace =", "server_tls_sslmode"))])
    assert texts[0] == texts[1]


def test_redis_evicts_and_never_writes_to_disk(tmp_path: Path) -> None:
    """A real redis-server with the arguments of the manifest."""
    container = named(overlay("local"), "Deployment", "headrace-redis")["spec"]["template"]["spec"]["containers"][0]
    program, *args = container["args"]
    assert program == "redis-server"
    args[args.index("--dir") + 1] = str(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [packaged_redis() or program, *args, "--port", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        assert any("Ready to accept connections" in line for line in server.stdout)
        with redis.Redis(port=port) as client:
            found = {**client.config_get("maxmemory*"), **client.config_get("save"), **client.config_get("appendonly")}
    finally:
        server.terminate()
        server.wait()
        if server.stdout:
            server.stdout.close()
    assert found["maxmemory-policy"] == "allkeys-lru"
    assert (found["save"], found["appendonly"]) == ("", "no")
    limit_bytes = int(re.findall(r"(\d+)Mi", container["resources"]["limits"]["memory"])[0]) * 1024**2
    assert int(found["maxmemory"]) <= limit_bytes * 3 // 4, "buffers and fragmentation need the rest"


def test_every_query_of_keda_is_answered(database_url: str) -> None:
    triggers = [
        trigger for doc in of(overlay("keda"), "ScaledJob", "ScaledObject") for trigger in doc["spec"]["triggers"]
    ]
    assert len(triggers) == 3
    with psycopg.connect(database_url) as conn:
        for trigger in triggers:
            assert conn.execute(trigger["metadata"]["query"]).fetchall() == [(0,)]
