"""`headrace deploy`: pools, queues, blocks, deployments and automations on a Prefect server."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from core.terminal.become_flow import become_flow
from core.terminal.options import AsJson


class Scaler(StrEnum):
    """Who brings consumers."""

    prefect = "prefect"
    keda = "keda"
    none = "none"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("deploy")(deploy)


def deploy(
    target: Annotated[
        Literal["local", "k8s"],
        typer.Option("--target", help="local: processes of `headrace up`; k8s: Kubernetes Jobs."),
    ],
    file: Annotated[
        Path | None, typer.Option("--file", help="What is deployed; else Headrace's own prefect.yaml.")
    ] = None,
    pools: Annotated[
        Path | None, typer.Option("--pools", help="Folder of the pools' base job templates; else Headrace's own.")
    ] = None,
    notify: Annotated[
        str | None, typer.Option("--notify", help="Notification block (type/name) that alerts go to.")
    ] = None,
    scaler: Annotated[
        Scaler | None,
        typer.Option(
            "--scaler",
            help="Who scales: prefect: `autoscale`, on local within `headrace up`; else it rests.",
        ),
    ] = None,
    workspace_claim: Annotated[
        str | None,
        typer.Option(
            "--workspace-claim", help="Kubernetes claim that holds files of jobs; without it: an object store does."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a Prefect server to what prefect.yaml says; run twice, the second run changes nothing.

    Without --scaler the schedule of `autoscale` stays as it is on the server, paused or not.

    The server is that of PREFECT_API_URL, else the one of a running `headrace up`.

    Example: headrace deploy --target k8s --scaler keda
    """
    from core.deploying import files
    from core.deploying.request import DeployRequest
    from core.errors import ConfigError

    if scaler is Scaler.keda and target != "k8s":
        raise ConfigError("KEDA scales on Kubernetes only: use --scaler keda with --target k8s")
    request = DeployRequest(
        target=target,
        file=str(file or files.manifest()),
        pools=str(pools or files.pool_templates()),
        notify=notify,
        scaler=scaler and scaler.value,
        workspace_claim=workspace_claim,
        as_json=as_json,
    )
    become_flow("flows.deploy", [request.model_dump_json()])
