"""PostgreSQL: pool, named queries, COPY of polars frames, migrations, the embedded server."""

from core.database.pool import DatabaseManager

__all__ = ["DatabaseManager"]
