"""prefect.yaml, read strictly: Prefect itself ignores a key it does not know."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from yaml.nodes import Node

from core.deploying import cron, yaml_lines
from core.deploying.pools import POOLS, QUEUES
from core.errors import ConfigError


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Schedule(_Strict):
    """When a deployment runs by itself: a cron expression, or a pause in seconds."""

    cron: str | None = None
    interval: float | None = Field(None, ge=1)
    timezone: str = "UTC"
    active: bool = True

    @field_validator("cron")
    @classmethod
    def _cron_fits(cls, value: str | None) -> str | None:
        if value is not None and (wrong := cron.problem(value)):
            raise ValueError(f"{value!r} is no cron expression: {wrong}")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{value!r} is no time zone, write for example UTC or Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _one_of_them(self) -> Schedule:
        if (self.cron is None) == (self.interval is None):
            raise ValueError("a schedule has either cron or interval")
        return self


class Placement(_Strict):
    """The pool and queue that a deployment's runs go to, and what they change of the pool's job."""

    name: str
    work_queue_name: str
    job_variables: dict[str, Any] = {}

    @field_validator("name")
    @classmethod
    def _pool_exists(cls, value: str) -> str:
        return _one_of(value, [plan.name for plan in POOLS.values()], "work pool")

    @field_validator("work_queue_name")
    @classmethod
    def _queue_exists(cls, value: str) -> str:
        return _one_of(value, [plan.name for plan in QUEUES], "work queue")


class Deployment(_Strict):
    """A flow that can be run from the UI, the API or by a schedule."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    entrypoint: str = Field(pattern=r"^flows(\.[a-z_][a-z0-9_]*){2}$")
    description: str = Field(min_length=10)
    tags: list[str] = Field(min_length=1)
    parameters: dict[str, Any] = {}
    schedules: list[Schedule] = []
    work_pool: Placement


class Manifest(_Strict):
    """The whole file. `definitions` holds what the deployments share through YAML anchors."""

    name: str
    prefect_version: str = Field(alias="prefect-version")
    pull: list[Any] = Field(max_length=0)
    definitions: Any = None
    deployments: list[Deployment] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_once(self) -> Manifest:
        seen: set[tuple[str, str]] = set()
        for deployment in self.deployments:
            entrypoint, name = deployment.entrypoint, deployment.name
            if (entrypoint, name) in seen:
                raise ValueError(f"{entrypoint} has two deployments called {name}")
            seen.add((entrypoint, name))
        return self


class Located:
    """A manifest and where its parts stand in the file."""

    def __init__(self, path: Path, manifest: Manifest, root: Node | None) -> None:
        self.path = path
        self.manifest = manifest
        self._root = root

    def refused(self, number: int, keys: Sequence[str], why: str) -> ConfigError:
        """The error for something below the deployment of that number."""
        place: list[str | int] = ["deployments", number, *keys]
        line = yaml_lines.line_of(self._root, place)
        where = _spoken(place, self.manifest.model_dump(by_alias=True))
        return ConfigError(f"{self.path} line {line}: {where}: {why}", line=line)


def read_manifest(path: Path) -> Located:
    """Read and check the form. Raises ConfigError: one sentence with the line, the key, and what there is instead."""
    try:
        text = path.read_text(encoding="utf-8")
        root, data = yaml_lines.compose(text), yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8: byte {error.start} cannot be read") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path} line {line}: this is no YAML: {error.problem}", line=line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{path} line {line}: this is no YAML: {error.reason}", line=line) from None
    if not isinstance(data, Mapping):
        is_what = "it is empty" if data is None else f"it is a {type(data).__name__}"
        raise ConfigError(f"{path} line 1: {is_what}, but keys are expected, such as name and deployments", line=1)
    if (twice := yaml_lines.doubled(root)) is not None:
        line, key = twice
        raise ConfigError(f"{path} line {line}: the key {key} stands here twice; keep one of them", line=line)
    try:
        return Located(path, Manifest.model_validate(data), root)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # A misspelt key is also a missing one: the misspelt one is what to correct.
        first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
        line = yaml_lines.line_of(root, first["loc"])
        raise ConfigError(f"{path} line {line}: {_in_words(first, data)}", line=line) from None


def of_target(manifest: Manifest, target: str) -> list[tuple[int, Deployment]]:
    """Deployments that go to the target's pool, with their place in the file."""
    pool = next(plan.name for name, plan in POOLS.items() if name == target)
    return [(number, one) for number, one in enumerate(manifest.deployments) if one.work_pool.name == pool]


def _in_words(error: ErrorDetails, data: Any) -> str:
    loc = error["loc"]
    parent, key = loc[:-1], str(loc[-1]) if loc else ""
    if error["type"] == "extra_forbidden":
        known = _keys_at(parent)
        return f"{_spoken(parent, data)} has no key {key}; {instead(key, known)}"
    if error["type"] == "missing":
        return f"{_spoken(parent, data)} lacks the key {key}"
    said = error["msg"].removeprefix("Value error, ")
    return f"{_spoken(loc, data)}: {said}"


def _keys_at(place: Sequence[str | int]) -> list[str]:
    """Keys that the model at this place of the file has."""
    models: dict[tuple[str, ...], type[BaseModel]] = {
        (): Manifest,
        ("deployments",): Deployment,
        ("deployments", "work_pool"): Placement,
        ("deployments", "schedules"): Schedule,
    }
    model = models[tuple(step for step in place if isinstance(step, str))]
    return [str(field.alias or name) for name, field in model.model_fields.items()]


def _spoken(place: Sequence[str | int], data: Any) -> str:
    """`deployments[3] (maintenance/local) work_pool`: where in the file, for people."""
    if not place:
        return "the file"
    words = ""
    for step in place:
        words += f"[{step}]" if isinstance(step, int) else f".{step}" if words else step
    if len(place) > 1 and place[0] == "deployments" and isinstance(place[1], int):
        one = data["deployments"][place[1]] if isinstance(data, Mapping) else None
        if isinstance(one, Mapping) and "entrypoint" in one:
            flow = str(one["entrypoint"]).rpartition(".")[2].replace("_", "-")
            words += f" (of {flow}/{one.get('name')})"
    return words


def _one_of(value: str, known: Sequence[str], what: str) -> str:
    if value not in known:
        raise ValueError(f"there is no {what} {value}; {instead(value, known)}")
    return value


def instead(value: str, known: Sequence[str]) -> str:
    """What there is, and which of it may have been meant."""
    near = difflib.get_close_matches(value, known, n=1)
    return (f"did you mean {near[0]}? There are" if near else "there are") + f" {', '.join(known)}"
