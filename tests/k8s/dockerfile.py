"""The Dockerfile, instruction by instruction, with what each RUN would see of ENV, ARG and WORKDIR."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from dockerfile_parse import DockerfileParser

from tests.architecture.tree import ROOT, files

# What the base image sets.
BASE_ENV = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}


@dataclass
class Stage:
    """One `FROM` and what follows it."""

    base: str
    name: str
    env: dict[str, str] = field(default_factory=lambda: dict(BASE_ENV))
    args: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "root"
    labels: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """A RUN or a COPY with the state in which it happens."""

    kind: str
    text: str
    env: dict[str, str]
    workdir: str

    def words(self) -> list[str]:
        return [word for word in shlex.split(self.text) if not word.startswith("--")]

    def options(self) -> dict[str, str]:
        found = [word[2:].partition("=") for word in shlex.split(self.text) if word.startswith("--")]
        return {name: value for name, _, value in found}


def stages(path: Path = ROOT / "Dockerfile") -> list[Stage]:
    """All stages in order. Cost: a millisecond."""
    parser = DockerfileParser(fileobj=BytesIO(path.read_bytes()), env_replace=False)
    found: list[Stage] = []
    outer: dict[str, str] = {}
    for entry in parser.structure:
        kind, text = entry["instruction"], entry["value"]
        if kind == "COMMENT":
            continue
        if kind == "ARG" and not found:
            outer |= dict([_pair(text)])
        elif kind == "FROM":
            base, _, name = _filled(text, outer).partition(" AS ")
            found.append(Stage(base.strip(), name.strip()))
        else:
            _apply(found[-1], kind, text)
    return found


def _apply(stage: Stage, kind: str, text: str) -> None:
    known = {**stage.args, **stage.env}
    match kind:
        case "ARG":
            stage.args |= dict([_pair(text)])
        case "ENV":
            stage.env |= {name: _filled(value, known) for name, value in map(_pair, shlex.split(text))}
        case "LABEL":
            stage.labels |= {name: _filled(value, known) for name, value in map(_pair, shlex.split(text))}
        case "WORKDIR":
            stage.workdir = text
        case "USER":
            stage.user = text
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(text)
        case "CMD":
            stage.command = json.loads(text)
        case "RUN" | "COPY":
            stage.steps.append(Step(kind, text, {**stage.args, **stage.env}, stage.workdir))


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values.get(found[1], ""), text)


def ignored(path: str) -> bool:
    """Whether .dockerignore leaves the path out; the last line that matches it or a folder of it decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = path.split("/")
        heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        candidates = [*heads, *parts] if line.startswith("**/") else heads
        if any(
            fnmatch.fnmatchcase(candidate, pattern) and ("/" in pattern or "/" not in candidate)
            for candidate in candidates
        ):
            out = not line.startswith("!")
    return out


def context() -> Iterator[str]:
    """The files that an engine would be sent."""
    return (str(path) for path in files() if not ignored(str(path)))


def copied(step: Step) -> list[tuple[str, str]]:
    """(file of the context, path in the image) for a COPY of the context; [] for one from another stage."""
    if "from" in step.options():
        return []
    *sources, target = step.words()
    folder = target if target.startswith("/") else f"{step.workdir}/{target.removeprefix('./')}"
    pairs: list[tuple[str, str]] = []
    for source in (source.removeprefix("./") for source in sources):
        inside = [path for path in context() if path == source or path.startswith(f"{source}/")]
        assert inside, f"COPY {source}: the context has no such file"
        for path in inside:
            below = path.removeprefix(f"{source}/") if path != source else Path(path).name
            pairs.append((path, f"{folder.rstrip('/')}/{below}"))
    return pairs


def variables(stage: Stage) -> dict[str, Any]:
    return {name: value for name, value in stage.env.items() if name not in {"PATH"}}
