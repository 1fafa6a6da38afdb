"""What `headrace deploy` becomes: pools, queues, blocks, deployments and automations of one target, by one client."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import orjson
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from pydantic import SecretStr

from blocks.postgres import Postgres
from blocks.redis import Redis
from core.database import connect, migrations
from core.database.embedded import server_at
from core.deploying import schema
from core.deploying.manifest import Located, of_target, read_manifest
from core.deploying.pools import POOLS, on_claim, read_template
from core.deploying.request import AUTOSCALER, DeployRequest
from core.errors import ConfigError, HeadraceError, ServiceUnavailable
from core.settings import Settings, read_settings
from core.terminal.changes import show_changes
from core.terminal.guard import guarded
from flows.server import entrypoints, objects
from flows.server.answers import refusal, require_api
from flows.server.automations import automations
from flows.server.objects import Change

BLOCK = "headrace"


async def deploy(request: DeployRequest, settings: Settings) -> list[Change]:
    """Bring the server to what prefect.yaml says for the target; a second run changes nothing.

    Raises ConfigError (the file, a pool of another type), MigrationError (the database is older or newer than this
    code), ServiceUnavailable (the API does not answer).
    """
    located = read_manifest(Path(request.file))
    plan = POOLS[request.target]
    template = read_template(Path(request.pools), plan)
    if request.workspace_claim is not None:
        template = on_claim(template, request.workspace_claim)
    chosen = [(one, entrypoints.load(located, number, template)) for number, one in _chosen(located, request)]
    schema_version = _schema_version(settings, request)
    async with get_client() as client:
        await _reach(client, request.wait_s)
        changes = [await objects.put_pool(client, plan, template)]
        if request.fresh:
            changes += await objects.end_orphans(client, plan.name)
        changes += await objects.put_queues(client, plan.name)
        changes += await _blocks(client, settings, request)
        ids = {}
        for deployment, flow in chosen:
            scheduled = request.scheduled(deployment.entrypoint)
            change, found = await objects.put_deployment(client, deployment, flow, schema_version, scheduled)
            changes.append(change)
            # An autoscaler that rests is not woken by an automation either.
            if deployment.entrypoint != AUTOSCALER or await objects.is_scheduled(client, found):
                ids[change.name] = found
            changes += await objects.drop_missed(client, change.name, found, datetime.now(UTC))
        notify = await _notify_block(client, request.notify)
        return changes + await objects.put_automations(client, automations(ids, notify))


def _chosen(located: Located, request: DeployRequest) -> list[Any]:
    chosen = of_target(located.manifest, request.target)
    if not chosen:
        raise ConfigError(f"{located.path} has no deployment for {POOLS[request.target].name}")
    return chosen


def _schema_version(settings: Settings, request: DeployRequest) -> str:
    """`0.1.0+schema.0007`. The database, where it can be reached from here, must have that schema."""
    source = None
    if settings.database.url is not None:
        source = connect.Source(connect.require_url(settings.database))
    elif request.target == "local" and (server := server_at(settings.state_dir, settings.embedded)).is_running():
        source = connect.Source(server.url())
    if source is not None:
        migrations.require_current(source, settings.database)
    return schema.stamped(version("headrace"), migrations.newest())


async def _reach(client: PrefectClient, wait_s: float) -> None:
    """Raise ServiceUnavailable unless the API answers, within `wait_s` if it is being started."""
    give_up = time.monotonic() + wait_s
    while (failed := await client.api_healthcheck()) is not None:
        if time.monotonic() >= give_up:
            raise ServiceUnavailable(
                f"Prefect's API {client.api_url} does not answer ({type(failed).__name__}); start it with "
                "`headrace up`, or set PREFECT_API_URL to one that runs",
                url=str(client.api_url),
            )
        await asyncio.sleep(0.1)


async def _blocks(client: PrefectClient, settings: Settings, request: DeployRequest) -> list[Change]:
    """Connection settings as blocks, for flows that name one. A cluster's databases are not known here."""
    if request.target != "local":
        return []
    if settings.database.url is not None:
        url = connect.require_url(settings.database)
    else:
        url = server_at(settings.state_dir, settings.embedded).url()
    changes = [await objects.put_block(client, BLOCK, Postgres(url=SecretStr(url)))]
    if settings.redis.url is not None:
        changes.append(await objects.put_block(client, BLOCK, Redis(url=settings.redis.url)))
    return changes


async def _notify_block(client: PrefectClient, name: str | None) -> Any:
    """Id of the block `type/name` that alerts go to."""
    if name is None:
        return None
    slug, slash, block = name.partition("/")
    try:
        return (await client.read_block_document_by_name(block, slug, include_secrets=False)).id
    except ObjectNotFound:
        hint = "" if slash else "; write type/name, for example slack-webhook/operations"
        raise ConfigError(f"the server has no block {name} to notify by{hint}", block=name) from None


def main(arguments: list[str]) -> None:
    """One request given as JSON: what `headrace deploy` becomes."""
    request = DeployRequest.model_validate_json(arguments[0])
    require_api()
    try:
        changes = asyncio.run(deploy(request, read_settings()))
    except PrefectHTTPStatusError as error:
        raise HeadraceError(f"Prefect's API refused: {refusal(error.response)}; its log says more") from None
    except httpx.TransportError as error:
        raise ServiceUnavailable(
            f"Prefect's API went away ({type(error).__name__}); the same command goes on"
        ) from None
    counts = Counter(change.action for change in changes)
    if request.as_json:
        said = {"target": request.target, "changed": counts["created"] + counts["updated"], "objects": changes}
        sys.stdout.write(orjson.dumps(said, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        show_changes([(one.kind, one.name, one.action, one.note) for one in changes])


if __name__ == "__main__":
    guarded(lambda: main(sys.argv[1:]))
