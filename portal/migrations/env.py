"""Runs the steps over the connection that `portal.db.migrate` (or `portal.migrations.write`) hands in."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
