"""The ledger's schema, as Alembic migrations; run by ``Ledger.migrate``."""
