"""Alembic's entry: runs revisions on the connection that `core.database.migrations` holds, in its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
