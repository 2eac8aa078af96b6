-- Jobs: work for external workers. The id is the activity's; a row stays until its process is forgotten, so that
-- late and repeated answers are known for what they are.
create table job (
    id uuid primary key,
    tenant text not null,
    process uuid not null,
    type text not null,
    priority integer not null,
    input bytea not null,
    attempt integer not null,
    state text not null,
    held boolean not null,
    deliveries integer not null,
    failures integer not null,
    lease_seconds_wanted double precision,
    lease_seconds double precision,
    due timestamptz,
    token uuid,
    worker text,
    actor text,
    progress bytea,
    answer bytea,
    created_at timestamptz not null
) with (fillfactor = 80);
comment on column job.input is 'a payload reference';
comment on column job.attempt is 'the attempt of the activity';
comment on column job.state is 'available, leased, delayed; completed, failed, cancelled';
comment on column job.held is 'its process is suspended: it is given to nobody';
comment on column job.deliveries is 'how often it was given to a worker in this attempt';
comment on column job.failures is 'how often a worker asked for another try in this attempt';
comment on column job.lease_seconds_wanted is 'what the definition says, if anything';
comment on column job.lease_seconds is 'of the last lease: a heartbeat extends by it';
comment on column job.due is 'when the lease ends, or the delay';
comment on column job.answer is 'digest of the answer that ended it';
create index job_available on job (tenant, type, priority desc, created_at, id)
where state = 'available' and not held;
create index job_due on job (due) where state in ('leased', 'delayed');
create index job_of_process on job (process);

alter table job set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
