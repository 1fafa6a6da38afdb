"""One consumer: finds its flows and their handlers, supervises workers, looks again for flows of its queue."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace

from core.consuming.request import ConsumeRequest
from core.errors import ConfigError, HeadraceError, StoreError
from core.metrics.export import Samples
from core.metrics.process import usable_cores
from core.queue.batches import WorkerProfile
from core.queue.consumers import routing
from core.queue.consumers.consumer import Options
from core.queue.consumers.supervisor import UNANSWERED_S, Figures, Plan, Supervisor
from core.queue.handlers import load_handler
from core.queue.store import flows
from core.review.audit.sealer import seal_waiting
from core.runtime import Runtime
from core.workloads import Workload, handlers_of, workloads

log = logging.getLogger(__name__)

# Flows that are registered later join a running consumer of their queue.
LOOK_EVERY_S = 10.0
# What was appended to the ledger meanwhile is put into its chain.
SEAL_EVERY_S = 1.0
# The supervisor looks at its workers about every second, unless it waits for the database itself.
UNSEEN_MAX_S = 10.0
LOOK_ENDS_S = 1.0


class ConsumerRun:
    """Runs in the thread that calls `run`; `stop` may be called from a signal handler or another thread.

    Args:
        say: gets the figures about once a second.
        found: the workloads whose flows it knows how to do; the registry unless said.
    """

    def __init__(
        self,
        runtime: Runtime,
        request: ConsumeRequest,
        say: Callable[[Figures], None] | None = None,
        *,
        found: Sequence[Workload] | None = None,
    ) -> None:
        if request.folder is not None:
            sys.path.append(request.folder)
        if bool(request.flows) == (request.queue is not None) and not (request.handler and request.queue is None):
            raise ConfigError("which batches? name flows with --flow, or one work queue with --queue")
        self._runtime = runtime
        self._request = request
        self._say = say
        self._stopping = threading.Event()
        self._supervisor: Supervisor | None = None
        self._past = Figures()
        self._now = Figures()
        self._noted_at = time.monotonic()
        self._again = False
        self._unsealed = False
        # Flows whose batches Headrace itself knows how to do.
        self._known = handlers_of(workloads() if found is None else found)
        self._handlers = self._find()

    def stop(self) -> None:
        """Claim no more; what runs may finish within the grace, else its lease is given back."""
        self._stopping.set()
        if (supervisor := self._supervisor) is not None:
            supervisor.stop()

    def run(self) -> Figures:
        """Until told to stop or an option says so. Raises what the database refuses for good."""
        with _Watch(self._seal, SEAL_EVERY_S, "headrace-sealer"):
            return self._consume(time.monotonic())

    def _consume(self, began: float) -> Figures:
        if not self._handlers:
            self._tell_of_no_flow()
        while not self._stopping.is_set() and not self._over(began):
            if self._handlers:
                self._supervised(began)
                if self._past.exit_code or not self._again or self._stopping.is_set():
                    return self._past
                self._handlers = self._find()
            else:
                # The queue has no flow yet.
                self._stopping.wait(min(LOOK_EVERY_S, self._request.idle_exit_s or 1.0, 1.0))
                self._handlers = self._find()
        return self._past

    def _tell_of_no_flow(self) -> None:
        """It may come later, or the queue's name is misspelt."""
        known = sorted({queue for route in routing.routes(self._runtime.db) for queue in route.queues})
        log.warning(
            "no flow of the queue %s that it could do is registered; it waits for one. Queues with flows: %s",
            self._request.queue,
            ", ".join(known) or "none",
        )

    def problem(self) -> str | None:
        """Why this consumer takes no batches now; None: it does."""
        if self._stopping.is_set():
            return "it was told to end and drains"
        if not self._handlers:
            return f"no flow of the queue {self._request.queue} is registered"
        now = self._now
        if not now.ready:
            return "no worker process has begun to claim"
        unseen_s = time.monotonic() - self._noted_at
        waits_s = now.unanswered_s + unseen_s if now.unanswered_s else 0.0
        if waits_s > max(UNANSWERED_S, 3 * self._runtime.settings.queue.poll_s):
            return f"no claim was answered for {waits_s:.0f} s: the database is away or takes no writes, see the log"
        if unseen_s > UNSEEN_MAX_S:
            return f"its workers were not looked after for {unseen_s:.0f} s: the database is away, see the log"
        return None

    def samples(self) -> Samples:
        """Its figures as metrics."""
        now = self._now
        counts = {
            "headrace_consumer_workers": now.workers,
            "headrace_consumer_draining": int(self._stopping.is_set()),
            "headrace_consumer_batches": now.batches,
            "headrace_consumer_rows": now.rows,
            "headrace_consumer_rows_failed": now.rows_failed,
            "headrace_consumer_deaths": now.deaths,
        }
        return {name: [((), float(n))] for name, n in counts.items()}

    def _supervised(self, began: float) -> None:
        request, left_s = self._request, None
        if request.max_run_s is not None:
            left_s = max(0.0, request.max_run_s - (time.monotonic() - began))
        options = Options(request.max_batches, request.idle_exit_s, left_s)
        plan = Plan(
            self._handlers,
            request.processes,
            options,
            request.grace_s,
            request.memory_mb,
            self._profile(),
            self._runtime.settings.log,
        )
        self._supervisor = supervisor = Supervisor(self._runtime.queue, plan, self._note)
        if self._stopping.is_set():
            supervisor.stop()
        self._again = False
        # Flows that were named stay as they are.
        with (
            nullcontext() if self._request.queue is None else _Watch(self._look_again, LOOK_EVERY_S, "headrace-routes")
        ):
            ended = supervisor.run()
        self._supervisor = None
        self._past = replace(ended.since(self._past), workers=0, ready=0)
        self._note(Figures(exit_code=ended.exit_code))

    def _over(self, began: float) -> bool:
        """Without any flow nobody else looks at the clock."""
        passed = time.monotonic() - began
        limits = (self._request.max_run_s, None if self._handlers else self._request.idle_exit_s)
        return any(limit is not None and passed >= limit for limit in limits)

    def _note(self, figures: Figures) -> None:
        self._now = figures.since(self._past)
        self._noted_at = time.monotonic()
        if self._say is not None:
            self._say(self._now)

    def _seal(self) -> bool:
        """For the thread of the sealer, which never ends by itself: what is unsealed now is looked for again."""
        try:
            seal_waiting(self._runtime.db, self._runtime.worker_id)
        except HeadraceError as error:
            log.log(
                logging.DEBUG if self._unsealed else logging.WARNING, "the ledger is sealed later: %s", error.message
            )
            self._unsealed = True
        else:
            self._unsealed = False
        return False

    def _look_again(self) -> bool:
        """For the watching thread: whether it is done, because the workers are started again for other flows."""
        try:
            moved = self._find() != self._handlers
        except StoreError as error:
            log.warning("which flows there are is looked up again later: %s", error.message)
            return False
        if moved and (supervisor := self._supervisor) is not None:
            self._again = True
            supervisor.stop()
        return moved

    def _find(self) -> dict[str, str]:
        request, capabilities = self._request, frozenset(self._request.capabilities)
        known = routing.routes(self._runtime.db)
        if request.queue is not None:
            names = routing.of_queue(known, request.queue, capabilities)
            # Flows that only their users know how to do are left to consumers started with a handler.
            return {name: spec for name in names if (spec := request.handler or self._known.get(name))}
        names = list(request.flows) or [self._declared(request.handler or "")]
        for name in names:
            flows.require_known(self._runtime.db, name)
        routing.require_able(known, names, capabilities)
        return {name: request.handler or self._own(name) for name in names}

    def _own(self, flow_name: str) -> str:
        if flow_name not in self._known:
            raise ConfigError(
                f"the flow {flow_name} has no handler of Headrace's own; name yours with --handler module:function",
                flow_name=flow_name,
            )
        return self._known[flow_name]

    @staticmethod
    def _declared(handler: str) -> str:
        """The flow that the handler names itself."""
        sys.path.append(os.getcwd())
        declared = load_handler(handler).flow_name
        if declared is None:
            raise ConfigError(f"which flow? name it with --flow, or in the handler {handler} with @handles(flow=...)")
        return declared

    def _profile(self) -> WorkerProfile:
        request = self._request
        profile = {
            "flows": sorted(self._handlers),
            "capabilities": sorted(request.capabilities),
            "cores": usable_cores(),
            "memory_mb": request.memory_mb,
        }
        return WorkerProfile(request.queue or "default", profile)


class _Watch:
    """A thread that calls `look` every so many seconds until that returns True, or the block ends."""

    def __init__(self, look: Callable[[], bool], every_s: float, name: str) -> None:
        self._ended = threading.Event()
        self._look = look
        self._every_s = every_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        # It may be asking a database that does not answer.
        self._thread.join(LOOK_ENDS_S)

    def _run(self) -> None:
        while not self._ended.wait(self._every_s) and not self._look():
            pass
