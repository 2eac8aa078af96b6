-- The facts of the platform. Every row belongs to a tenant; rows of one process belong to its tenant.
-- Payload references (bytea) are read as perdure.engine.refs says: '0' + JSON, or '1' + key of payload.

create table definition (
    tenant text not null,
    namespace text not null,
    name text not null,
    version text not null,
    version_order text collate "C" not null,
    stable boolean not null,
    title text,
    summary text,
    document bytea not null,
    source bytea not null,
    media_type text not null,
    digest bytea not null,
    created_at timestamptz not null,
    created_by text not null,
    primary key (tenant, namespace, name, version)
);
create index definition_latest on definition (tenant, namespace, name, version_order desc);

create table process (
    id uuid primary key,
    tenant text not null,
    namespace text not null,
    name text not null,
    version text not null,
    status text not null,
    key text,
    tags jsonb,
    seed bytea not null,
    state bytea,
    input bytea not null,
    output bytea,
    error json,
    waiting json,
    parent_process uuid,
    parent_activity uuid,
    sequence bigint not null,
    owed_since timestamptz,
    created_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz
) with (fillfactor = 70);
comment on column process.sequence is 'the last sequence number given in its history';
comment on column process.owed_since is 'set while the process owes itself a step that no fact announces';
create index process_newest on process (tenant, created_at desc, id desc);
create index process_by_status on process (tenant, status, created_at desc, id desc);
create index process_by_definition on process (tenant, namespace, name, created_at desc, id desc);
create index process_by_key on process (tenant, key, created_at desc, id desc) where key is not null;
create index process_by_parent on process (parent_process) where parent_process is not null;
create index process_by_tags on process using gin (tags jsonb_path_ops) where tags is not null;
create index process_owed on process (owed_since) where owed_since is not null;

create table inbox (
    id bigint generated always as identity primary key,
    process uuid not null,
    fact bytea not null,
    recorded_at timestamptz not null,
    operator boolean not null default false
);
comment on table inbox is 'facts recorded but not yet taken into a step; each is also the wake-up that is owed';
create index inbox_of_process on inbox (process, id);
create index inbox_oldest on inbox (recorded_at);

create table payload (
    process uuid not null,
    key bytea not null,
    data bytea not null,
    primary key (process, key)
);

create table activity (
    process uuid not null,
    number integer not null,
    id uuid not null,
    parent uuid,
    reference text not null,
    name text not null,
    kind text not null,
    iteration integer [] not null,
    status text not null,
    attempt integer not null,
    input bytea,
    output bytea,
    error json,
    created_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    primary key (process, number)
);
comment on column activity.number is 'order of start within the process, from 0; that of the first attempt';
create unique index activity_once on activity (process, id);

create table history (
    process uuid not null,
    sequence bigint not null,
    at timestamptz not null,
    type text not null,
    activity uuid,
    actor text not null,
    data json not null,
    primary key (process, sequence)
);

create table timer (
    process uuid not null,
    id uuid not null,
    due timestamptz not null,
    purpose text not null,
    fact bytea not null,
    primary key (process, id)
);
comment on column timer.fact is 'what to put into the inbox when due';
create index timer_due on timer (due);

create table call (
    activity uuid primary key,
    process uuid not null,
    tenant text not null,
    attempt integer not null,
    function text not null,
    reference text not null,
    request bytea not null,
    secrets text [] not null,
    created_at timestamptz not null,
    lease_until timestamptz not null,
    lease_token uuid
);
comment on column call.lease_until is 'nobody else performs the call before; its creation time while nobody does';
create index call_available on call (lease_until);
create index call_of_process on call (process);

create table subscription (
    process uuid not null,
    activity uuid not null,
    ordinal integer not null,
    tenant text not null,
    reference text not null,
    type text,
    shape bytea,
    value bytea,
    since timestamptz not null,
    look_back_pending boolean not null,
    primary key (process, activity, ordinal)
);
comment on column subscription.shape is 'digest of the correlation expressions, null where any event of the type may match';
comment on column subscription.value is 'digest of the values that they must have';
create index subscription_by_event on subscription (tenant, type, shape, value);
create index subscription_look_back on subscription (since) where look_back_pending;

create table correlation_shape (
    tenant text not null,
    shape bytea not null,
    expressions json not null,
    primary key (tenant, shape)
);

create table event (
    id bigint generated always as identity primary key,
    tenant text not null,
    source text not null,
    event_id text not null,
    type text not null,
    event bytea not null,
    received_at timestamptz not null,
    routed boolean not null,
    to_publish boolean not null
);
create unique index event_once on event (tenant, source, event_id);
create index event_by_type on event (tenant, type, received_at);
create index event_unfinished on event (received_at) where not routed or to_publish;
create index event_by_age on event (received_at);

create table offer (
    process uuid not null,
    reference text not null,
    event bigint not null,
    primary key (process, reference, event)
);
comment on table offer is 'which event was offered to which listening task, so that none is offered twice';
create index offer_of_event on offer (event);

create table human_task (
    id uuid primary key,
    tenant text not null,
    process uuid not null,
    title text not null,
    description text,
    status text not null,
    assignee text,
    assignees text [] not null,
    candidate_groups text [] not null,
    exclude_users text [] not null,
    outcomes text [] not null,
    form bytea not null,
    due timestamptz,
    outcome text,
    output bytea,
    created_at timestamptz not null,
    completed_at timestamptz
);
create index human_task_newest on human_task (tenant, created_at desc, id desc);
create index human_task_by_status on human_task (tenant, status, created_at desc, id desc);
create index human_task_of_process on human_task (process);

create table callback (
    token_digest bytea primary key,
    process uuid not null,
    activity uuid not null,
    status text not null,
    body_digest bytea
);
create index callback_of_activity on callback (activity);
create index callback_of_process on callback (process);

create table idempotency (
    tenant text not null,
    key text not null,
    digest bytea not null,
    process uuid not null,
    created_at timestamptz not null,
    primary key (tenant, key)
);
create index idempotency_by_age on idempotency (created_at);

create table api_key (
    id uuid primary key,
    tenant text not null,
    name text not null,
    role text not null,
    prefix text not null,
    digest bytea not null unique,
    created_at timestamptz not null,
    revoked_at timestamptz
);

-- Rows of these tables live for milliseconds: collect them early, and let the statistics not decide.
alter table inbox set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
alter table timer set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
alter table call set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
alter table process set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

create index process_by_end on process (ended_at) where ended_at is not null;
create index idempotency_of_process on idempotency (process);
