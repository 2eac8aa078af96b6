-- Schedules of the acting definition versions, one row for each kind that a definition uses.

create table schedule (
    id uuid primary key,
    tenant text not null,
    namespace text not null,
    name text not null,
    version text not null,
    kind text not null,
    expression json not null,
    timezone text not null,
    overlap text not null,
    catch_up text not null,
    anchor timestamptz not null,
    delay_months integer not null,
    delay_seconds double precision not null,
    next_at timestamptz,
    last_at timestamptz,
    last_process uuid,
    paused boolean not null,
    queued integer not null,
    unique (tenant, namespace, name, kind)
);
comment on column schedule.anchor is 'when the acting version was registered; the grid of `every` begins there';
comment on column schedule.delay_months is 'of `after`, with delay_seconds: from the end of a run to the next';
comment on column schedule.queued is 'ticks that wait for an earlier run to end';
create index schedule_due on schedule (next_at) where next_at is not null and not paused;
create index schedule_queued on schedule (id) where queued > 0;

create table schedule_tick (
    schedule uuid not null,
    at timestamptz not null,
    outcome text not null,
    process uuid,
    running boolean not null,
    decided_at timestamptz not null,
    primary key (schedule, at)
);
comment on table schedule_tick is 'what became of each tick: that there is one row is why it starts one process';
comment on column schedule_tick.running is 'may still be running; kept only where the overlap policy wants to know';
create index schedule_tick_running on schedule_tick (schedule) where running;
create index schedule_tick_queued on schedule_tick (schedule, at) where outcome = 'queued';
create index schedule_tick_by_age on schedule_tick (decided_at);

create table schedule_set (
    id bigint generated always as identity primary key,
    schedule uuid not null,
    correlation bytea not null,
    state bytea not null,
    payloads bytea not null,
    opened_at timestamptz not null
);
comment on table schedule_set is 'events consumed by an `on` schedule that do not make a whole set yet';
create index schedule_set_open on schedule_set (schedule, correlation, id);

create table schedule_audit (
    id bigint generated always as identity primary key,
    tenant text not null,
    schedule uuid not null,
    at timestamptz not null,
    actor text not null,
    action text not null,
    data json not null
);
comment on table schedule_audit is 'what operators did with schedules, and what outages made of them';
create index schedule_audit_newest on schedule_audit (tenant, schedule, id desc);
create index schedule_audit_by_age on schedule_audit (at);
