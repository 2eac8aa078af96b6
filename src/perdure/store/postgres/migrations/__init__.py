"""The database schema, as numbered SQL files that only go forward, and their runner."""

from perdure.store.postgres.migrations.runner import Migration, MigrationFailed, migrate, pending

__all__ = ["Migration", "MigrationFailed", "migrate", "pending"]
