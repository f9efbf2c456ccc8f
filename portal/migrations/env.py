"""Runs the steps over the connection that `portal.db.migrate` (or `portal.migrations.write`) hands in."""

from alembic import context

with context.begin_transaction():
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=context.config.attributes.get("metadata"),
        render_as_batch=True,
    )
    context.run_migrations()
