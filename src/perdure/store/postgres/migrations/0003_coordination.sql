-- Short-lived locks that save double work, where there is no Redis. Nothing correct depends on them: unlogged.
CREATE UNLOGGED TABLE coordination_lock (
    name text PRIMARY KEY,
    token uuid NOT NULL,
    held_until timestamptz NOT NULL
);
