"""The SQL of PostgreSQL as coordinator. Table `coordination_lock` is described in its migration."""

from typing import Final

TAKE: Final = """
    INSERT INTO coordination_lock AS held (name, token, held_until)
    VALUES ($1, $2, now() + make_interval(secs => $3))
    ON CONFLICT (name) DO UPDATE SET token = excluded.token, held_until = excluded.held_until
    WHERE held.held_until <= now()
    RETURNING true
"""
"""Name, token, seconds: take the lock if it is free or has run out."""

RELEASE: Final = """
    DELETE FROM coordination_lock WHERE name = $1 AND token = $2
"""
"""Name, token: let go, unless it has run out and is another's."""

SWEEP: Final = """
    DELETE FROM coordination_lock WHERE held_until <= now() - interval '1 hour'
"""
"""Drop what processes that were killed have left."""
