-- What is to be routed comes first, however much waits to be published while the broker is away.

-- Before the first release there is no table large enough for others to wait long.
set local statement_timeout = '5min';

-- squawk-ignore require-concurrent-index-creation
create index event_unfinished_first on event (routed, received_at) where not routed or to_publish;
-- squawk-ignore require-concurrent-index-deletion
drop index event_unfinished;
