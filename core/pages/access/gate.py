"""What stands before every request: hosts, proxies, cross-site requests, TLS; and the headers of every answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import ConfigError
from core.pages.kit import Exposure
from core.settings import WebSettings

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
# A kubelet calls by address, Prometheus too; neither signs in, and nothing there is about a person.
PROBES = frozenset({"/health", "/ready", "/metrics"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
HSTS = "max-age=31536000"
NO_TLS = (
    "the pages are off: this address is reached without TLS, and passwords would travel in clear. Give `headrace web` "
    "a certificate (--tls-certificate), say --behind-tls where a proxy ends TLS, or listen on 127.0.0.1"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further."""

    status: int
    words: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What is let in. `hosts`: names without ports, in small letters."""

    exposure: Exposure
    hosts: frozenset[str]
    proxies: tuple[object, ...]

    @classmethod
    def of(cls, settings: WebSettings, exposure: Exposure) -> Policy:
        """By the settings. Raises ConfigError: a proxy is neither an address nor a network."""
        try:
            proxies = tuple(ip_network(text, strict=False) for text in _words(settings.proxies))
        except ValueError:
            raise ConfigError(
                "HEADRACE_WEB__PROXIES: each of them is an address or a network, such as 10.0.0.0/8", field="proxies"
            ) from None
        return cls(exposure, LOOPBACK_HOSTS | {name.lower() for name in _words(settings.hosts)}, proxies)

    def believes(self, peer: str) -> bool:
        """Whether what a peer says about its own client is taken as true."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.proxies)  # type: ignore[operator]

    def refusal(self, method: str, host: str, headers: Headers) -> Refusal | None:
        """Why the request is refused, or None; pure.

        Another site can make a browser send requests here: by a name of its own that leads here (hence the list of
        hosts), and by forms and links to our own name (hence the fetch metadata, which no page can forge).
        """
        if self.exposure == "bare":
            return Refusal(403, NO_TLS)
        if host_name(host) not in self.hosts:
            return Refusal(
                421, "this name is not one the app is reached by; whoever runs it adds the name to HEADRACE_WEB__HOSTS"
            )
        if method in SAFE_METHODS or _is_own(headers, host):
            return None
        return Refusal(403, "the request came from another site, so nothing was changed; do it from a page of this app")


def host_name(host: str) -> str:
    """A Host header without its port, in small letters."""
    name = host.lower().strip()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


class Gate:
    """ASGI middleware that keeps a policy.

    Args:
        refuse: makes the answer to a refused request.
    """

    def __init__(self, app: ASGIApp, policy: Policy, refuse: Callable[[Scope, Refusal], Response]) -> None:
        self._app = app
        self._policy = policy
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        scope, host = self._as_seen(scope, headers)

        async def send_dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._dress(MutableHeaders(scope=message), started)
            await send(message)

        refused = None if scope["path"] in PROBES else self._policy.refusal(scope["method"], host, headers)
        app = self._app if refused is None else self._refuse(scope, refused)
        await app(scope, receive, send_dressed)

    def _as_seen(self, scope: Scope, headers: Headers) -> tuple[Scope, str]:
        """The request with its true client, scheme and host, as far as a trusted proxy says them."""
        host = headers.get("host", "")
        peer = (scope.get("client") or ("", 0))[0]
        if not self._policy.believes(peer):
            return scope, host
        forwarded = _words(headers.get("x-forwarded-for", ""))
        # From the right: what stands before the first stranger they saw, anybody can write.
        client = next((name for name in reversed(forwarded) if not self._policy.believes(name)), peer)
        scheme = headers.get("x-forwarded-proto", scope["scheme"])
        scheme = scheme if scheme in {"http", "https"} else scope["scheme"]
        return {**scope, "client": (client, 0), "scheme": scheme}, headers.get("x-forwarded-host", host)

    def _dress(self, headers: MutableHeaders, started: float) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self._policy.exposure == "tls":
            headers.setdefault("Strict-Transport-Security", HSTS)
        headers.setdefault("Cache-Control", "no-store")
        took_ms = (time.perf_counter() - started) * 1e3
        headers.append("Server-Timing", f"app;dur={took_ms:.1f}")
        headers["X-Response-Time"] = f"{took_ms:.1f}ms"


def _is_own(headers: Headers, host: str) -> bool:
    """Whether a page of ours asks, or a program that no other site can make ask."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == host.lower()
    return headers.get("authorization", "").startswith("Bearer ")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
