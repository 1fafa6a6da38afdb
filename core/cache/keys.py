"""What a cached value is called: never by the data it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from core.errors import ConfigError

DIGEST_BYTES = 20
_WORD = re.compile(r"[a-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class CacheKey:
    """`namespace` says what is cached, `version` under which rules and data; another version never sees the value.

    Build with `of`: the digest stands for what was asked, so that no record is read off the names in Redis.
    """

    namespace: str
    version: str
    digest: str

    @classmethod
    def of(cls, namespace: str, version: str, asked: Any) -> CacheKey:
        """Name the answer to `asked`, which JSON can hold; the order of keys does not count.

        Raises:
            ConfigError: namespace or version is not made of a-z, 0-9, `_`, `.` and `-`.
        """
        for word in (namespace, version):
            if _WORD.fullmatch(word) is None:
                raise ConfigError(f"{word!r} cannot be part of a cache key; write a-z, 0-9, _, . and - only")
        text = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)
        return cls(namespace, version, blake2b(text, digest_size=DIGEST_BYTES).hexdigest())

    def __str__(self) -> str:
        return f"headrace:{self.namespace}:{self.version}:{self.digest}"
