-- Wake-ups, where PostgreSQL itself is the broker. One row is one message; `ids` is a JSON array of strings.
-- A claimed message names the session that holds it, which keeps an advisory lock for as long as it lives.
CREATE TABLE message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    ids text NOT NULL,
    available_at timestamptz NOT NULL DEFAULT now(),
    deliveries integer NOT NULL DEFAULT 0,
    claimed_by integer
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 5000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 5000
);

CREATE INDEX message_waiting ON message (queue, available_at) WHERE claimed_by IS NULL;
CREATE INDEX message_claimed ON message (claimed_by) WHERE claimed_by IS NOT NULL;

-- Numbers the sessions that claim messages.
CREATE SEQUENCE message_session AS integer CYCLE;

-- Messages that failed too often, for an operator to look at.
CREATE TABLE message_dead (
    id bigint PRIMARY KEY,
    queue text NOT NULL,
    ids text NOT NULL,
    deliveries integer NOT NULL,
    died_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX message_dead_queue ON message_dead (queue, id);
