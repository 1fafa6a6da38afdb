"""Values of the rules as files of a batch: arrays, frames, and whatever is made of both."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

import numpy as np
import orjson
import polars as pl

from core.storage.workspace import Folder, load, load_frame, save, save_frame

T = TypeVar("T")


def keep(folder: Path, name: str, value: Any) -> None:
    """Write a dataclass or named tuple of arrays, frames, numbers, texts and others of the same, as `name.field`."""
    plain: dict[str, Any] = {}
    for field, kind in _kinds(type(value)).items():
        part, path = getattr(value, field), f"{name}.{field}"
        if isinstance(part, np.ndarray):
            save(folder, {path: np.ascontiguousarray(part)})
        elif isinstance(part, pl.DataFrame):
            save_frame(folder, path, part)
        elif _is_made_of_parts(kind):
            keep(folder, path, part)
        else:
            plain[field] = part
    (folder / f"{name}.json").write_bytes(orjson.dumps(plain))


def kept(folder: Folder, name: str, kind: type[T]) -> T:
    """What `keep` has written; arrays are mapped."""
    plain = orjson.loads((folder / f"{name}.json").read_bytes())
    parts: dict[str, Any] = {}
    for field, of in _kinds(kind).items():
        path = f"{name}.{field}"
        if field in plain:
            parts[field] = tuple(plain[field]) if isinstance(plain[field], list) else plain[field]
        elif of is pl.DataFrame:
            parts[field] = load_frame(folder, path)
        elif _is_made_of_parts(of):
            parts[field] = kept(folder, path, of)
        else:
            parts[field] = load(folder, path)
    return kind(**parts)


def _kinds(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else kind._fields
    return {name: hints[name] for name in names}


def _is_made_of_parts(kind: Any) -> bool:
    return get_origin(kind) is None and (is_dataclass(kind) or hasattr(kind, "_fields"))
