"""The SQL of PostgreSQL as coordinator. The tables are described in their migrations."""

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

ADMIT: Final = """
    SELECT coordination_admit($1, $2, $3, $4, $5, $6)
"""
"""Name, rate per second, burst, places, permit, seconds: 0, seconds to wait, or -1 where all places are taken."""

HOLD: Final = """
    INSERT INTO coordination_permit (name, permit, held_until)
    SELECT name, permit, clock_timestamp() + make_interval(secs => $3)
    FROM unnest($1::text[], $2::uuid[]) AS held (name, permit)
    ORDER BY name, permit
    ON CONFLICT (name, permit) DO UPDATE SET held_until = excluded.held_until
"""
"""Names, permits, seconds: keep these permits; put back those that were lost."""

GIVE_BACK: Final = """
    DELETE FROM coordination_permit WHERE name = $1 AND permit = $2
"""
"""Name, permit: no longer under way."""

SWEEP_PERMITS: Final = """
    DELETE FROM coordination_permit WHERE held_until <= now() - interval '1 hour'
"""
SWEEP_LIMITS: Final = """
    DELETE FROM coordination_limit WHERE due <= now() - interval '1 hour'
"""
"""Drop what was not used for long. Two statements, so that neither waits while it has locked what others want."""
