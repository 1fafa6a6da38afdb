"""The parent of a local stack: starts its parts in order, starts again what dies, and ends all of it."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import orjson
from filelock import FileLock, Timeout

from core.database import connect, migrations
from core.database.queries import load, run
from core.database.warden import start_ticks
from core.deploying import files
from core.deploying.pools import POOLS
from core.deploying.request import DeployRequest
from core.errors import ConfigError, ServiceUnavailable
from core.processes import python
from core.stack import members, state
from core.stack.plan import PREFECT_DATABASE, Part, Plan, parts, require_free
from core.stack.scaler import StackScaler
from core.stack.state import Component, Phase, StackState

log = logging.getLogger(__name__)

START_LIMIT_S = 120.0
TICK_S = 0.2
RESTART_BASE_S, RESTART_MAX_S = 1.0, 30.0
# A part that lived so long has started well: the next restart is at once again.
STEADY_S = 60.0


@dataclass(slots=True, eq=False)
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    started: float
    n_restarts: int = 0
    start_at: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What a person sees: the phase, and of each part what it does."""

    phase: Phase
    note: str
    parts: Mapping[str, str]
    addresses: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Runs a plan in the calling thread until `stop` is called. Its own end is the end of everything it started.

    Args:
        say: gets the status whenever it may have changed, at most five times a second.
    """

    def __init__(self, plan: Plan, say: Callable[[Status], None] = lambda _: None) -> None:
        self._plan = plan
        self._say = say
        self._stop = threading.Event()
        self._running: dict[str, _Running] = {}
        self._phase: Phase = "starting"
        self._note = ""
        self._scaler = StackScaler(plan.settings, plan.database_url, plan.api_url)

    def stop(self) -> None:
        """End everything. Safe in a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Start, watch, and end the stack.

        Raises ConfigError (a port is taken, no folder, another stack runs here), ServiceUnavailable (a part does not
        start; names its log), StoreError. Whatever happens, nothing that was started is left.
        """
        self._plan.require_place()
        try:
            with FileLock(self._plan.folder / "lock", blocking=False):
                self._locked()
        except Timeout:
            raise ConfigError(f"another `headrace up` of {self._plan.state_dir} is starting or stopping") from None

    def _locked(self) -> None:
        plan = self._plan
        if (before := state.read(plan.settings.state_dir)) is not None:
            # Its supervisor was killed: what it left behind holds the ports.
            members.end(lambda: members.members(before.mark, before.components))
        require_free(plan.api_port, "--api-port")
        require_free(plan.web_port, "--web-port")
        self._enter("starting", "PostgreSQL")
        try:
            self._start()
            while not self._stop.wait(TICK_S):
                self._look()
        finally:
            self._end()

    def _start(self) -> None:
        plan = self._plan
        plan.postgres.join()
        self._prefect_database()
        todo = parts(plan)
        # The slowest first: a first start of Prefect's server makes its database.
        for name in ("server", "redis", "web"):
            if name in todo and not self._stop.is_set():
                self._launch(todo[name])
        self._enter("starting", "schema")
        self._migrate()
        self._enter("starting", "Prefect server and deployments")
        self._deploy()
        self._launch(todo["worker"])
        self._enter("starting", "worker")
        self._wait("web", lambda: _answers(f"{plan.web_url}/health"))
        self._wait("worker", self._worker_polls)
        if not self._stop.is_set():
            self._scaler.start()
            self._enter("ready")

    def _prefect_database(self) -> None:
        queries, server = load("database"), self._plan.postgres
        source = connect.Source(server.url("postgres"))
        with connect.connect(source, self._plan.settings.database) as conn:
            conn.autocommit = True
            if not run(conn, queries["database_exists"], {"name": PREFECT_DATABASE})[0][0]:
                conn.execute(queries["database_create"].sql.format(name=PREFECT_DATABASE).encode())

    def _migrate(self) -> None:
        settings = self._plan.settings.database
        if settings.url is None:
            migrations.migrate(connect.Source(self._plan.postgres.url()), settings)
        else:
            migrations.require_current(connect.Source(connect.require_url(settings)), settings)

    def _deploy(self) -> None:
        """One process with one client; it waits for the API itself, so that its start costs nothing."""
        pools, file = files.pool_templates(), files.manifest()
        request = DeployRequest(
            target="local", file=str(file), pools=str(pools), wait_s=START_LIMIT_S, fresh=True, as_json=True
        )
        part = Part("deploy", [*python("flows.deploy"), request.model_dump_json()], {})
        self._launch(part)
        one = self._running.pop("deploy")
        while one.process.poll() is None and not self._stop.wait(0.05):
            self._require_alive("server")
        if one.process.poll() is None:
            one.process.terminate()
            one.process.wait(members.TERM_AGAIN_S)
        elif one.process.returncode:
            raise ServiceUnavailable(f"the deployments were not made: {self._last_line('deploy')}")

    def _launch(self, part: Part, n_restarts: int = 0) -> None:
        environment = self._plan.environment() | dict(part.environment)
        with self._log(part.name).open("ab") as out:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                part.command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self._plan.folder,
                start_new_session=True,
            )
        self._running[part.name] = _Running(part, process, time.monotonic(), n_restarts)
        self._enter(self._phase, self._note)

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        give_up = time.monotonic() + START_LIMIT_S
        while not ready():
            self._require_alive(name)
            if time.monotonic() > give_up:
                raise ServiceUnavailable(f"{name} does not answer in {START_LIMIT_S:g} s; its log: {self._log(name)}")
            if self._stop.wait(0.05):
                return

    def _require_alive(self, name: str) -> None:
        code = self._running[name].process.poll()
        if code is not None and not self._stop.is_set():
            raise ServiceUnavailable(
                f"{name} ended at its start with exit code {code}: {self._last_line(name)} (log: {self._log(name)})"
            )

    def _worker_polls(self) -> bool:
        body = orjson.dumps({"workers": {"status": {"any_": ["ONLINE"]}}})
        return bool(_post(f"{self._plan.api_url}/work_pools/{POOLS['local'].name}/workers/filter", body))

    def _look(self) -> None:
        """Start again what has died."""
        now, dead = time.monotonic(), []
        for name, component in self._running.items():
            code = component.process.poll()
            if code is None:
                if now - component.started > STEADY_S:
                    component.n_restarts = 0
                continue
            dead.append(name)
            if component.start_at is None:
                pause_s = min(RESTART_BASE_S * 2.0**component.n_restarts, RESTART_MAX_S)
                component.start_at = now + pause_s
                log.warning("%s ended with exit code %d; it is started again in %g s", name, code, pause_s)
        for name in dead:
            component = self._running[name]
            if component.start_at is not None and now >= component.start_at:
                self._launch(component.part, component.n_restarts + 1)
        self._enter("ready", f"{', '.join(dead)} ended and is started again" if dead else "")

    def _end(self) -> None:
        self._enter("stopping")
        self._scaler.stop()
        plan = self._plan
        last = [one.process.pid for name, one in self._running.items() if name in {"server", "redis"}]
        known = self._components()
        killed = members.end(lambda: members.members(plan.mark, known), last, self._reap)
        if killed:
            log.warning("%d processes did not end in time and were killed", len(killed))
        self._reap()
        plan.postgres.leave()
        state.forget(plan.settings.state_dir)

    def _reap(self) -> None:
        for one in self._running.values():
            one.process.poll()

    def _enter(self, phase: Phase, note: str = "") -> None:
        """Write the state where it changed, and say it."""
        plan = self._plan
        before = (self._phase, self._note)
        self._phase, self._note = phase, note
        redis = plan.redis_socket()
        found = StackState(
            mark=plan.mark,
            supervisor=state.myself("supervisor"),
            phase=phase,
            note=note,
            api_url=plan.api_url,
            ui_url=plan.ui_url,
            web_url=plan.web_url,
            redis_url=f"unix://{redis}" if redis else None,
            components=self._components(),
        )
        if phase != "ready" or before != (phase, note):
            state.write(plan.settings.state_dir, found)
        shown = {"PostgreSQL": "runs" if plan.postgres.is_running() else "starts"}
        shown |= {name: _words(one) for name, one in self._running.items()}
        self._say(Status(phase, note, shown, found.addresses()))

    def _components(self) -> tuple[Component, ...]:
        return tuple(
            Component(name=name, pid=one.process.pid, ticks=start_ticks(one.process.pid) or 0)
            for name, one in self._running.items()
        )

    def _log(self, name: str) -> Path:
        return self._plan.folder / f"{name}.log"

    def _last_line(self, name: str) -> str:
        try:
            lines = self._log(name).read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1].removeprefix("headrace: ") if lines else ""


def _words(one: _Running) -> str:
    if one.process.poll() is not None:
        return f"ended with {one.process.returncode}"
    again = f", started again {one.n_restarts} times" if one.n_restarts else ""
    return f"runs (pid {one.process.pid}){again}"


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except HTTPError as error:
        error.close()
        return False
    except (URLError, OSError):
        return False


def _post(url: str, body: bytes) -> list[object]:
    request = Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - our own address
    try:
        with urlopen(request, timeout=2) as answer:  # noqa: S310
            found: list[object] = orjson.loads(answer.read())
            return found
    except HTTPError as error:
        error.close()
        return []
    except (URLError, OSError, ValueError):
        return []
