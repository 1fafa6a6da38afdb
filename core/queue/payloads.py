"""Payloads on their way in: any form becomes one column of JSON text, and what cannot go in is found before it does.

Checked here: size, nesting, NUL, and that it is JSON at all. The last check runs only when the server has refused the
COPY, because reading every payload twice would cost more than the COPY itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import polars as pl

from core.errors import InputError, RowError

BYTES_MAX = 1 << 20
DEPTH_MAX = 128

# Python reads no longer integers.
DIGITS_MAX = 4_300
_DIGITS = "integer string conversion"
NUL = "it holds the character NUL"
HALF_PAIR = "text that is not valid Unicode"
NOT_FINITE = "a number JSON cannot hold (NaN, infinity)"
TOO_LONG = f"an integer of more than {DIGITS_MAX} digits"
_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"{}[]")

OnBad = Literal["raise", "dead"]
Payloads = pl.DataFrame | Sequence[dict[str, Any]] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """One payload that cannot be an item: its place in the input (0 = first) and why, without its content."""

    line: int
    reason: str


def to_text(payloads: Payloads) -> pl.Series:
    """JSON text per payload, in order.

    A frame whose only column is `payload` of type String holds JSON text already; of any other frame each row becomes
    an object. Raises RowError: a dict that has no JSON form (a date, a set, NaN, a lone surrogate).
    """
    if isinstance(payloads, pl.DataFrame):
        if payloads.schema == {"payload": pl.String()}:
            return payloads["payload"]
        if payloads.width == 0:
            return pl.Series("payload", [], dtype=pl.String)
        return payloads.select(pl.struct(pl.all()).struct.json_encode().alias("payload"))["payload"]
    texts = [one if isinstance(one, str) else encode(one, line) for line, one in enumerate(payloads)]
    try:
        return pl.Series("payload", texts, dtype=pl.String)
    except UnicodeEncodeError:
        raise _unwritable(_first_unencodable(texts), "text that is not valid Unicode") from None


def formless(dtype: pl.DataType, name: str = "") -> tuple[str, pl.DataType] | None:
    """The first part of a type that has no JSON form, by its path and type; polars panics on bytes in JSON."""
    if isinstance(dtype, pl.Binary | pl.Object):
        return name, dtype
    if isinstance(dtype, pl.List | pl.Array):
        return formless(_whole(dtype.inner), f"{name}[]")
    if isinstance(dtype, pl.Struct):
        inner = ((f"{name}.{one.name}" if name else one.name, _whole(one.dtype)) for one in dtype.fields)
        return next((odd for path, kind in inner if (odd := formless(kind, path)) is not None), None)
    return None


def _whole(dtype: Any) -> pl.DataType:
    """An instance: parts of a type may be named by their class."""
    return cast(pl.DataType, dtype() if isinstance(dtype, type) else dtype)


def encode(payload: Any, line: int = 0) -> str:
    """JSON text of one value; RowError (naming the type, never the value) if it has none."""
    try:
        text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except TypeError as error:
        # "Object of type date is not JSON serializable" names the type only.
        raise _unwritable(line, str(error)) from None
    except UnicodeEncodeError:
        raise _unwritable(line, HALF_PAIR) from None
    except RecursionError:
        raise _unwritable(line, f"nested deeper than {DEPTH_MAX}") from None
    except ValueError as error:
        if _DIGITS in str(error):
            raise _unwritable(line, TOO_LONG) from None
        raise _unwritable(line, f"{NOT_FINITE}, or a circular reference") from None
    if "\\u0000" in text and has_escaped_nul(text):
        raise _unwritable(line, NUL)
    return text


def _unwritable(line: int, reason: str) -> RowError:
    return RowError(f"payload {line}: {reason}", line=line, column="payload", reason=reason)


def _first_unencodable(texts: list[str]) -> int:
    for line, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError:
            return line
    return 0


def screen(texts: pl.Series) -> list[Refused]:
    """Payloads over the limits, by vectorised tests; a suspect is looked at alone."""
    n_bytes = texts.str.len_bytes()
    suspect = (
        texts.is_null()
        | (n_bytes > BYTES_MAX)
        | texts.str.contains("\\u0000", literal=True)
        | texts.str.contains("\0", literal=True)
        | has_half_pair(texts)
    )
    if (n_bytes > DIGITS_MAX).any():
        suspect |= texts.str.contains(f"[0-9]{{{DIGITS_MAX + 1}}}")
    # Too deep a payload has more than DEPTH_MAX brackets that open, and as many that close.
    if (n_bytes > 2 * DEPTH_MAX).any():
        n_open = texts.str.count_matches("{", literal=True) + texts.str.count_matches("[", literal=True)
        suspect |= n_open > DEPTH_MAX
    found = []
    for line in suspect.arg_true().to_list():
        if reason := _limit_broken(texts[line]):
            found.append(Refused(line, reason))
    return found


def _limit_broken(text: str | None) -> str | None:
    if text is None:
        return "no payload"
    n_bytes = len(text.encode())
    if n_bytes > BYTES_MAX:
        return f"{n_bytes} bytes, the limit is {BYTES_MAX}"
    if depth(text) > DEPTH_MAX:
        return f"nested deeper than {DEPTH_MAX}"
    if "\0" in text or has_escaped_nul(text):
        return NUL
    if has_half_pair(pl.Series([text])).any():
        return HALF_PAIR
    return TOO_LONG if len(text) > DIGITS_MAX and _has_long_number(text) else None


def unstorable(outputs: pl.Series) -> list[Refused]:
    """Outputs with NUL or half of a surrogate pair, which `json` takes and whoever reads them chokes on."""
    nul = outputs.str.contains("\\u0000", literal=True) | outputs.str.contains("\0", literal=True)
    found = [Refused(line, HALF_PAIR) for line in has_half_pair(outputs).arg_true()]
    for line in nul.arg_true():
        if "\0" in outputs[line] or has_escaped_nul(outputs[line]):
            found.append(Refused(line, NUL))
    return found


def not_finite(frame: pl.DataFrame) -> list[Refused]:
    """Rows with NaN or infinity, however deep. Cost: a look at each float; nothing without floats."""
    tests = [odd for name, dtype in frame.schema.items() if (odd := _odd(dtype, pl.col(name))) is not None]
    if not tests:
        return []
    rows = frame.select(odd=pl.any_horizontal(tests))["odd"]
    return [Refused(line, NOT_FINITE) for line in rows.arg_true()]


def _odd(dtype: pl.DataType, read: pl.Expr) -> pl.Expr | None:
    """Whether a value holds a float that is not finite; None: its type holds no floats."""
    found: pl.Expr | None = None
    if dtype.is_float():
        found = ~read.is_finite()
    elif isinstance(dtype, pl.List | pl.Array):
        inner = _odd(_whole(dtype.inner), pl.element())
        listed = read.arr.to_list() if isinstance(dtype, pl.Array) else read
        found = None if inner is None else listed.list.eval(inner).list.any()
    elif isinstance(dtype, pl.Struct):
        parts = (_odd(_whole(one.dtype), read.struct.field(one.name)) for one in dtype.fields)
        odd = [part for part in parts if part is not None]
        found = pl.any_horizontal(odd) if odd else None
    return None if found is None else found.fill_null(False)


def has_half_pair(texts: pl.Series) -> pl.Series:
    """True for JSON text with an escaped half of a surrogate pair, which no Unicode text can hold."""
    escaped = texts.str.contains(r"\\u[dD][89a-fA-F]").fill_null(False)
    if not escaped.any():
        return escaped
    left = texts.filter(escaped).str.replace_all("\\\\", "", literal=True).str.replace_all(_PAIR, "")
    return escaped.scatter(escaped.arg_true(), left.str.contains(r"\\u[dD][89a-fA-F]"))


def _has_long_number(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError as error:
        return _DIGITS in str(error)
    except RecursionError:
        return False
    return False


def has_escaped_nul(text: str) -> bool:
    """True for a `\\u0000` whose backslash is not itself escaped."""
    at = text.find("\\u0000")
    while at != -1:
        n_backslashes = len(text[: at + 1]) - len(text[: at + 1].rstrip("\\"))
        if n_backslashes % 2 == 1:
            return True
        at = text.find("\\u0000", at + 1)
    return False


def depth(text: str) -> int:
    """How deep arrays and objects nest, ignoring brackets within strings; linear, without recursion.

    Of text that is not JSON the answer is some number: the parser refuses it later.
    """
    # Without escaped characters every second part between quotes lies outside strings.
    outside = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2]).encode()
    brackets = np.frombuffer(outside.translate(None, delete=_NO_BRACKET), dtype=np.uint8)
    if not brackets.size:
        return 0
    opens = (brackets == ord("{")) | (brackets == ord("["))
    return max(0, int(np.where(opens, 1, -1).cumsum().max()))


def not_json(texts: pl.Series) -> list[Refused]:
    """Payloads that do not parse: the slow pass, after the server has refused one of them."""
    found = []
    for line, text in enumerate(texts.to_list()):
        try:
            json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            found.append(Refused(line, "it is not JSON"))
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def row_error(refused: Sequence[Refused]) -> RowError:
    """One error for all refused payloads, naming the first."""
    first = refused[0]
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    return RowError(
        f"payload {first.line}: {first.reason}{more}; on_bad='dead' sends such payloads to the dead letters",
        line=first.line,
        column="payload",
        reason=first.reason,
        n_bad=len(refused),
    )


def document(what: str, value: Mapping[str, Any]) -> str:
    """JSON text of parameters and the like; InputError (naming types, never values) if it has none."""
    try:
        return encode(dict(value))
    except RowError as error:
        raise InputError(f"{what}: {error.reason}") from None
