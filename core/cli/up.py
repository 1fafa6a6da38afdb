"""`headrace up` and `headrace down`: a whole local stack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.terminal.options import AsJson
from core.terminal.signals import told_to_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text

    from core.stack.plan import Plan
    from core.stack.state import StackState
    from core.stack.supervisor import Status

DETACH_LIMIT_S = 150.0


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("up")(up)
    app.command("down")(down)


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Come back as soon as it is ready.")] = False,
    api_port: Annotated[int, typer.Option("--api-port", min=1, max=65_535, help="Prefect's API and UI.")] = 4200,
    web_port: Annotated[int, typer.Option("--web-port", min=1, max=65_535, help="Headrace's web app.")] = 8080,
    as_json: AsJson = False,
) -> None:
    """Start PostgreSQL, the Prefect server with its UI, a worker, the web app and, where installed, Redis.

    All of it is this machine's own and listens on 127.0.0.1. Ctrl-C ends it, and after --detach `headrace down` does.
    While the pages have no user it prints a link that makes the first admin: once, within 15 minutes.

    Example: headrace up --detach && headrace down
    """
    import secrets

    from core.settings import read_settings
    from core.stack.plan import Plan
    from core.stack.state import running_stack

    settings = read_settings()
    plan = Plan(settings, api_port, web_port, secrets.token_hex(8))
    if (found := running_stack(settings.state_dir)) is not None:
        _tell_addresses(found, as_json, f"it is {'up' if found.phase == 'ready' else found.phase} already", plan)
        return
    if detach:
        _tell_addresses(_detached(plan), as_json, "ready", plan)
    else:
        _attached(plan, as_json)


def down(as_json: AsJson = False) -> None:
    """End what `headrace up` started, also when parts of it, or what looked after them, were killed.

    Example: headrace down
    """
    import json
    import time

    from core.settings import read_settings
    from core.stack.stopping import stop

    settings = read_settings()
    began = time.monotonic()
    stopped = stop(settings.state_dir, settings.embedded)
    seconds = time.monotonic() - began
    if as_json:
        print(json.dumps({"stopped": stopped, "seconds": round(seconds, 3)}))
    else:
        print(f"stopped in {seconds:.1f} s" if stopped else "it was not up")


def _attached(plan: Plan, as_json: bool) -> None:
    """Look after the stack in this process."""
    from core.stack.supervisor import Supervisor

    with _Screen(as_json, lambda: _first_admin_link(plan, plan.web_url)) as say:
        supervisor = Supervisor(plan, say)
        with told_to_end(supervisor.stop):
            supervisor.run()


def _detached(plan: Plan) -> StackState:
    """Start `python -m core.stack` and wait until it is ready. Raises what kept it from that."""
    import subprocess
    import time

    from core.errors import ConfigError, HeadraceError, ServiceUnavailable
    from core.processes import python
    from core.stack import state
    from core.stack.plan import require_free

    if state.read(plan.settings.state_dir) is None:
        require_free(plan.api_port, "--api-port")
        require_free(plan.web_port, "--web-port")
    # Else a supervisor was killed: the new one ends what holds the ports, and looks then.
    plan.require_place()
    log = plan.folder / "supervisor.log"
    # Another one that starts at this moment writes there too.
    said_before = log.stat().st_size if log.exists() else 0
    with log.open("ab") as out:
        supervisor = subprocess.Popen(  # noqa: S603 - our own module
            python("core.stack", str(plan.api_port), str(plan.web_port), plan.mark),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    give_up = time.monotonic() + DETACH_LIMIT_S
    while time.monotonic() < give_up:
        found = state.read(plan.settings.state_dir)
        if found is not None and found.mark == plan.mark and found.phase == "ready":
            return found
        if supervisor.poll() is not None:
            said = log.read_bytes()[said_before:].decode(errors="replace").strip().splitlines()
            kinds = {kind.exit_code: kind for kind in (ConfigError, ServiceUnavailable)}
            kind = kinds.get(supervisor.returncode, HeadraceError)
            raise kind(said[-1].removeprefix("headrace: ") if said else f"it did not start; see {log}")
        time.sleep(0.05)
    supervisor.terminate()
    raise HeadraceError(f"it is not ready after {DETACH_LIMIT_S:g} s; see {plan.folder}")


def _first_admin_link(plan: Plan, web_url: str) -> str | None:
    """While the pages have no user: the link that makes the first admin. Without the tables yet: none."""
    from pydantic import SecretStr

    from core.database import DatabaseManager
    from core.errors import HeadraceError
    from core.pages.accounts.users import first_admin_link

    database = plan.settings.database.replaced(url=SecretStr(plan.database_url()))
    db = DatabaseManager.from_settings(plan.settings.model_copy(update={"database": database}))
    try:
        return first_admin_link(db, web_url)
    except HeadraceError:
        return None
    finally:
        db.dispose()


def _tell_addresses(found: StackState, as_json: bool, word: str, plan: Plan) -> None:
    import json

    link = _first_admin_link(plan, found.web_url) if found.phase == "ready" else None
    if as_json:
        shown: dict[str, Any] = {"phase": found.phase, "api_url": found.api_url, "ui_url": found.ui_url}
        shown |= {"web_url": found.web_url, "redis_url": found.redis_url, "pid": found.supervisor.pid}
        print(json.dumps(shown | {"first_admin_url": link}))
        return
    print(word)
    for name, address in (found.addresses() | ({"first admin": link} if link else {})).items():
        print(f"  {name + ':':<12} {address}")
    print("run a deployment in the UI; see its batches with `headrace queue top`; end it with `headrace down`")


class _Screen:
    """A status that is written over on a terminal; elsewhere a line for each change."""

    def __init__(self, as_json: bool, first_admin_link: Callable[[], str | None]) -> None:
        self._as_json = as_json
        self._first_admin_link = first_admin_link
        self._before: Status | None = None
        self._told: dict[str, str] = {}

    def __enter__(self) -> Callable[[Status], None]:
        from rich.console import Console
        from rich.live import Live

        console = Console()
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal and not self._as_json else None
        if self._live is not None:
            self._live.start()
        return self._say

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        if kind is None and not self._as_json:
            print("stopped; data stay, the next `headrace up` finds them")

    def _say(self, status: Status) -> None:
        if status == self._before:
            return
        changed, self._before = self._before is None or status.phase != self._before.phase, status
        if changed and status.phase == "ready" and (link := self._first_admin_link()) is not None:
            self._told = {"first admin": link}
        if status.phase == "ready":
            status = replace(status, addresses={**status.addresses, **self._told})
        if self._live is not None:
            self._live.update(_table(status), refresh=True)
        elif self._as_json:
            import json
            from dataclasses import asdict

            print(json.dumps(asdict(status)), flush=True)
        elif changed:
            print(status.phase, status.note, flush=True)
            if status.phase == "ready":
                for name, address in status.addresses.items():
                    print(f"  {name + ':':<12} {address}", flush=True)


def _table(status: Status) -> Text:
    from rich.text import Text

    from core.terminal.tables import fact_lines, screen_width

    title = f"headrace: {status.phase}" + (f", {status.note}" if status.note else "")
    facts = dict(status.parts)
    if status.phase == "ready":
        facts |= {**status.addresses, "": "Ctrl-C ends all of it"}
    return Text("\n".join([title, *fact_lines(facts, screen_width())]))
