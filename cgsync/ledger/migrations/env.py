"""Runs the migrations on the connection that the ledger hands over, in the transaction it has open."""

from alembic import context

connection = context.config.attributes["connection"]
# the driver is told to leave transactions alone, so DDL is rolled back like everything else
context.configure(connection=connection, transactional_ddl=True)
context.run_migrations()
