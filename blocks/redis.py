"""The Prefect block `redis`: connection settings kept by the Prefect server."""

from __future__ import annotations

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from core.settings import RedisSettings


class Redis(Block):
    """A Redis server; `to_settings()` is what the rest of Headrace takes."""

    _block_type_name: ClassVar[str | None] = "Headrace Redis"
    _block_type_slug: ClassVar[str | None] = "headrace-redis"

    url: SecretStr = Field(description="redis://user:password@host:6379/0, rediss:// for TLS, unix:// for a socket")
    max_connections: int | None = Field(None, ge=1, description="connections kept; unset: Headrace's default")

    def to_settings(self, base: RedisSettings | None = None) -> RedisSettings:
        """The settings of this block over `base` (default: Headrace's defaults). Raises ConfigError on a bad value."""
        return (base or RedisSettings()).replaced(url=self.url, max_connections=self.max_connections)
