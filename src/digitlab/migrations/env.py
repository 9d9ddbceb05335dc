"""Run by Alembic: within the transaction of `database.connect`, or from Alembic's own command."""

from alembic import context

from digitlab import database
from digitlab.schema import metadata


def _run(connection) -> None:
    # All steps or none, on SQLite too: its driver is told not to commit behind our back.
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with database.new_engine(database.database_url()).begin() as connection:
        _run(connection)
