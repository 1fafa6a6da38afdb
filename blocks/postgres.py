"""The Prefect block `postgres`: connection settings kept by the Prefect server."""

from __future__ import annotations

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from core.settings import DatabaseSettings


class Postgres(Block):
    """A PostgreSQL database and the size of its pool; `to_settings()` is what the rest of Headrace takes."""

    _block_type_name: ClassVar[str | None] = "Headrace PostgreSQL"
    _block_type_slug: ClassVar[str | None] = "headrace-postgres"

    url: SecretStr = Field(description="postgresql://user:password@host:5432/database")
    pool_size: int | None = Field(None, ge=1, description="connections kept open; unset: Headrace's default")
    max_overflow: int | None = Field(None, ge=0, description="connections above that; unset: Headrace's default")
    pool_timeout_s: float | None = Field(None, gt=0, description="wait for a free connection in seconds")

    def to_settings(self, base: DatabaseSettings | None = None) -> DatabaseSettings:
        """The settings of this block over `base` (default: Headrace's defaults). Raises ConfigError on a bad value."""
        return (base or DatabaseSettings()).replaced(
            url=self.url,
            pool_size=self.pool_size,
            max_overflow=self.max_overflow,
            pool_timeout_s=self.pool_timeout_s,
        )
