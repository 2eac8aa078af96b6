"""The SQL of PostgreSQL as a broker. Table `message` is described in its migration."""

from typing import Final

INSERT: Final = """
    INSERT INTO message (queue, ids) SELECT $1, unnest($2::text[])
"""
"""Queue, messages: make them durable."""

NOTIFY: Final = """
    SELECT pg_notify('perdure_message', queue) FROM unnest($1::text[]) AS queue
"""
"""Queues: tell every session that these have news."""

BEGIN_SESSION: Final = """
    SELECT number, pg_advisory_lock($1, number) FROM (SELECT nextval('message_session')::integer AS number) AS s
"""
"""Lock class: a number for this session, and the lock that shows that it lives."""

ADOPT: Final = """
    UPDATE message SET claimed_by = $2 WHERE claimed_by = $1
"""
"""Old, new session number: what is in flight in this process remains in flight."""

EXCHANGE: Final = """
    WITH acknowledged AS (
        DELETE FROM message WHERE id = ANY($1::bigint[])
    ), waiting AS (
        SELECT id FROM message
        WHERE queue = $2 AND claimed_by IS NULL AND available_at <= now()
        ORDER BY available_at LIMIT $3
        FOR UPDATE SKIP LOCKED
    )
    UPDATE message SET claimed_by = $4, deliveries = deliveries + 1
    FROM waiting WHERE message.id = waiting.id
    RETURNING message.id, message.ids, message.deliveries
"""
"""Handled messages, queue, how many more, session: drop the first, claim the next."""

RETRY: Final = """
    UPDATE message SET claimed_by = NULL, available_at = now() + make_interval(secs => pause)
    FROM unnest($1::bigint[], $2::float8[]) AS failed (id, pause)
    WHERE message.id = failed.id AND message.claimed_by = $3
"""
"""Messages, pauses in seconds, session: let them come again later."""

RELEASE: Final = """
    UPDATE message SET claimed_by = NULL, deliveries = deliveries - 1
    WHERE id = ANY($1::bigint[]) AND claimed_by = $2
"""
"""Messages, session: hand them back as if they had not been delivered."""

BURY: Final = """
    WITH dead AS (
        DELETE FROM message WHERE id = ANY($1::bigint[]) RETURNING id, queue, ids, deliveries
    )
    INSERT INTO message_dead (id, queue, ids, deliveries) SELECT id, queue, ids, deliveries FROM dead
"""
"""Messages: put them aside."""

TRIM_DEAD: Final = """
    DELETE FROM message_dead
    WHERE queue = $1 AND id <= (SELECT id FROM message_dead WHERE queue = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)
"""
"""Queue, how many to keep: drop the oldest."""

RECLAIM: Final = """
    UPDATE message SET claimed_by = NULL
    WHERE claimed_by = ANY (ARRAY(
        SELECT DISTINCT claimed_by FROM message WHERE claimed_by IS NOT NULL
        EXCEPT
        SELECT objid::bigint::integer FROM pg_locks
        WHERE locktype = 'advisory' AND classid = $1::integer::oid AND objsubid = 2
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ))
    RETURNING queue
"""
"""Lock class: free what sessions held that have ended."""
