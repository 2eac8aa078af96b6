-- Whether a call may have been made by somebody who is gone, and what becomes of it then.

alter table call
add column sent_at timestamptz,
add column lookup integer not null default 0,
add column in_doubt text not null default 'retry';

comment on column call.sent_at is 'since when somebody may have made it whose answer is not recorded';
comment on column call.lookup is 'from 1 where it finds out about an earlier call of the activity';
comment on column call.in_doubt is 'retry, verify or ask: what becomes of it when it is found with a time in sent_at';
