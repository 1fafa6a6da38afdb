"""Variables that nobody wrote: Kubernetes puts the address of each Service of a namespace into its containers.

A Service `headrace-web` becomes `HEADRACE_WEB_SERVICE_HOST`, `HEADRACE_WEB_PORT` and others, which look like settings.
Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

_PORT_OF = r"PORT_\d{1,5}_(?:TCP|UDP|SCTP)"
_FORMS = re.compile(
    rf"(?:SERVICE_(?P<host>HOST)|SERVICE_(?P<port>PORT)(?:_[A-Z0-9_]+)?|(?P<url>PORT|{_PORT_OF})"
    rf"|{_PORT_OF}_(?:(?P<protocol>PROTO)|(?P<number>PORT)|(?P<address>ADDR)))$"
)
_URL = re.compile(r"(?:tcp|udp|sctp)://\S+:\d{1,5}")
_NUMBER = re.compile(r"\d{1,5}")


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


_FITS: dict[str, Callable[[str], object]] = {
    "host": _is_address,
    "port": _NUMBER.fullmatch,
    "url": _URL.fullmatch,
    "protocol": re.compile("tcp|udp|sctp").fullmatch,
    "number": _NUMBER.fullmatch,
    "address": _is_address,
}


def is_service_link(name: str, value: str, prefix: str) -> bool:
    """Whether a variable is one that Kubernetes makes for a Service whose name begins like `prefix`.

    Form and value must both fit; a name with two underscores in a row is a setting, well or badly spelt.
    """
    rest = name.removeprefix(prefix)
    if rest == name or "__" in rest:
        return False
    # The Service's own name comes before, and is empty for one that is called as the prefix is.
    starts = [0, *(at + 1 for at, sign in enumerate(rest) if sign == "_")]
    return any(_fits(rest[start:], value) for start in starts)


def _fits(form: str, value: str) -> bool:
    matched = _FORMS.match(form)
    return matched is not None and matched.lastgroup is not None and bool(_FITS[matched.lastgroup](value))
