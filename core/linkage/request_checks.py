"""Whether a request can be meant as it stands: sentences name its fields as `field`, errors carry them as `fields`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

from core.errors import ConfigError, InputError
from core.intake.decoding.encodings import named_encoding
from core.intake.tables.part_files import part_files
from core.linkage.request import MatchRequest
from core.linkage.run_record import FORMATS


def check_request(request: MatchRequest) -> None:
    """Refuse, before any work, fields that exclude each other, answers that cannot be written, and files not there.

    Raises:
        ConfigError, InputError: the first that is wrong.
    """
    _check_fields(request)
    check_places(request.out, request.entities)
    for path in (part.path for number in range(len(request.inputs)) for part in part_files(request.named(number))):
        if not path.is_file():
            raise InputError(f"{path} is no file that can be read twice; `headrace match` reads pipes", path=str(path))


def _check_fields(request: MatchRequest) -> None:
    if request.encoding is not None:
        named_encoding(request.encoding)
    if request.delimiter is not None and (request.delimiter in "\"'\r\n" or request.delimiter > "\x7f"):
        raise ConfigError(
            f"`delimiter` {request.delimiter!r}: one character of ASCII is needed, and neither a quote nor a line end",
            fields=("delimiter",),
        )
    if request.link and (request.against is not None or request.decisions is not None):
        raise ConfigError(
            "`against` and `decisions` are for a match within one file, not across files with `link`; "
            "give the files as parts of one table, INPUT FILE ..., or leave these out",
            fields=("against", "decisions", "link"),
        )
    if request.against is None and (request.removed is not None or request.changed != "refuse"):
        raise ConfigError(
            "`changed` and `removed` say what becomes of the records of a finished match; name that with `against`",
            fields=("changed", "removed", "against"),
        )
    if request.removed is not None and not Path(request.removed).is_file():
        raise InputError(
            f"`removed` {request.removed}: there is no such file", path=request.removed, fields=("removed",)
        )
    if request.against is not None and request.model is not None:
        raise ConfigError("`against` brings the model of its run; leave out `model`", fields=("against", "model"))
    if request.lookup and request.link:
        raise ConfigError(
            "`lookup` is for a match within one file, not across files with `link`", fields=("lookup", "link")
        )
    _check_links(request)
    for mapping in (request.mapping, *request.link_mapping):
        _check_mapping(mapping, "mapping" if mapping is request.mapping else "link_mapping")
    _check_linking(request)


def _check_links(request: MatchRequest) -> None:
    for name, said in (("link_id", request.link_id), ("link_mapping", request.link_mapping)):
        if said and not request.link:
            raise ConfigError(
                f"`{name}` names columns of files given with `link`; there are none", fields=(name, "link")
            )
        if len(said) not in {0, 1, len(request.link)}:
            raise ConfigError(
                f"`{name}` has {len(said)} entries for {len(request.link)} files of `link`; give one for all, or one "
                "for each",
                fields=(name, "link"),
            )


def _check_linking(request: MatchRequest) -> None:
    """Refuse what says of no file, of one that is none, or two things at once, who may have how many partners."""
    asked = [name for name in ("one_to_one", "shared", "reference") if getattr(request, name)]
    if asked and not request.link:
        raise ConfigError(
            f"`{asked[0]}` pairs the records of several files; give the others with `link`", fields=(asked[0], "link")
        )
    if request.shared and request.one_to_one is False:
        asked = ["one_to_one", *asked]
    if len(asked) > 1:
        raise ConfigError(
            f"`{asked[0]}` and `{asked[1]}` say different things of who has how many partners; leave out one",
            fields=tuple(asked[:2]),
        )
    # Both find the files that are named.
    _ = request.shared_sources, request.reference_source


def _check_mapping(mapping: Mapping[str, str], asked: str) -> None:
    """Refuse one column for two fields: they would agree whenever one does."""
    served: dict[str, str] = {}
    for field, column in mapping.items():
        name = column.strip()
        if name and name in served:
            raise ConfigError(
                f"`{asked}`: the column {name} is mapped twice, to {served[name]} and to {field}; a column serves one "
                "field",
                fields=(asked,),
                column=name,
            )
        served[name] = field


def check_here(request: MatchRequest) -> None:
    """Refuse what only a job of the queue can do (`via` is no field, but where a job is done).

    Raises:
        ConfigError: lists for lookups are wanted.
    """
    if request.lookup:
        raise ConfigError(
            "`lookup` is for what is published in the database; add `via` prefect", fields=("lookup", "via")
        )


def check_places(out: str | None, entities: str | None) -> None:
    """Refuse places that cannot be written.

    Raises:
        ConfigError: unknown ending, no such folder, no permission, or golden records without the records beside them.
    """
    if out is not None:
        check_place("out", Path(out))
    if entities is None:
        return
    if out is None:
        raise ConfigError(
            "`entities` goes with `out`: the records say by entity_id to which golden record they belong",
            fields=("entities", "out"),
        )
    check_place("entities", Path(entities))


def check_place(field: str, path: Path) -> None:
    """Refuse a file that cannot be written. Raises ConfigError: what is wrong with its ending or its folder."""
    problem = None
    if path.suffix.lower() not in FORMATS:
        problem = f"the ending must be {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
    elif not path.parent.is_dir():
        problem = f"there is no folder {path.parent}; make it first"
    elif path.is_dir() or not _takes_files(path.parent):
        problem = "cannot be written; choose another place"
    if problem is not None:
        raise ConfigError(f"`{field}` {path}: {problem}", fields=(field,))


def _takes_files(folder: Path) -> bool:
    """Whether a file can be made there; permissions alone do not tell (root, file systems of their own kind)."""
    try:
        with TemporaryFile(dir=folder):
            return os.access(folder, os.W_OK)
    except OSError:
        return False
