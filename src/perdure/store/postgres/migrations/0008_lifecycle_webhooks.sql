-- Lifecycle events on their way out, and the webhooks that some of them go to.

create table lifecycle (
    id bigint generated always as identity primary key,
    partition integer not null,
    tenant text not null,
    process uuid not null,
    first bigint not null,
    last bigint not null,
    status text,
    publish boolean not null,
    deliver boolean not null
);
comment on table lifecycle is 'which lines of the audit trail are still to be told; the lines themselves are in history';
comment on column lifecycle.partition is 'processes of one partition are told by one worker at a time, in order';
comment on column lifecycle.status is 'the status of the process after the step, where the step has changed it';
create index lifecycle_publish on lifecycle (partition, id) where publish;
create index lifecycle_deliver on lifecycle (partition, id) where deliver;
create index lifecycle_of_process on lifecycle (process);

create table webhook (
    id uuid primary key,
    tenant text not null,
    url text not null,
    description text,
    types text [] not null,
    namespace text,
    name text,
    tags jsonb not null,
    secret bytea not null,
    enabled boolean not null,
    disabled_reason text,
    failing_since timestamptz,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null
);
create index webhook_newest on webhook (tenant, created_at desc, id desc);
create index webhook_enabled on webhook (tenant) where enabled;

create table webhook_delivery (
    id uuid primary key,
    tenant text not null,
    webhook uuid not null,
    event_id text not null,
    type text not null,
    body bytea not null,
    status text not null,
    attempts integer not null,
    due timestamptz not null,
    lease_token uuid,
    created_at timestamptz not null,
    last_at timestamptz,
    finished_at timestamptz,
    response_status integer,
    error text
);
comment on column webhook_delivery.due is 'not before then; while it is under way the end of its lease';
create unique index webhook_delivery_once on webhook_delivery (webhook, event_id);
create index webhook_delivery_due on webhook_delivery (webhook, due) where status = 'pending';
create index webhook_delivery_newest on webhook_delivery (webhook, created_at desc, id desc);
create index webhook_delivery_by_end on webhook_delivery (finished_at) where finished_at is not null;

-- Rows of these tables live for milliseconds, most of them: collect them early.
alter table lifecycle set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
alter table webhook_delivery set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
