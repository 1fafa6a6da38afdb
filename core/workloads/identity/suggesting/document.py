"""A suggested spec as YAML that a person reads, edits and runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from core.workloads.identity.suggesting.family import Family
from core.workloads.identity.suggesting.fields import FieldsFound, Suggested, built_in
from core.workloads.identity.suggesting.passes import says
from core.workloads.identity.suggesting.seen_file import SeenFile

_THRESHOLDS: Final = ("match_bits", "review_bits", "max_cluster")
_OTHERS: Final[Mapping[str, Any]] = {"match_bits": 0.0, "review_bits": -6.0, "max_cluster": 50}


def match_command(files: Sequence[SeenFile], found: FieldsFound, spec: str) -> str:
    """The match that runs the spec as it comes, as a line for a shell."""
    first, others = files[0], files[1:]
    words = ["headrace", "match", str(first.path), "--id", first.id_column]
    words += [word for name, columns in found.joined.get(0, {}).items() for word in ("--map", f"{name}={columns}")]
    for number, seen in enumerate(others, 1):
        words += ["--link", str(seen.path), "--link-id", f"{number}:{seen.id_column}"]
        for name, columns in found.joined.get(number, {}).items():
            words += ["--link-map", f"{number}:{name}={columns}"]
    return shlex.join([*words, "--spec", spec, "--out", "entities.parquet"])


def spec_text(
    name: str, files: Sequence[SeenFile], family: Family, found: FieldsFound, passes: Sequence[Mapping[str, Any]],
    command: str,
) -> str:  # fmt: skip
    """The spec, with the reason of each field and pass as a comment; no comment holds a value of a row."""
    thresholds = _thresholds(family, found)
    of = {"others": "neither persons nor organisations"}.get(family.name, family.name)
    lines = [
        f"# A first spec for {' and '.join(repr(seen.path.name) for seen in files)}, suggested by headings, and by",
        f"# values of the first {files[0].frame.height:,} rows. Edit it, look at `--plan`, and run:",
        f"#   {_one_line(command)}",
        f"# Records: {of}, for {family.reason}.",
        *_flow({"name": name}).strip("{}").splitlines(),
        *(f"{key}: {value}" for key, value in thresholds.items()),
        "",
        "fields:",
        *_fields(found.fields),
    ]
    if found.possible:
        lines += ["  # Not compared, for it may be no matter of who a record is; take the # away where it is."]
        lines += [line.replace("  - ", "  # - ", 1) for line in _fields(found.possible)]
    lines += [
        "",
        "# Two records are compared where all keys of a pass are equal; `refine` splits blocks that are too large.",
    ]
    lines += ["passes:"]
    for each in passes:
        room = "; made only where there is room for its pairs" if each.get("wide") else ""
        lines += [f"  # {says(each['keys'])}{room}", f"  - {_flow(each)}"]
    if found.left_out:
        lines += ["", "# Left out:", *(f"#   {column!r}: {reason}" for column, reason in found.left_out.items())]
    return "\n".join(lines) + "\n"


def _thresholds(family: Family, found: FieldsFound) -> dict[str, Any]:
    """Those of the built-in spec; with names alone nothing can make a pair surer than an even chance for most."""
    if family.name == "others":
        return dict(_OTHERS)
    thresholds = {key: built_in(family.name)[key] for key in _THRESHOLDS}
    alone = all("part" in each.content or "mark" in each.content for each in found.fields)
    return thresholds | ({"match_bits": 0.0} if alone else {})


def _fields(fields: Sequence[Suggested]) -> list[str]:
    return [line for each in fields for line in (f"  # {each.reason}", f"  - {_flow(each.content)}")]


def _flow(content: Mapping[str, Any]) -> str:
    """A mapping in one line."""
    text: str = yaml.safe_dump(
        dict(content), default_flow_style=True, sort_keys=False, width=float("inf"), allow_unicode=True
    )
    # In plain or single quotes a line break would be a line of its own, which a comment could not hold.
    return text.strip() if text.count("\n") == 1 else json.dumps(dict(content))


def _one_line(command: str) -> str:
    """A heading may hold a line break, which would end the comment."""
    return command if command.isprintable() else repr(command)
