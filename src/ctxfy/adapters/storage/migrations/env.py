"""
What Alembic runs around the scripts. It is handed a connection with its transaction begun.
"""

from alembic import context

from ctxfy.adapters.storage.tables import metadata


# No logging is configured here: that is the application's.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table only by copying it
)
with context.begin_transaction():
    context.run_migrations()
