"""Options that several commands read: `--map`, and rules of a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.workloads.invoices.rules.decide import Policy


def mapping_of(words: list[str]) -> dict[str, dict[str, Any]]:
    """`invoices.number=doc_no`, `decimal=,` and YAML files, as file -> field -> what serves it."""
    from core.errors import ConfigError

    found: dict[str, dict[str, Any]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            for kind, fields in _yaml(Path(word)).items():
                found.setdefault(kind if isinstance(fields, dict) else "", {}).update(
                    fields if isinstance(fields, dict) else {kind: fields}
                )
            continue
        kind, point, field = key.strip().rpartition(".")
        if not field or (point and not kind):
            raise ConfigError(f"--map {word}: say file.field=column, such as invoices.number=doc_no")
        found.setdefault(kind, {})[field] = value
    return found


def policy_of(path: Path | None) -> Policy:
    """Rules of a YAML file; the default ones without it. Raises ConfigError: an unknown or unfit rule."""
    from core.errors import ConfigError
    from core.workloads.invoices.rules.decide import Policy

    if path is None:
        return Policy()
    said = _yaml(path)
    known = ("auto_min", "weak_below", "loss_minor")
    if unknown := sorted(set(said) - set(known)):
        raise ConfigError(f"{path}: there is no rule {unknown[0]!r}; there are: {', '.join(known)}")
    shares = {name: said[name] for name in known[:2] if name in said}
    for name, value in shares.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
            raise ConfigError(f"{path}: {name} is a share above 0 and up to 1")
    loss = said.get("loss_minor")
    if loss is not None and (not isinstance(loss, int) or isinstance(loss, bool) or loss < 0):
        raise ConfigError(f"{path}: loss_minor is a whole number of minor units, 0 or more")
    return Policy(loss_minor=loss, **shares)


def _yaml(path: Path) -> dict[str, Any]:
    import yaml

    from core.errors import ConfigError

    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read as YAML ({type(error).__name__})") from None
    if not isinstance(said, dict):
        raise ConfigError(f"{path}: holds no names with values")
    return said
