"""The autoscaler of a local stack: a thread of its supervisor, so that nothing is started only to look at a backlog.

Its rule is the deployment `autoscale/local`, as people see and change it in the Prefect UI: whose consumers, within
which bounds; while it is paused the scaler rests. Consumers are runs of the deployment that it names.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from uuid import uuid4

import orjson

from core.database import DatabaseManager
from core.errors import HeadraceError, QueueError
from core.queue.store.wake import Wake
from core.scaling.announcements import announcements
from core.scaling.controller import Aim, Controller, Loop, Tick
from core.scaling.policy import Policy, for_batches, for_records
from core.scaling.prefect_runs import Ask, PrefectRuns
from core.settings import Settings

log = logging.getLogger(__name__)

RULE = "autoscale/local"
TICK_S = 15.0
AGAIN_S = 30.0
STOP_S = 3.0
BOUNDS = ("min_consumers", "max_consumers", "drain_target_s", "oldest_s")


class StackScaler:
    """Scales from `start` to `stop`; outages of the database and of the API are waited for.

    Args:
        url: of the database, asked for when the thread begins.
    """

    def __init__(self, settings: Settings, url: Callable[[], str], api_url: str) -> None:
        self._settings, self._url, self._ask = settings, url, asking(api_url)
        self._thread = threading.Thread(target=self._run, name="headrace-scaler", daemon=True)
        self._ended = threading.Event()
        self._loop: Loop | None = None

    def start(self) -> None:
        """Begin to look, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present look; consumers that run are not touched."""
        self._ended.set()
        if self._loop is not None:
            self._loop.stop()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._scale()
            except HeadraceError as error:
                log.warning("the autoscaler begins again in %g s: %s", AGAIN_S, error.message)
            self._ended.wait(AGAIN_S)

    def _scale(self) -> None:
        """Scale by the rule as it stands now, until it is changed or the end."""
        rule = _rule(self._ask)
        request = dict(rule["parameters"].get("request") or {})
        flow_name = str(request["flow_name"])
        settings = self._settings
        db = DatabaseManager("scaler", settings.database.replaced(url=self._url(), pool_size=2))
        with closing(Wake(db, settings.queue, [flow_name])) as wake:
            runs = PrefectRuns(
                self._ask, request.get("deployment", "consume/local"), flow_name, request.get("consumer")
            )
            aim = Aim(flow_name, _policy(request), settings.queue.batch_rows, settings.scaling.retain_days)
            acting = Controller(db, aim, runs, f"{socket.gethostname()}:{os.getpid()}:scaler")
            self._loop = Loop(
                _Ruled(acting, self._ask, rule, self._give_way), wake, TICK_S, self._event_sender(flow_name)
            )
            if not self._ended.is_set():
                self._loop.run()
        db.dispose()

    def _give_way(self) -> None:
        if self._loop is not None:
            self._loop.stop()

    def _event_sender(self, flow_name: str) -> Callable[[Tick | None], None]:
        def send_events(tick: Tick | None) -> None:
            events = [
                {"id": str(uuid4()), "occurred": datetime.now(UTC).isoformat(), "event": one.event}
                | {"resource": one.resource, "payload": one.payload}
                for one in announcements(flow_name, tick)
            ]
            if events:
                self._ask("POST", "/events", events)

        return send_events


class _Ruled:
    """A controller that rests while its rule is paused, and gives way to a new one when the rule has changed."""

    def __init__(self, acting: Controller, ask: Ask, rule: dict[str, Any], give_way: Callable[[], None]) -> None:
        self._acting, self._ask, self._rule, self._give_way = acting, ask, rule, give_way

    def tick(self) -> Tick | None:
        """As the controller's; None while the rule is paused."""
        now = _rule(self._ask)
        if now["parameters"] != self._rule["parameters"]:
            self._give_way()
            return None
        if now["paused"]:
            self._acting.leave()
            return None
        return self._acting.tick()

    def leave(self) -> None:
        """Let another autoscaler act at once."""
        self._acting.leave()


def asking(api_url: str) -> Ask:
    """`Ask` of an API of this machine that wants no key."""

    def ask(method: str, path: str, body: Any) -> Any:
        data = None if body is None else orjson.dumps(body)
        request = Request(api_url + path, data=data, method=method)  # noqa: S310 - our own server's address
        request.add_header("Content-Type", "application/json")
        try:
            with urlopen(request, timeout=10) as answer:  # noqa: S310
                text = answer.read()
        except HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise QueueError(f"the Prefect API refused {path}: {error.code}") from None
        except (URLError, OSError) as error:
            raise QueueError(f"the Prefect API does not answer: {type(error).__name__}; is it up?") from None
        return orjson.loads(text) if text else None

    return ask


def _rule(ask: Ask) -> dict[str, Any]:
    found: dict[str, Any] | None = ask("GET", f"/deployments/name/{RULE}", None)
    if found is None:
        raise QueueError(
            f"the Prefect server has no deployment {RULE}, the rule of scaling; `headrace deploy` makes it"
        )
    return found


def _policy(request: dict[str, Any]) -> Policy:
    """Raises ConfigError: the bounds contradict each other."""
    said = {name: request[name] for name in BOUNDS if request.get(name) is not None}
    return for_records(**said) if request.get("kind") == "record" else for_batches(**said)
