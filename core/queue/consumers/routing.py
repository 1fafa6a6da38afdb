"""Which flows a consumer takes: by name, or by the work queue it serves, as far as it has what they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import ConfigError

Q = load("queue")
ANY = "any"


@dataclass(frozen=True, slots=True)
class Route:
    """A flow as consumers find it."""

    flow_name: str
    queues: tuple[str, ...]
    needs: frozenset[str]


def routes(db: DatabaseManager) -> list[Route]:
    """Of all registered flows, by name."""
    with db.transaction() as conn:
        found = run(conn, Q["flow_routes"])
    return [Route(str(name), tuple(queues), frozenset(needs)) for name, queues, needs in found]


def of_queue(known: Sequence[Route], queue: str, capabilities: frozenset[str]) -> list[str]:
    """Flows of the queue (`any`: of all) that need nothing else than the capabilities; none: the queue is empty yet."""
    return [
        route.flow_name for route in known if (queue == ANY or queue in route.queues) and route.needs <= capabilities
    ]


def require_able(known: Sequence[Route], flow_names: Sequence[str], capabilities: frozenset[str]) -> None:
    """ConfigError if a flow that was named needs what the consumer does not have."""
    for route in known:
        if route.flow_name in flow_names and (lacking := sorted(route.needs - capabilities)):
            given = ", ".join(sorted(capabilities)) or "none"
            raise ConfigError(
                f"the flow {route.flow_name} needs {', '.join(lacking)} and this consumer has {given}; start it where "
                f"that is there, with --capability {lacking[0]}",
                flow_name=route.flow_name,
                lacking=lacking,
            )
