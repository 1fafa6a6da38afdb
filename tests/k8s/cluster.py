"""A Kubernetes API over HTTP in this process, by kmock: objects persist, watches stream, every request is kept."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import aiohttp.web
import yaml
from kmock import KubernetesEmulator, Request, Server, action

JOBS = "/apis/batch/v1/namespaces/headrace/jobs"
LIMIT_S = 120
VERBS = {
    action.LIST: "list",
    action.WATCH: "watch",
    action.FETCH: "get",
    action.CREATE: "create",
    action.UPDATE: "patch",
    action.DELETE: "delete",
}


class Emulator(KubernetesEmulator):
    """kmock's emulator, which also makes names of `generateName` as Kubernetes does."""

    _numbers = itertools.count(1)
    seen: ClassVar[list[Request]] = []

    async def _handle(self, request: Request) -> aiohttp.web.StreamResponse:
        self.seen.append(request)
        if request.action == action.CREATE:
            metadata = request.data.setdefault("metadata", {})
            number = next(self._numbers)
            metadata.setdefault("name", f"{metadata.get('generateName', '')}{number:05d}")
            metadata |= {"uid": f"00000000-0000-0000-0000-{number:012d}", "creationTimestamp": "2026-01-01T00:00:00Z"}
        return await super()._handle(request)


class Cluster:
    """What a test asks and tells the served API."""

    def __init__(self, emulator: Emulator, url: str) -> None:
        self._emulator = emulator
        self.url = url
        self._tick = threading.Event()

    def jobs(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(self.url + JOBS, timeout=5) as answer:
            return list(json.load(answer)["items"])

    def tell_status(self, name: str, status: dict[str, Any]) -> None:
        """What Kubernetes' Job controller writes."""
        body = json.dumps({"status": status}).encode()
        head = {"Content-Type": "application/merge-patch+json"}
        request = urllib.request.Request(f"{self.url}{JOBS}/{name}", body, head, method="PATCH")
        urllib.request.urlopen(request, timeout=5).close()

    def asked(self) -> set[tuple[str, str, str]]:
        """(group, resource, verb) of every request so far, as RBAC counts them; the test's own are among them."""
        return {
            (
                str(r.resource.group or ""),
                f"{r.resource.plural}{f'/{r.subresource}' if r.subresource else ''}",
                VERBS[r.action],
            )
            for r in list(self._emulator.seen)
            if r.resource is not None and r.resource.plural is not None and r.action in VERBS
        }

    def kubeconfig(self, path: Path) -> Path:
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "fake",
                    "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
                    "users": [{"name": "fake", "user": {"token": "none"}}],
                    "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
                }
            )
        )
        return path

    def until(self, ask: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> Any:
        """Ask until the answer is true. Raises AssertionError naming what did not come."""
        for _ in range(int(limit_s * 10)):
            if answer := ask():
                return answer
            self._tick.wait(0.1)
        raise AssertionError(f"{what} did not come within {limit_s:.0f} s")


@contextmanager
def served_cluster() -> Iterator[Cluster]:
    """The API on a port of its own, in a thread of its own, until the block ends."""
    started: list[tuple[Emulator, str, asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def serve() -> None:
        emulator = Emulator()
        # Namespaces and definitions are only discovered: the observer looks for them, and reads neither.
        found_only = ("v1/namespaces", "apiextensions.k8s.io/v1/customresourcedefinitions")
        for name in ("v1/pods", "v1/events", "batch/v1/jobs", *found_only):
            emulator.resources[name] = {
                "namespaced": True,
                "verbs": ["get", "list", "watch", "patch", "create", "delete"],
            }
        async with emulator, Server(emulator) as server:
            ended = asyncio.Event()
            started.append((emulator, str(server.url).rstrip("/"), asyncio.get_running_loop(), ended))
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="kubernetes", daemon=True)
    thread.start()
    assert ready.wait(30), "the API does not start"
    emulator, url, loop, ended = started[0]
    try:
        yield Cluster(emulator, url)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(30)
