"""The actuator on a work pool of Prefect, by Prefect's own client: its URL, its keys, its retries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import PrefectException

from core.errors import QueueError
from core.scaling.prefect_runs import Ask, PrefectRuns
from flows.server.answers import refusal


class RunPool(PrefectRuns):
    """`PrefectRuns` through a client."""

    def __init__(
        self,
        client: SyncPrefectClient,
        deployment: str,
        flow_name: str,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(_asked_of(client), deployment, flow_name, parameters)


def _asked_of(client: SyncPrefectClient) -> Ask:
    def ask(method: str, path: str, body: Any) -> Any:
        try:
            answer = client.request(cast(Any, method), cast(Any, path), json=body)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.NOT_FOUND:
                return None
            raise QueueError(f"the Prefect API refused {error.request.url.path}: {refusal(error.response)}") from None
        except httpx.HTTPError as error:
            raise QueueError(f"the Prefect API does not answer: {type(error).__name__}; is it up?") from None
        except PrefectException as error:
            raise QueueError(f"the Prefect API: {type(error).__name__}") from None
        return answer.json() if answer.content else None

    return ask
