"""`python -m flows.server.first_start`: make what a temporary server wants in its database, before any is started.

Two servers that make it at the same time trip over each other's tables and kinds of blocks.
"""

from __future__ import annotations

import asyncio

from prefect.plugins import load_prefect_collections
from prefect.server.database import provide_database_interface
from prefect.server.models.block_registration import run_block_auto_registration


async def start_first() -> None:
    """Tables and kinds of blocks, as a server makes them at its first start. What is there already stays."""
    # What is installed beside Prefect brings kinds of blocks, too.
    load_prefect_collections()
    database = provide_database_interface()
    await database.create_db()
    async with await database.session() as session:
        await run_block_auto_registration(session=session)


if __name__ == "__main__":
    asyncio.run(start_first())
