"""The flow that a deployment of prefect.yaml names: imported, and held against the parameters it would be given."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, get_type_hints

from prefect import Flow
from pydantic import BaseModel, TypeAdapter, ValidationError

from core.deploying.manifest import Deployment, Located, instead
from core.deploying.pools import job_variables


def load(located: Located, number: int, template: dict[str, Any]) -> Flow[..., Any]:
    """Import the flow of the numbered deployment.

    Raises ConfigError, with the line: it cannot be imported, it takes no such parameter, a value does not fit, a
    scheduled run would lack one, or the pool's job has no such variable.
    """
    deployment = located.manifest.deployments[number]
    found = _imported(located, number, deployment)
    _check_parameters(located, number, deployment, found)
    known = job_variables(template)
    for name in deployment.work_pool.job_variables:
        if name not in known:
            keys = ["work_pool", "job_variables", name]
            raise located.refused(number, keys, f"the pool's job has no such variable; it has {', '.join(known)}")
    return found


def _imported(located: Located, number: int, deployment: Deployment) -> Flow[..., Any]:
    module_name, _, function = deployment.entrypoint.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise located.refused(number, ["entrypoint"], f"{module_name} cannot be imported: {error}") from None
    flows = sorted(name for name, value in vars(module).items() if isinstance(value, Flow))
    if function not in flows:
        raise located.refused(
            number, ["entrypoint"], f"{module_name} has no flow {function}; it has {', '.join(flows)}"
        )
    found: Flow[..., Any] = getattr(module, function)
    return found


def _check_parameters(located: Located, number: int, deployment: Deployment, flow: Flow[..., Any]) -> None:
    taken = inspect.signature(flow.fn).parameters
    hints = get_type_hints(flow.fn)
    for name, value in deployment.parameters.items():
        if name not in taken:
            why = f"the flow {flow.name} has no parameter {name}; it has {', '.join(taken)}"
            raise located.refused(number, ["parameters", name], why)
        try:
            TypeAdapter(hints[name]).validate_python(value)
        except ValidationError as error:
            place, why = _first(error, hints[name])
            raise located.refused(number, ["parameters", name, *place], why) from None
    lacking = [
        name
        for name, parameter in taken.items()
        if parameter.default is inspect.Parameter.empty and name not in deployment.parameters
    ]
    if lacking and deployment.schedules:
        why = f"its scheduled runs would lack {', '.join(lacking)}, which the flow {flow.name} needs"
        raise located.refused(number, ["schedules"], why)


def _first(error: ValidationError, hint: Any) -> tuple[list[str], str]:
    """Place and reason of what is wrong; a misspelt field before the missing one that it was to be."""
    found = error.errors(include_url=False)
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    place = [str(step) for step in first["loc"]]
    if first["type"] == "extra_forbidden" and len(place) == 1 and issubclass(hint, BaseModel):
        return place, f"{hint.__name__} has no such field; {instead(place[0], list(hint.model_fields))}"
    return place, first["msg"]
