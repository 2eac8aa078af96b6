SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.assert_others_wake() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform assert_wakes(old.process);
    return null;
end
$$;
CREATE FUNCTION public.assert_process_wakes() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform assert_wakes(new.id);
    return null;
end
$$;
CREATE FUNCTION public.assert_wakes(_process uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
declare
    _missing constant json := missing_wake_up(_process, 4096);
begin
    if _missing is not null then
        raise exception using
            errcode = 'check_violation',
            constraint = 'process_has_wake_up',
            table = 'process',
            message = format('process %s would wait for ever: nothing is recorded that ends %s', _process, _missing),
            hint = 'Nothing was changed. perdure doctor looks for processes that nothing can wake.';
    end if;
end
$$;
CREATE FUNCTION public.coordination_admit(_name text, _rate double precision, _burst double precision, _places integer, _permit uuid, _ttl double precision) RETURNS double precision
    LANGUAGE plpgsql
    AS $$
declare
    _due timestamptz;
    _now timestamptz;
    _wait double precision;
begin
    insert into coordination_limit (name, due) values (_name, clock_timestamp()) on conflict (name) do nothing;
    -- From here on one at a time; the statements after this one see what the one before has done.
    select due into _due from coordination_limit where name = _name for update;
    _now := clock_timestamp();
    if _places is not null then
        delete from coordination_permit where name = _name and held_until <= _now;
        if exists (select from coordination_permit where name = _name and permit = _permit) then
            return 0;
        end if;
        if (select count(*) from coordination_permit where name = _name) >= _places then
            return -1;
        end if;
    end if;
    if _rate is not null then
        -- Never further ahead than a burst leads, whatever the clock or the limit was before.
        _due := least(_due, _now + make_interval(secs => _burst / _rate));
        _wait := extract(epoch from _due - _now) - (_burst - 1) / _rate;
        if _wait > 0 then
            return _wait;
        end if;
    end if;
    update coordination_limit set due = greatest(_due, _now) + make_interval(secs => coalesce(1 / _rate, 0))
    where name = _name;
    if _places is not null then
        insert into coordination_permit (name, permit, held_until)
        values (_name, _permit, _now + make_interval(secs => _ttl));
    end if;
    return 0;
end
$$;
CREATE FUNCTION public.has_any_wake_up(_process uuid) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select exists (select from call where process = _process)
        or exists (select from timer where process = _process)
        or exists (select from job where process = _process and state in ('available', 'leased', 'delayed'))
        or exists (select from subscription where process = _process)
        or exists (select from callback where process = _process and status = 'open')
        or exists (select from human_task where process = _process and status in ('open', 'claimed'))
        or exists (
            select from process
            where parent_process = _process and parent_activity is not null and ended_at is null)
$$;
CREATE FUNCTION public.has_wake_up(_process uuid, _wait json) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
declare
    _activity constant uuid := _wait ->> 'activity';
begin
    case _wait ->> 'reason'
        when 'call' then
            return exists (select from call where activity = _activity);
        when 'timer', 'retry' then
            return exists (select from timer where process = _process and due = (_wait ->> 'until')::timestamptz);
        when 'event' then
            return exists (select from subscription where process = _process and activity = _activity)
                or exists (select from call where activity = _activity);
        when 'human-task' then
            return exists (select from human_task where id = _activity and status in ('open', 'claimed'));
        when 'callback' then
            return exists (select from callback where activity = _activity and status = 'open');
        when 'job' then
            return exists (select from job where id = _activity and state in ('available', 'leased', 'delayed'));
        when 'child' then
            return exists (
                select from process
                where parent_process = _process and parent_activity = _activity and ended_at is null);
        when 'step' then
            return exists (select from timer where process = _process and id = _process);
        else
            return true;
    end case;
end
$$;
CREATE FUNCTION public.missing_wake_up(_process uuid, _waiting_bytes_max integer) RETURNS json
    LANGUAGE plpgsql STABLE
    AS $$
declare
    _waiting json;
    _wait json;
begin
    if exists (select from inbox where process = _process) then
        return null;
    end if;
    select coalesce(waiting, '[{"reason": "step"}]') into _waiting from process
    where id = _process and ended_at is null and status <> 'suspended' and owed_since is null;
    if not found or length(_waiting::text) > _waiting_bytes_max and has_any_wake_up(_process) then
        return null;
    end if;
    for _wait in select json_array_elements(_waiting) loop
        if not has_wake_up(_process, _wait) then
            return _wait;
        end if;
    end loop;
    return null;
end
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.activity (
    process uuid NOT NULL,
    number integer NOT NULL,
    id uuid NOT NULL,
    parent uuid,
    reference text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    iteration integer[] NOT NULL,
    status text NOT NULL,
    attempt integer NOT NULL,
    input bytea,
    output bytea,
    error json,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone
);
COMMENT ON COLUMN public.activity.number IS 'order of start within the process, from 0; that of the first attempt';
CREATE TABLE public.api_key (
    id uuid NOT NULL,
    tenant text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    prefix text NOT NULL,
    digest bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);
CREATE TABLE public.call (
    activity uuid NOT NULL,
    process uuid NOT NULL,
    tenant text NOT NULL,
    attempt integer NOT NULL,
    function text NOT NULL,
    reference text NOT NULL,
    request bytea NOT NULL,
    secrets text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    lease_token uuid,
    detached boolean DEFAULT false NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000');
COMMENT ON COLUMN public.call.lease_until IS 'nobody else performs the call before; its creation time while nobody does';
CREATE TABLE public.callback (
    token_digest bytea NOT NULL,
    process uuid NOT NULL,
    activity uuid NOT NULL,
    status text NOT NULL,
    body_digest bytea
);
CREATE UNLOGGED TABLE public.coordination_limit (
    name text NOT NULL,
    due timestamp with time zone NOT NULL
);
COMMENT ON COLUMN public.coordination_limit.due IS 'when the next call would be due if calls came at exactly their rate';
CREATE UNLOGGED TABLE public.coordination_lock (
    name text NOT NULL,
    token uuid NOT NULL,
    held_until timestamp with time zone NOT NULL
);
CREATE UNLOGGED TABLE public.coordination_permit (
    name text NOT NULL,
    permit uuid NOT NULL,
    held_until timestamp with time zone NOT NULL
);
CREATE TABLE public.correlation_shape (
    tenant text NOT NULL,
    shape bytea NOT NULL,
    expressions json NOT NULL
);
CREATE TABLE public.definition (
    tenant text NOT NULL,
    namespace text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    version_order text NOT NULL COLLATE pg_catalog."C",
    stable boolean NOT NULL,
    title text,
    summary text,
    document bytea NOT NULL,
    source bytea NOT NULL,
    media_type text NOT NULL,
    digest bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL
);
CREATE TABLE public.definition_resource (
    tenant text NOT NULL,
    namespace text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    ordinal integer NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    uri text NOT NULL,
    own boolean NOT NULL,
    document bytea NOT NULL,
    resolved_at timestamp with time zone NOT NULL
);
COMMENT ON COLUMN public.definition_resource.kind IS 'function or schema';
COMMENT ON COLUMN public.definition_resource.key IS 'how the definition names it';
COMMENT ON COLUMN public.definition_resource.own IS 'whether it is from the default catalog';
CREATE TABLE public.event (
    id bigint NOT NULL,
    tenant text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    event bytea NOT NULL,
    received_at timestamp with time zone NOT NULL,
    routed boolean NOT NULL,
    to_publish boolean NOT NULL
);
ALTER TABLE public.event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.function (
    tenant text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    version_order text NOT NULL COLLATE pg_catalog."C",
    document bytea NOT NULL,
    source bytea NOT NULL,
    media_type text NOT NULL,
    digest bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL
);
CREATE TABLE public.history (
    process uuid NOT NULL,
    sequence bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    type text NOT NULL,
    activity uuid,
    actor text NOT NULL,
    data json NOT NULL
);
CREATE TABLE public.human_task (
    id uuid NOT NULL,
    tenant text NOT NULL,
    process uuid NOT NULL,
    title text NOT NULL,
    description text,
    status text NOT NULL,
    assignee text,
    assignees text[] NOT NULL,
    candidate_groups text[] NOT NULL,
    exclude_users text[] NOT NULL,
    outcomes text[] NOT NULL,
    form bytea NOT NULL,
    due timestamp with time zone,
    outcome text,
    output bytea,
    created_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone
);
CREATE TABLE public.idempotency (
    tenant text NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,
    process uuid NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.inbox (
    id bigint NOT NULL,
    process uuid NOT NULL,
    fact bytea NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    operator boolean DEFAULT false NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000');
COMMENT ON TABLE public.inbox IS 'facts recorded but not yet taken into a step; each is also the wake-up that is owed';
ALTER TABLE public.inbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.inbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.job (
    id uuid NOT NULL,
    tenant text NOT NULL,
    process uuid NOT NULL,
    type text NOT NULL,
    priority integer NOT NULL,
    input bytea NOT NULL,
    attempt integer NOT NULL,
    state text NOT NULL,
    held boolean NOT NULL,
    deliveries integer NOT NULL,
    failures integer NOT NULL,
    lease_seconds_wanted double precision,
    lease_seconds double precision,
    due timestamp with time zone,
    token uuid,
    worker text,
    actor text,
    progress bytea,
    answer bytea,
    created_at timestamp with time zone NOT NULL
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='1000');
COMMENT ON COLUMN public.job.input IS 'a payload reference';
COMMENT ON COLUMN public.job.attempt IS 'the attempt of the activity';
COMMENT ON COLUMN public.job.state IS 'available, leased, delayed; completed, failed, cancelled';
COMMENT ON COLUMN public.job.held IS 'its process is suspended: it is given to nobody';
COMMENT ON COLUMN public.job.deliveries IS 'how often it was given to a worker in this attempt';
COMMENT ON COLUMN public.job.failures IS 'how often a worker asked for another try in this attempt';
COMMENT ON COLUMN public.job.lease_seconds_wanted IS 'what the definition says, if anything';
COMMENT ON COLUMN public.job.lease_seconds IS 'of the last lease: a heartbeat extends by it';
COMMENT ON COLUMN public.job.due IS 'when the lease ends, or the delay';
COMMENT ON COLUMN public.job.answer IS 'digest of the answer that ended it';
CREATE TABLE public.lifecycle (
    id bigint NOT NULL,
    partition integer NOT NULL,
    tenant text NOT NULL,
    process uuid NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    status text,
    publish boolean NOT NULL,
    deliver boolean NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000');
COMMENT ON TABLE public.lifecycle IS 'which lines of the audit trail are still to be told; the lines themselves are in history';
COMMENT ON COLUMN public.lifecycle.partition IS 'processes of one partition are told by one worker at a time, in order';
COMMENT ON COLUMN public.lifecycle.status IS 'the status of the process after the step, where the step has changed it';
ALTER TABLE public.lifecycle ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.lifecycle_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.message (
    id bigint NOT NULL,
    queue text NOT NULL,
    ids text NOT NULL,
    available_at timestamp with time zone DEFAULT now() NOT NULL,
    deliveries integer DEFAULT 0 NOT NULL,
    claimed_by integer
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_vacuum_insert_scale_factor='0', autovacuum_vacuum_insert_threshold='5000', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='5000');
CREATE TABLE public.message_dead (
    id bigint NOT NULL,
    queue text NOT NULL,
    ids text NOT NULL,
    deliveries integer NOT NULL,
    died_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.message ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.message_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE SEQUENCE public.message_session
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE;
CREATE TABLE public.offer (
    process uuid NOT NULL,
    reference text NOT NULL,
    event bigint NOT NULL
);
COMMENT ON TABLE public.offer IS 'which event was offered to which listening task, so that none is offered twice';
CREATE TABLE public.payload (
    process uuid NOT NULL,
    key bytea NOT NULL,
    data bytea NOT NULL
);
CREATE TABLE public.process (
    id uuid NOT NULL,
    tenant text NOT NULL,
    namespace text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    status text NOT NULL,
    key text,
    tags jsonb,
    seed bytea NOT NULL,
    state bytea,
    input bytea NOT NULL,
    output bytea,
    error json,
    waiting json,
    parent_process uuid,
    parent_activity uuid,
    sequence bigint NOT NULL,
    owed_since timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='1000');
COMMENT ON COLUMN public.process.sequence IS 'the last sequence number given in its history';
COMMENT ON COLUMN public.process.owed_since IS 'set while the process owes itself a step that no fact announces';
CREATE TABLE public.schedule (
    id uuid NOT NULL,
    tenant text NOT NULL,
    namespace text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    kind text NOT NULL,
    expression json NOT NULL,
    timezone text NOT NULL,
    overlap text NOT NULL,
    catch_up text NOT NULL,
    anchor timestamp with time zone NOT NULL,
    delay_months integer NOT NULL,
    delay_seconds double precision NOT NULL,
    next_at timestamp with time zone,
    last_at timestamp with time zone,
    last_process uuid,
    paused boolean NOT NULL,
    queued integer NOT NULL
);
COMMENT ON COLUMN public.schedule.anchor IS 'when the acting version was registered; the grid of `every` begins there';
COMMENT ON COLUMN public.schedule.delay_months IS 'of `after`, with delay_seconds: from the end of a run to the next';
COMMENT ON COLUMN public.schedule.queued IS 'ticks that wait for an earlier run to end';
CREATE TABLE public.schedule_audit (
    id bigint NOT NULL,
    tenant text NOT NULL,
    schedule uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    data json NOT NULL
);
COMMENT ON TABLE public.schedule_audit IS 'what operators did with schedules, and what outages made of them';
ALTER TABLE public.schedule_audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.schedule_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.schedule_set (
    id bigint NOT NULL,
    schedule uuid NOT NULL,
    correlation bytea NOT NULL,
    state bytea NOT NULL,
    payloads bytea NOT NULL,
    opened_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.schedule_set IS 'events consumed by an `on` schedule that do not make a whole set yet';
ALTER TABLE public.schedule_set ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.schedule_set_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.schedule_tick (
    schedule uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    process uuid,
    running boolean NOT NULL,
    decided_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.schedule_tick IS 'what became of each tick: that there is one row is why it starts one process';
COMMENT ON COLUMN public.schedule_tick.running IS 'may still be running; kept only where the overlap policy wants to know';
CREATE TABLE public.schema_migration (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    serves_from integer
);
CREATE TABLE public.subscription (
    process uuid NOT NULL,
    activity uuid NOT NULL,
    ordinal integer NOT NULL,
    tenant text NOT NULL,
    reference text NOT NULL,
    type text,
    shape bytea,
    value bytea,
    since timestamp with time zone NOT NULL,
    look_back_pending boolean NOT NULL
);
COMMENT ON COLUMN public.subscription.shape IS 'digest of the correlation expressions, null where any event of the type may match';
COMMENT ON COLUMN public.subscription.value IS 'digest of the values that they must have';
CREATE TABLE public.timer (
    process uuid NOT NULL,
    id uuid NOT NULL,
    due timestamp with time zone NOT NULL,
    purpose text NOT NULL,
    fact bytea NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000');
COMMENT ON COLUMN public.timer.fact IS 'what to put into the inbox when due';
CREATE TABLE public.webhook (
    id uuid NOT NULL,
    tenant text NOT NULL,
    url text NOT NULL,
    description text,
    types text[] NOT NULL,
    namespace text,
    name text,
    tags jsonb NOT NULL,
    secret bytea NOT NULL,
    enabled boolean NOT NULL,
    disabled_reason text,
    failing_since timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.webhook_delivery (
    id uuid NOT NULL,
    tenant text NOT NULL,
    webhook uuid NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    body bytea NOT NULL,
    status text NOT NULL,
    attempts integer NOT NULL,
    due timestamp with time zone NOT NULL,
    lease_token uuid,
    created_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone,
    finished_at timestamp with time zone,
    response_status integer,
    error text
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='1000');
COMMENT ON COLUMN public.webhook_delivery.due IS 'not before then; while it is under way the end of its lease';
INSERT INTO public.activity VALUES
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', 0, '5f8e1cb5-5ef5-850a-8da6-4aaa994cad7d', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x31fcbe9bedfb35ee431b2293086f205869', '\x31fcbe9bedfb35ee431b2293086f205869', NULL, '2026-11-26 19:04:36.544266+00', '2026-11-26 19:04:36.544266+00', '2026-11-26 19:04:36.544266+00'),
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', 2, 'a0294ebe-52fc-84ef-85cf-2a19d96b2ec6', NULL, '/do/1/w', 'w', 'wait', '{}', 'waiting', 1, '\x31fcbe9bedfb35ee431b2293086f205869', NULL, NULL, '2026-11-26 19:04:36.544266+00', '2026-11-26 19:04:36.544266+00', NULL),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 0, '6b7ab9cc-8ce5-85cb-83cf-35250a0b4671', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x3172ce1c679eb0b47c13df07205b55de40', '\x3172ce1c679eb0b47c13df07205b55de40', NULL, '2026-11-26 19:04:36.548538+00', '2026-11-26 19:04:36.548538+00', '2026-11-26 19:04:36.548538+00'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 0, '2c810120-8bc2-8e5d-84af-eb97b5ce0424', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x31851ebef4373d254a8e0bdfcefde2f7c2', '\x31851ebef4373d254a8e0bdfcefde2f7c2', NULL, '2026-11-26 19:04:36.588561+00', '2026-11-26 19:04:36.588561+00', '2026-11-26 19:04:36.588561+00'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 1, '6b7cc8d5-0497-8007-97e0-3583d590f62e', NULL, '/do/1/j', 'j', 'call', '{}', 'waiting', 1, '\x31851ebef4373d254a8e0bdfcefde2f7c2', NULL, NULL, '2026-11-26 19:04:36.588561+00', '2026-11-26 19:04:36.588561+00', NULL),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 0, '6c6b8cf7-9728-8598-8c4a-614700a22379', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x31480ae46f7c5ae71772021a3536ef58b7', '\x31480ae46f7c5ae71772021a3536ef58b7', NULL, '2026-11-26 19:04:36.588561+00', '2026-11-26 19:04:36.588561+00', '2026-11-26 19:04:36.588561+00'),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 1, 'b810e6e3-8359-87b5-8861-6e0b04342f02', NULL, '/do/1/j', 'j', 'call', '{}', 'waiting', 1, '\x31480ae46f7c5ae71772021a3536ef58b7', NULL, NULL, '2026-11-26 19:04:36.588561+00', '2026-11-26 19:04:36.588561+00', NULL),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', 0, '58f16b33-caad-8267-9ca2-1683066c4b41', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x31bc52fcee977d82ba043ddc7d8c15aba9', '\x31bc52fcee977d82ba043ddc7d8c15aba9', NULL, '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00'),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', 1, '8aac1a67-e597-8cf3-bfd4-4b8d77801691', NULL, '/do/1/l', 'l', 'listen', '{}', 'waiting', 1, '\x31bc52fcee977d82ba043ddc7d8c15aba9', NULL, NULL, '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00', NULL),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 0, '51f12a9f-be05-887b-8505-12246d3d4af0', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x3141e97b8559cbf8b2aed4fd284e82aef5', '\x3141e97b8559cbf8b2aed4fd284e82aef5', NULL, '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 1, 'a5b6820f-2d30-8a29-8e9a-6088eeba4a6e', NULL, '/do/1/l', 'l', 'listen', '{}', 'waiting', 1, '\x3141e97b8559cbf8b2aed4fd284e82aef5', NULL, NULL, '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00', NULL),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', 0, '1f3258f6-683b-8d42-9a67-2559047564b3', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x310200e27da11bf47f6991de1807f543c0', '\x310200e27da11bf47f6991de1807f543c0', NULL, '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00'),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', 1, '22a33117-d7c9-87d1-b62c-6ea4c16a95f9', NULL, '/do/1/c', 'c', 'call', '{}', 'waiting', 1, '\x310200e27da11bf47f6991de1807f543c0', NULL, NULL, '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00', NULL),
	('01a2193e-cfd3-754a-a855-57b8de57f142', 0, '030e192a-cb2b-84e4-8900-2e67933dfd73', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x31ab61d377b044fbbba814042a55e617a0', '\x31ab61d377b044fbbba814042a55e617a0', NULL, '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00'),
	('01a2193e-cfd3-754a-a855-57b8de57f142', 1, '5cd082a2-dbca-877d-a67c-5f820f3f4ca9', NULL, '/do/1/h', 'h', 'call', '{}', 'waiting', 1, '\x31ab61d377b044fbbba814042a55e617a0', NULL, NULL, '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00', NULL),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 0, '504e6886-b728-851e-85b6-32bd55377104', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x31835419fd9d5f0ca4a3c298d64334da2a', '\x31835419fd9d5f0ca4a3c298d64334da2a', NULL, '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00'),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 1, '536c1e61-bd34-8fde-bb6a-1077e99305e3', NULL, '/do/1/h', 'h', 'call', '{}', 'waiting', 1, '\x31835419fd9d5f0ca4a3c298d64334da2a', NULL, NULL, '2026-11-26 19:04:36.582999+00', '2026-11-26 19:04:36.582999+00', NULL),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 0, 'f42b0ece-3067-8e44-8ecd-b65920ac0a80', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x317e743b4bee1f681ab0f5105f521e5839', '\x317e743b4bee1f681ab0f5105f521e5839', NULL, '2026-11-26 19:04:36.612973+00', '2026-11-26 19:04:36.612973+00', '2026-11-26 19:04:36.612973+00'),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 1, 'b4df4769-52ec-8a21-867b-1988054f2358', NULL, '/do/1/r', 'r', 'run', '{}', 'waiting', 1, '\x317e743b4bee1f681ab0f5105f521e5839', NULL, NULL, '2026-11-26 19:04:36.612973+00', '2026-11-26 19:04:36.612973+00', NULL),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 0, '12a04e90-4545-84bf-9477-3187803646af', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x31b922e8a2c64c98852aab90bb87e4c7d9', '\x31b922e8a2c64c98852aab90bb87e4c7d9', NULL, '2026-11-26 19:04:36.612973+00', '2026-11-26 19:04:36.612973+00', '2026-11-26 19:04:36.612973+00'),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 1, 'd974db33-de0c-8182-8d39-5c67093ed7f1', NULL, '/do/1/m', 'm', 'call', '{}', 'waiting', 1, '\x31b922e8a2c64c98852aab90bb87e4c7d9', NULL, NULL, '2026-11-26 19:04:36.612973+00', '2026-11-26 19:04:36.612973+00', NULL),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 0, '746d8e67-d511-834b-bad9-cf462b998879', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x31c008d1ac5f67398f2aa65a350f67fde4', '\x31c008d1ac5f67398f2aa65a350f67fde4', NULL, '2026-11-26 19:04:36.628286+00', '2026-11-26 19:04:36.628286+00', '2026-11-26 19:04:36.628286+00'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 1, '5a0b2c18-18fa-86db-9f4c-959728bca4f5', NULL, '/do/1/f', 'f', 'fork', '{}', 'running', 1, '\x31c008d1ac5f67398f2aa65a350f67fde4', NULL, NULL, '2026-11-26 19:04:36.628286+00', '2026-11-26 19:04:36.628286+00', NULL),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 2, 'd429f92a-329e-82cf-a4d7-3bc7b61e09c9', '5a0b2c18-18fa-86db-9f4c-959728bca4f5', '/do/1/f/fork/branches/0/a', 'a', 'for', '{}', 'running', 1, '\x31c008d1ac5f67398f2aa65a350f67fde4', NULL, NULL, '2026-11-26 19:04:36.628286+00', '2026-11-26 19:04:36.628286+00', NULL),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 3, 'ac0008d0-fcb6-8c9a-a95e-aed2ecb95e7d', '5a0b2c18-18fa-86db-9f4c-959728bca4f5', '/do/1/f/fork/branches/1/b', 'b', 'call', '{}', 'waiting', 1, '\x31c008d1ac5f67398f2aa65a350f67fde4', NULL, NULL, '2026-11-26 19:04:36.628286+00', '2026-11-26 19:04:36.628286+00', NULL),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 4, '41807875-6196-8357-bfc6-7c882924c0ce', '5a0b2c18-18fa-86db-9f4c-959728bca4f5', '/do/1/f/fork/branches/2/c', 'c', 'try', '{}', 'running', 1, '\x31c008d1ac5f67398f2aa65a350f67fde4', NULL, NULL, '2026-11-26 19:04:36.628286+00', '2026-11-26 19:04:36.628286+00', NULL),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 5, '03b0b76c-3f37-8058-83e8-6e5c3d9d57a8', 'd429f92a-329e-82cf-a4d7-3bc7b61e09c9', '/do/1/f/fork/branches/0/a/do/0/l', 'l', 'listen', '{0}', 'waiting', 1, '\x31c008d1ac5f67398f2aa65a350f67fde4', NULL, NULL, '2026-11-26 19:04:36.628286+00', '2026-11-26 19:04:36.628286+00', NULL),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 6, 'eff19d89-aee2-8e32-82da-0b0c1a3f75e1', '41807875-6196-8357-bfc6-7c882924c0ce', '/do/1/f/fork/branches/2/c/try/0/j', 'j', 'call', '{}', 'waiting', 1, '\x31c008d1ac5f67398f2aa65a350f67fde4', NULL, NULL, '2026-11-26 19:04:36.628286+00', '2026-11-26 19:04:36.628286+00', NULL),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 2, 'af9585da-cd53-843a-acce-7314ee160809', '3cfd0d16-151a-85ec-9fd3-d6a9b120958e', '/do/1/t/try/0/c', 'c', 'call', '{}', 'faulted', 1, '\x3172ce1c679eb0b47c13df07205b55de40', NULL, '{"type":"https://serverlessworkflow.io/spec/1.0.0/errors/communication","status":503,"title":"Service Unavailable","detail":"POST http://127.0.0.1:19115/flaky/1 was answered with 503 Service Unavailable: {\"reason\": \"not now\"}","instance":"/do/1/t/try/0/c"}', '2026-11-26 19:04:36.548538+00', '2026-11-26 19:04:36.548538+00', '2026-11-26 19:04:36.627337+00'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 1, '3cfd0d16-151a-85ec-9fd3-d6a9b120958e', NULL, '/do/1/t', 't', 'try', '{}', 'waiting', 1, '\x3172ce1c679eb0b47c13df07205b55de40', NULL, NULL, '2026-11-26 19:04:36.548538+00', '2026-11-26 19:04:36.548538+00', NULL),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 0, '6ee78e00-8c13-83fe-9651-69a48a0ec275', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x310d545e6e36575b191846feeaca52f86f', '\x310d545e6e36575b191846feeaca52f86f', NULL, '2026-11-26 19:04:36.652929+00', '2026-11-26 19:04:36.652929+00', '2026-11-26 19:04:36.652929+00'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 1, '24c3242c-cf39-8f0a-972d-7cc37f7caab2', NULL, '/do/1/d', 'd', 'call', '{}', 'running', 1, '\x310d545e6e36575b191846feeaca52f86f', NULL, NULL, '2026-11-26 19:04:36.652929+00', '2026-11-26 19:04:36.652929+00', NULL),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 2, '2206dfb8-c718-83b3-9a9d-092890845cda', '24c3242c-cf39-8f0a-972d-7cc37f7caab2', '/use/functions/doubled:1.0.0@default', 'doubled:1.0.0@default', 'do', '{}', 'running', 1, '\x307b226e223a32317d', NULL, NULL, '2026-11-26 19:04:36.652929+00', '2026-11-26 19:04:36.652929+00', NULL),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 3, 'c28881f4-d909-8fd6-bb74-4d53965fa948', '2206dfb8-c718-83b3-9a9d-092890845cda', '/use/functions/doubled:1.0.0@default/do/0/w', 'w', 'wait', '{}', 'waiting', 1, '\x307b226e223a32317d', NULL, NULL, '2026-11-26 19:04:36.652929+00', '2026-11-26 19:04:36.652929+00', NULL),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 0, '562db2e1-396d-866b-87f3-16098733b7f9', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x3102e92851cc2f11ae22e99ce1e7a03f04', '\x3102e92851cc2f11ae22e99ce1e7a03f04', NULL, '2026-11-26 19:04:36.661386+00', '2026-11-26 19:04:36.661386+00', '2026-11-26 19:04:36.661386+00'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 0, 'd7594df9-4661-8cea-8489-77debd0cefe6', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x3126c4eef6c853a547c1a9eaa003c3fd60', '\x3126c4eef6c853a547c1a9eaa003c3fd60', NULL, '2026-11-26 19:04:36.661386+00', '2026-11-26 19:04:36.661386+00', '2026-11-26 19:04:36.661386+00'),
	('01a2193e-d004-72ac-9e81-128b1eb95200', 0, 'c5f2aa23-891e-8400-ac7e-c631a958eddd', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x307b226b223a317d', '\x307b226b223a317d', NULL, '2026-11-26 19:04:36.649098+00', '2026-11-26 19:04:36.649098+00', '2026-11-26 19:04:36.649098+00'),
	('01a2193e-d004-72ac-9e81-128b1eb95200', 2, '0bfafe85-0b63-8544-ab03-ebc4889252b2', NULL, '/do/1/w', 'w', 'wait', '{}', 'waiting', 1, '\x307b226b223a317d', NULL, NULL, '2026-11-26 19:04:36.649098+00', '2026-11-26 19:04:36.649098+00', NULL),
	('01a2193e-d004-7709-8727-fafbaad35b60', 0, '183c87b8-611c-8579-9ae1-ade3a4ec0e15', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x307b226b223a226368696c64227d', '\x307b226b223a226368696c64227d', NULL, '2026-11-26 19:04:36.649098+00', '2026-11-26 19:04:36.649098+00', '2026-11-26 19:04:36.649098+00'),
	('01a2193e-d004-7709-8727-fafbaad35b60', 1, '368f0eaa-0160-88e1-9dd8-0ce5cc2b6f72', NULL, '/do/1/l', 'l', 'listen', '{}', 'waiting', 1, '\x307b226b223a226368696c64227d', NULL, NULL, '2026-11-26 19:04:36.649098+00', '2026-11-26 19:04:36.649098+00', NULL),
	('01a2193e-d004-79e0-be92-38a35bffc10b', 0, 'ececd506-3edf-8131-8a7c-a947c179a2a1', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x307b226b223a307d', '\x307b226b223a307d', NULL, '2026-11-26 19:04:36.649098+00', '2026-11-26 19:04:36.649098+00', '2026-11-26 19:04:36.649098+00'),
	('01a2193e-d004-79e0-be92-38a35bffc10b', 2, '9e7a6098-0856-8b19-adc0-0fd9903e347a', NULL, '/do/1/w', 'w', 'wait', '{}', 'waiting', 1, '\x307b226b223a307d', NULL, NULL, '2026-11-26 19:04:36.649098+00', '2026-11-26 19:04:36.649098+00', NULL),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 1, 'b820d011-da70-875a-8a8c-cc65220180a7', NULL, '/do/1/j', 'j', 'call', '{}', 'faulted', 1, '\x3126c4eef6c853a547c1a9eaa003c3fd60', NULL, '{"type":"https://serverlessworkflow.io/spec/1.0.0/errors/runtime","status":500,"title":"Runtime error","detail":"no","instance":"/do/1/j"}', '2026-11-26 19:04:36.661386+00', '2026-11-26 19:04:36.661386+00', '2026-11-26 19:04:36.773285+00'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 2, '33825a27-80a4-8708-b26c-1bd98b9f70dc', 'a5b6820f-2d30-8a29-8e9a-6088eeba4a6e', '/do/1/l/foreach/do/0/w', 'w', 'wait', '{0}', 'completed', 1, '\x3141e97b8559cbf8b2aed4fd284e82aef5', '\x3141e97b8559cbf8b2aed4fd284e82aef5', NULL, '2026-11-26 19:04:36.675482+00', '2026-11-26 19:04:36.675482+00', '2026-11-26 19:04:36.735558+00'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 3, '7a3e7c85-91e0-8352-97ec-dd4f688b5e75', 'a5b6820f-2d30-8a29-8e9a-6088eeba4a6e', '/do/1/l/foreach/do/1/n', 'n', 'set', '{0}', 'completed', 1, '\x3141e97b8559cbf8b2aed4fd284e82aef5', '\x307b226e223a367d', NULL, '2026-11-26 19:04:36.735558+00', '2026-11-26 19:04:36.735558+00', '2026-11-26 19:04:36.735558+00'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 1, '0a9148cf-8195-8268-be76-15b0d65e4299', NULL, '/do/1/w', 'w', 'wait', '{}', 'suspended', 1, '\x3102e92851cc2f11ae22e99ce1e7a03f04', NULL, NULL, '2026-11-26 19:04:36.661386+00', '2026-11-26 19:04:36.661386+00', NULL),
	('01a2193e-d0b7-7685-b830-fd477078c720', 0, 'c04eb6fc-25a2-84f9-965d-552e95f3c305', NULL, '/do/0/begin', 'begin', 'set', '{}', 'completed', 1, '\x3153a720edfb7c33d322f04513ad2a8219', '\x3153a720edfb7c33d322f04513ad2a8219', NULL, '2026-11-26 19:04:36.793655+00', '2026-11-26 19:04:36.793655+00', '2026-11-26 19:04:36.793655+00'),
	('01a2193e-d0b7-7685-b830-fd477078c720', 1, '8d7948b1-15ad-893a-85bc-ebfbf306979d', NULL, '/do/1/c', 'c', 'call', '{}', 'running', 1, '\x3153a720edfb7c33d322f04513ad2a8219', NULL, NULL, '2026-11-26 19:04:36.793655+00', '2026-11-26 19:04:36.793655+00', NULL);
INSERT INTO public.api_key VALUES
	('01a2193e-c889-78d9-b5ad-f73350728951', 'default', 'upgrade', 'admin', 'pdk_aiKtA3', '\x06aea1902fda8d3f58c9d49cfdcba6d76e31ffe724bf79a2f7adc03584f44f0e', '2026-11-26 19:04:34.697246+00', NULL);
INSERT INTO public.call VALUES
	('8d7948b1-15ad-893a-85bc-ebfbf306979d', '01a2193e-d0b7-7685-b830-fd477078c720', 'default', 1, 'http', '/do/1/c', '\x7b226d6574686f64223a22504f5354222c22757269223a22687474703a2f2f3132372e302e302e313a31393131352f736c6f772f31303030222c22626f6479223a7b226e223a317d2c226f7574707574223a22636f6e74656e74222c227265646972656374223a66616c73657d', '{}', '2026-11-26 19:04:36.793655+00', '2026-11-26 19:04:38.800382+00', '01a2193e-d0bf-7989-9640-db304ba41766', false);
INSERT INTO public.callback VALUES
	('\xba8835c8d6be7b12c5750df01b4e721209d590d6640fd7760c21f676cbd12b4c', '01a2193e-cfcf-712b-93e4-eb872e5cf115', '22a33117-d7c9-87d1-b62c-6ea4c16a95f9', 'open', NULL);
INSERT INTO public.correlation_shape VALUES
	('default', '\x03e8edefdb7be1a82c31ffe16d18339e', '[".data.k"]');
INSERT INTO public.definition VALUES
	('default', 'upgrade', 'timer', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a2274696d6572222c2276657273696f6e223a22312e302e30227d2c22757365223a7b22657874656e73696f6e73223a5b7b2261726f756e64223a7b22657874656e64223a2277616974222c226166746572223a5b7b226e6f7465223a7b22736574223a7b226e6f746564223a747275657d7d7d5d7d7d5d7d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2277223a7b2277616974223a7b227365636f6e6473223a337d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a2074696d65720a202076657273696f6e3a20312e302e300a7573653a0a2020657874656e73696f6e733a0a20202d2061726f756e643a0a202020202020657874656e643a20776169740a20202020202061667465723a0a2020202020202d206e6f74653a0a202020202020202020207365743a0a2020202020202020202020206e6f7465643a20747275650a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20773a0a20202020776169743a0a2020202020207365636f6e64733a20330a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\x911260d85b12445845b07879e4b28f64030e955da07d2425a6daa0206278d32d', '2026-11-26 19:04:36.310951+00', 'upgrade'),
	('default', 'upgrade', 'retry', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a227265747279222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2274223a7b22747279223a5b7b2263223a7b2263616c6c223a2268747470222c2277697468223a7b226d6574686f64223a22706f7374222c22656e64706f696e74223a22687474703a2f2f3132372e302e302e313a31393131352f666c616b792f31222c22626f6479223a7b226e223a327d7d7d7d5d2c226361746368223a7b227265747279223a7b2264656c6179223a7b227365636f6e6473223a337d2c226c696d6974223a7b22617474656d7074223a7b22636f756e74223a357d7d7d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a2072657472790a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20743a0a202020207472793a0a202020202d20633a0a202020202020202063616c6c3a20687474700a2020202020202020776974683a0a202020202020202020206d6574686f643a20706f73740a20202020202020202020656e64706f696e743a20687474703a2f2f3132372e302e302e313a31393131352f666c616b792f310a20202020202020202020626f64793a0a2020202020202020202020206e3a20320a2020202063617463683a0a20202020202072657472793a0a202020202020202064656c61793a0a202020202020202020207365636f6e64733a20330a20202020202020206c696d69743a0a20202020202020202020617474656d70743a0a202020202020202020202020636f756e743a20350a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\x08f434d82511696fd26d058d211fb3238681b77d9595472002f434078cca443a', '2026-11-26 19:04:36.324801+00', 'upgrade'),
	('default', 'upgrade', 'call', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a2263616c6c222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2263223a7b2263616c6c223a2268747470222c2277697468223a7b226d6574686f64223a22706f7374222c22656e64706f696e74223a22687474703a2f2f3132372e302e302e313a31393131352f736c6f772f31303030222c22626f6479223a7b226e223a317d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a2063616c6c0a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20633a0a2020202063616c6c3a20687474700a20202020776974683a0a2020202020206d6574686f643a20706f73740a202020202020656e64706f696e743a20687474703a2f2f3132372e302e302e313a31393131352f736c6f772f313030300a202020202020626f64793a0a20202020202020206e3a20310a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\x18bcf1351c4e5fa0c7e16bc62cae45e27d96f8edea232c6f29219f766e6a9d03', '2026-11-26 19:04:36.335849+00', 'upgrade'),
	('default', 'upgrade', 'event', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226576656e74222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b226c223a7b226c697374656e223a7b22746f223a7b226f6e65223a7b2277697468223a7b2274797065223a22757067726164652e676f227d2c22636f7272656c617465223a7b226b223a7b2266726f6d223a222e646174612e6b222c22657870656374223a22247b2024636f6e746578742e6b207d227d7d7d7d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a206576656e740a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d206c3a0a202020206c697374656e3a0a202020202020746f3a0a20202020202020206f6e653a0a20202020202020202020776974683a0a202020202020202020202020747970653a20757067726164652e676f0a20202020202020202020636f7272656c6174653a0a2020202020202020202020206b3a0a202020202020202020202020202066726f6d3a202e646174612e6b0a20202020202020202020202020206578706563743a20247b2024636f6e746578742e6b207d0a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\xbf36e51ad7ca5877cea1989d6a154c4531715e0b8d1e27c8b75b39a1296022d3', '2026-11-26 19:04:36.348508+00', 'upgrade'),
	('default', 'upgrade', 'events', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226576656e7473222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b226c223a7b226c697374656e223a7b22746f223a7b22616c6c223a5b7b2277697468223a7b2274797065223a22757067726164652e68616c66227d2c22636f7272656c617465223a7b226b223a7b2266726f6d223a222e646174612e6b222c22657870656374223a22247b2024636f6e746578742e6b207d227d7d7d2c7b2277697468223a7b2274797065223a22757067726164652e676f227d2c22636f7272656c617465223a7b226b223a7b2266726f6d223a222e646174612e6b222c22657870656374223a22247b2024636f6e746578742e6b207d227d7d7d5d7d7d2c22666f7265616368223a7b226974656d223a2265222c22646f223a5b7b2277223a7b2277616974223a7b226d696c6c697365636f6e6473223a35307d7d7d2c7b226e223a7b22736574223a7b226e223a22247b2024652e6e207d227d7d7d5d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a206576656e74730a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d206c3a0a202020206c697374656e3a0a202020202020746f3a0a2020202020202020616c6c3a0a20202020202020202d20776974683a0a202020202020202020202020747970653a20757067726164652e68616c660a20202020202020202020636f7272656c6174653a0a2020202020202020202020206b3a0a202020202020202020202020202066726f6d3a202e646174612e6b0a20202020202020202020202020206578706563743a20247b2024636f6e746578742e6b207d0a20202020202020202d20776974683a0a202020202020202020202020747970653a20757067726164652e676f0a20202020202020202020636f7272656c6174653a0a2020202020202020202020206b3a0a202020202020202020202020202066726f6d3a202e646174612e6b0a20202020202020202020202020206578706563743a20247b2024636f6e746578742e6b207d0a20202020666f72656163683a0a2020202020206974656d3a20650a202020202020646f3a0a2020202020202d20773a0a20202020202020202020776169743a0a2020202020202020202020206d696c6c697365636f6e64733a2035300a2020202020202d206e3a0a202020202020202020207365743a0a2020202020202020202020206e3a20247b2024652e6e207d0a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\xfd238b73971d652a0dc13b4c2932bbc6e186a5c5ea5991dc124b41c7cae408eb', '2026-11-26 19:04:36.363417+00', 'upgrade'),
	('default', 'upgrade', 'callback', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a2263616c6c6261636b222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2263223a7b2263616c6c223a2263616c6c6261636b3a312e302e304064656661756c74222c2277697468223a7b7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a2063616c6c6261636b0a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20633a0a2020202063616c6c3a2063616c6c6261636b3a312e302e304064656661756c740a20202020776974683a207b7d0a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\xabfbfde108d97cad9dbd0aa8415e0a5eebb337e226e0d94eb968e06428a59d1d', '2026-11-26 19:04:36.37412+00', 'upgrade'),
	('default', 'upgrade', 'human-task', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a2268756d616e2d7461736b222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2268223a7b2263616c6c223a2268756d616e2d7461736b3a312e302e304064656661756c74222c2277697468223a7b227469746c65223a22476f206f6e3f222c2263616e64696461746547726f757073223a5b2275706772616465225d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a2068756d616e2d7461736b0a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20683a0a2020202063616c6c3a2068756d616e2d7461736b3a312e302e304064656661756c740a20202020776974683a0a2020202020207469746c653a20476f206f6e3f0a20202020202063616e64696461746547726f7570733a0a2020202020202d20757067726164650a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\xe596bd79b317a173ced98bfa08fd68397698df734deb56badabe3a721dabd975', '2026-11-26 19:04:36.383867+00', 'upgrade'),
	('default', 'upgrade', 'claimed', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a22636c61696d6564222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2268223a7b2263616c6c223a2268756d616e2d7461736b3a312e302e304064656661756c74222c2277697468223a7b227469746c65223a22476f206f6e3f222c2263616e64696461746547726f757073223a5b2275706772616465225d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a20636c61696d65640a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20683a0a2020202063616c6c3a2068756d616e2d7461736b3a312e302e304064656661756c740a20202020776974683a0a2020202020207469746c653a20476f206f6e3f0a20202020202063616e64696461746547726f7570733a0a2020202020202d20757067726164650a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\xf4695b245a2d1f65eaad40d6509d20a225a881be41cc9c55a362ae470790c1d4', '2026-11-26 19:04:36.393485+00', 'upgrade'),
	('default', 'upgrade', 'job', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226a6f62222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b226a223a7b2263616c6c223a226a6f623a312e302e304064656661756c74222c2277697468223a7b2274797065223a2275706772616465222c226c65617365223a7b227365636f6e6473223a317d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a206a6f620a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d206a3a0a2020202063616c6c3a206a6f623a312e302e304064656661756c740a20202020776974683a0a202020202020747970653a20757067726164650a2020202020206c656173653a0a20202020202020207365636f6e64733a20310a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\x54b79f3f1ea751f79f0a6d749eeb02e5f3b9a5f02388eb2194cd09ff436b6ba4', '2026-11-26 19:04:36.403992+00', 'upgrade'),
	('default', 'upgrade', 'leased', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226c6561736564222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b226a223a7b2263616c6c223a226a6f623a312e302e304064656661756c74222c2277697468223a7b2274797065223a2275706772616465222c226c65617365223a7b227365636f6e6473223a317d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a206c65617365640a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d206a3a0a2020202063616c6c3a206a6f623a312e302e304064656661756c740a20202020776974683a0a202020202020747970653a20757067726164650a2020202020206c656173653a0a20202020202020207365636f6e64733a20310a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\xb31eaefbc35c2188d7bed0d3569189c2b85cda0a8406934ea299848b21a40cfd', '2026-11-26 19:04:36.413783+00', 'upgrade'),
	('default', 'upgrade', 'child', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226368696c64222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2272223a7b2272756e223a7b22776f726b666c6f77223a7b226e616d657370616365223a2275706772616465222c226e616d65223a226576656e74222c2276657273696f6e223a22312e302e30222c22696e707574223a22247b2024636f6e74657874207d227d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a206368696c640a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20723a0a2020202072756e3a0a202020202020776f726b666c6f773a0a20202020202020206e616d6573706163653a20757067726164650a20202020202020206e616d653a206576656e740a202020202020202076657273696f6e3a20312e302e300a2020202020202020696e7075743a20247b2024636f6e74657874207d0a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\x0a5696b681dc210d11f8b78d07bf891fb3db6ba7b66179b192d04f323d0b959a', '2026-11-26 19:04:36.426033+00', 'upgrade'),
	('default', 'upgrade', 'map', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226d6170222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b226d223a7b2263616c6c223a226d61703a312e302e304064656661756c74222c2277697468223a7b226974656d73223a22247b205b72616e6765283329207c207b6b3a202e7d5d207d222c22636f6e63757272656e6379223a322c2270726f63657373223a7b226e616d657370616365223a2275706772616465222c226e616d65223a2274696d6572222c2276657273696f6e223a22312e302e30227d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a206d61700a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d206d3a0a2020202063616c6c3a206d61703a312e302e304064656661756c740a20202020776974683a0a2020202020206974656d733a2027247b205b72616e6765283329207c207b6b3a202e7d5d207d270a202020202020636f6e63757272656e63793a20320a20202020202070726f636573733a0a20202020202020206e616d6573706163653a20757067726164650a20202020202020206e616d653a2074696d65720a202020202020202076657273696f6e3a20312e302e300a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\x59665e1c820a69da6a627300067832724d9ff5c2474a2c74cbb9df7ac1f8df3c', '2026-11-26 19:04:36.438078+00', 'upgrade'),
	('default', 'upgrade', 'fork', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a22666f726b222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2266223a7b22666f726b223a7b226272616e63686573223a5b7b2261223a7b22666f72223a7b22696e223a22247b205b312c20325d207d227d2c22646f223a5b7b226c223a7b226c697374656e223a7b22746f223a7b226f6e65223a7b2277697468223a7b2274797065223a22757067726164652e676f227d2c22636f7272656c617465223a7b226b223a7b2266726f6d223a222e646174612e6b222c22657870656374223a22247b2024636f6e746578742e6b207d227d7d7d7d7d7d7d2c7b2277223a7b2277616974223a7b227365636f6e6473223a337d7d7d5d7d7d2c7b2262223a7b2263616c6c223a2268756d616e2d7461736b3a312e302e304064656661756c74222c2277697468223a7b227469746c65223a22476f206f6e3f222c2263616e64696461746547726f757073223a5b2275706772616465225d7d7d7d2c7b2263223a7b22747279223a5b7b226a223a7b2263616c6c223a226a6f623a312e302e304064656661756c74222c2277697468223a7b2274797065223a2275706772616465222c226c65617365223a7b227365636f6e6473223a317d7d7d7d5d2c226361746368223a7b7d7d7d5d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a20666f726b0a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20663a0a20202020666f726b3a0a2020202020206272616e636865733a0a2020202020202d20613a0a20202020202020202020666f723a0a202020202020202020202020696e3a20247b205b312c20325d207d0a20202020202020202020646f3a0a202020202020202020202d206c3a0a20202020202020202020202020206c697374656e3a0a20202020202020202020202020202020746f3a0a2020202020202020202020202020202020206f6e653a0a2020202020202020202020202020202020202020776974683a0a20202020202020202020202020202020202020202020747970653a20757067726164652e676f0a2020202020202020202020202020202020202020636f7272656c6174653a0a202020202020202020202020202020202020202020206b3a0a20202020202020202020202020202020202020202020202066726f6d3a202e646174612e6b0a2020202020202020202020202020202020202020202020206578706563743a20247b2024636f6e746578742e6b207d0a202020202020202020202d20773a0a2020202020202020202020202020776169743a0a202020202020202020202020202020207365636f6e64733a20330a2020202020202d20623a0a2020202020202020202063616c6c3a2068756d616e2d7461736b3a312e302e304064656661756c740a20202020202020202020776974683a0a2020202020202020202020207469746c653a20476f206f6e3f0a20202020202020202020202063616e64696461746547726f7570733a0a2020202020202020202020202d20757067726164650a2020202020202d20633a0a202020202020202020207472793a0a202020202020202020202d206a3a0a202020202020202020202020202063616c6c3a206a6f623a312e302e304064656661756c740a2020202020202020202020202020776974683a0a20202020202020202020202020202020747970653a20757067726164650a202020202020202020202020202020206c656173653a0a2020202020202020202020202020202020207365636f6e64733a20310a2020202020202020202063617463683a207b7d0a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\x33fba44c4330409240a34b32680c967e385d3f5358cbb365967ad31201a33971', '2026-11-26 19:04:36.453031+00', 'upgrade'),
	('default', 'upgrade', 'function', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a2266756e6374696f6e222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2264223a7b2263616c6c223a22646f75626c65643a312e302e304064656661756c74222c2277697468223a7b226e223a32317d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a2066756e6374696f6e0a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20643a0a2020202063616c6c3a20646f75626c65643a312e302e304064656661756c740a20202020776974683a0a2020202020206e3a2032310a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\xafb0c1339477898b92288b99f7645de5234a69a209b178eb6f6662af0958ccd5', '2026-11-26 19:04:36.464439+00', 'upgrade'),
	('default', 'upgrade', 'suspended', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a2273757370656e646564222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2277223a7b2277616974223a7b227365636f6e6473223a337d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a2073757370656e6465640a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20773a0a20202020776169743a0a2020202020207365636f6e64733a20330a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\xf33121224db87b8085faa6814ef6d9cb5ae49170f9353c313b8f07d886152011', '2026-11-26 19:04:36.481979+00', 'upgrade'),
	('default', 'upgrade', 'faulted', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226661756c746564222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b226a223a7b2263616c6c223a226a6f623a312e302e304064656661756c74222c2277697468223a7b2274797065223a2275706772616465222c226c65617365223a7b227365636f6e6473223a317d7d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a206661756c7465640a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d206a3a0a2020202063616c6c3a206a6f623a312e302e304064656661756c740a20202020776974683a0a202020202020747970653a20757067726164650a2020202020206c656173653a0a20202020202020207365636f6e64733a20310a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\x328c0f68539801d273efc155c339b560ec4fb0a803e97cb61c14a9e0f9852c9d', '2026-11-26 19:04:36.491699+00', 'upgrade'),
	('default', 'upgrade', 'owed', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226f776564222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2273223a7b22736574223a7b226e223a317d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a206f7765640a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20733a0a202020207365743a0a2020202020206e3a20310a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\x2cd1390b284b7ab7b01e3b65ae911515341ee9c253be3deebf5e71e31ee4fb03', '2026-11-26 19:04:36.502907+00', 'upgrade'),
	('default', 'upgrade', 'later', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226c61746572222c2276657273696f6e223a22312e302e30227d2c22646f223a5b7b22626567696e223a7b22736574223a22247b202e207d222c226578706f7274223a7b226173223a227b6b3a202e6b7d227d7d7d2c7b2273223a7b22736574223a7b226e223a317d7d7d2c7b22646f6e65223a7b22736574223a7b226b223a22247b2024636f6e746578742e6b207d222c22676f74223a22247b202e207d227d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a206c617465720a202076657273696f6e3a20312e302e300a646f3a0a2d20626567696e3a0a202020207365743a20247b202e207d0a202020206578706f72743a0a20202020202061733a20277b6b3a202e6b7d270a2d20733a0a202020207365743a0a2020202020206e3a20310a2d20646f6e653a0a202020207365743a0a2020202020206b3a20247b2024636f6e746578742e6b207d0a202020202020676f743a20247b202e207d0a', 'application/yaml', '\x200589432dad682cb818ed7e0ca7e99e80fc9a1a9b9ab111a87d32e2540a1e98', '2026-11-26 19:04:36.512513+00', 'upgrade'),
	('default', 'upgrade', 'every', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226576657279222c2276657273696f6e223a22312e302e30227d2c227363686564756c65223a7b226576657279223a7b227365636f6e6473223a32307d7d2c22646f223a5b7b2273223a7b22736574223a7b226e223a317d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a2065766572790a202076657273696f6e3a20312e302e300a7363686564756c653a0a202065766572793a0a202020207365636f6e64733a2032300a646f3a0a2d20733a0a202020207365743a0a2020202020206e3a20310a', 'application/yaml', '\x27f5e4bc860b4d54916c432c13def730fbfe8c007977c1b4e4ac5fd0b035af8e', '2026-11-26 19:04:36.516031+00', 'upgrade'),
	('default', 'upgrade', 'on', '1.0.0', '0011 0010 0010 ~ ', true, NULL, NULL, '\x7b22646f63756d656e74223a7b2264736c223a22312e302e33222c226e616d657370616365223a2275706772616465222c226e616d65223a226f6e222c2276657273696f6e223a22312e302e30227d2c227363686564756c65223a7b226f6e223a7b22616c6c223a5b7b2277697468223a7b2274797065223a22757067726164652e68616c66227d7d2c7b2277697468223a7b2274797065223a22757067726164652e676f227d7d5d7d7d2c22646f223a5b7b2273223a7b22736574223a7b226e223a317d7d7d5d7d', '\x646f63756d656e743a0a202064736c3a20312e302e330a20206e616d6573706163653a20757067726164650a20206e616d653a20276f6e270a202076657273696f6e3a20312e302e300a7363686564756c653a0a2020276f6e273a0a20202020616c6c3a0a202020202d20776974683a0a2020202020202020747970653a20757067726164652e68616c660a202020202d20776974683a0a2020202020202020747970653a20757067726164652e676f0a646f3a0a2d20733a0a202020207365743a0a2020202020206e3a20310a', 'application/yaml', '\xd142621b4485f6822bf0d2ddef4a1aa64c89ec2a46be0d125392b4579b4e62df', '2026-11-26 19:04:36.520129+00', 'upgrade');
INSERT INTO public.definition_resource VALUES
	('default', 'upgrade', 'function', '1.0.0', 0, 'function', 'doubled:1.0.0@default', '/v1/functions/doubled/1.0.0', true, '\x7b22646f223a5b7b2277223a7b2277616974223a7b227365636f6e6473223a337d7d7d2c7b2264223a7b22736574223a7b226e223a22247b202e6e202a2032207d227d7d7d5d7d', '2026-11-26 19:04:36.472587+00');
INSERT INTO public.event OVERRIDING SYSTEM VALUE VALUES
	(1, 'default', 'urn:test', 'half', 'upgrade.half', '\x7b227370656376657273696f6e223a22312e30222c226964223a2268616c66222c22736f75726365223a2275726e3a74657374222c2274797065223a22757067726164652e68616c66222c2264617461223a7b226b223a226576656e7473222c226e223a367d7d', '2026-11-26 19:04:36.668933+00', true, false),
	(2, 'default', 'urn:test', 'other-half', 'upgrade.half', '\x7b227370656376657273696f6e223a22312e30222c226964223a226f746865722d68616c66222c22736f75726365223a2275726e3a74657374222c2274797065223a22757067726164652e68616c66222c2264617461223a7b226b223a226e6f6e65227d7d', '2026-11-26 19:04:36.789688+00', true, false);
INSERT INTO public.function VALUES
	('default', 'doubled', '1.0.0', '0011 0010 0010 ~ ', '\x7b22646f223a5b7b2277223a7b2277616974223a7b227365636f6e6473223a337d7d7d2c7b2264223a7b22736574223a7b226e223a22247b202e6e202a2032207d227d7d7d5d7d', '\x7b22646f223a205b7b2277223a207b2277616974223a207b227365636f6e6473223a20337d7d7d2c207b2264223a207b22736574223a207b226e223a2022247b202e6e202a2032207d227d7d7d5d7d', 'application/json', '\x4c3440188ea6bcdf658285383f851c7e1d4b1ad107c71513e33da48539f76e1c', '2026-11-26 19:04:36.297009+00', 'upgrade');
INSERT INTO public.history VALUES
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', 1, '2026-11-26 19:04:36.544266+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"timer-01a2193e-cfb3-78cf-84a5-39af2c57b8ea.upgrade","startedAt":"2026-11-26T19:04:36.544266Z","definition":{"namespace":"upgrade","name":"timer","version":"1.0.0"}}'),
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', 2, '2026-11-26 19:04:36.544266+00', 'io.serverlessworkflow.task.created.v1', '5f8e1cb5-5ef5-850a-8da6-4aaa994cad7d', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', 3, '2026-11-26 19:04:36.544266+00', 'io.serverlessworkflow.task.started.v1', '5f8e1cb5-5ef5-850a-8da6-4aaa994cad7d', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', 4, '2026-11-26 19:04:36.544266+00', 'io.serverlessworkflow.task.completed.v1', '5f8e1cb5-5ef5-850a-8da6-4aaa994cad7d', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', 5, '2026-11-26 19:04:36.544266+00', 'io.serverlessworkflow.task.created.v1', 'a0294ebe-52fc-84ef-85cf-2a19d96b2ec6', 'perdure', '{"task":"/do/1/w"}'),
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', 6, '2026-11-26 19:04:36.544266+00', 'io.serverlessworkflow.task.started.v1', 'a0294ebe-52fc-84ef-85cf-2a19d96b2ec6', 'perdure', '{"task":"/do/1/w"}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 1, '2026-11-26 19:04:36.548538+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"retry-01a2193e-cfbb-75fc-89c4-c03a8b8e3e45.upgrade","startedAt":"2026-11-26T19:04:36.548538Z","definition":{"namespace":"upgrade","name":"retry","version":"1.0.0"}}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 2, '2026-11-26 19:04:36.548538+00', 'io.serverlessworkflow.task.created.v1', '6b7ab9cc-8ce5-85cb-83cf-35250a0b4671', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 3, '2026-11-26 19:04:36.548538+00', 'io.serverlessworkflow.task.started.v1', '6b7ab9cc-8ce5-85cb-83cf-35250a0b4671', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 4, '2026-11-26 19:04:36.548538+00', 'io.serverlessworkflow.task.completed.v1', '6b7ab9cc-8ce5-85cb-83cf-35250a0b4671', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 5, '2026-11-26 19:04:36.548538+00', 'io.serverlessworkflow.task.created.v1', '3cfd0d16-151a-85ec-9fd3-d6a9b120958e', 'perdure', '{"task":"/do/1/t"}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 6, '2026-11-26 19:04:36.548538+00', 'io.serverlessworkflow.task.started.v1', '3cfd0d16-151a-85ec-9fd3-d6a9b120958e', 'perdure', '{"task":"/do/1/t"}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 7, '2026-11-26 19:04:36.548538+00', 'io.serverlessworkflow.task.created.v1', 'af9585da-cd53-843a-acce-7314ee160809', 'perdure', '{"task":"/do/1/t/try/0/c"}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 8, '2026-11-26 19:04:36.548538+00', 'io.serverlessworkflow.task.started.v1', 'af9585da-cd53-843a-acce-7314ee160809', 'perdure', '{"task":"/do/1/t/try/0/c"}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 9, '2026-11-26 19:04:36.548538+00', 'dev.perdure.call.requested', 'af9585da-cd53-843a-acce-7314ee160809', 'perdure', '{"function":"http","task":"/do/1/t/try/0/c"}'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 1, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"job-01a2193e-cfe0-7e1f-86b2-7b3b261fad32.upgrade","startedAt":"2026-11-26T19:04:36.588561Z","definition":{"namespace":"upgrade","name":"job","version":"1.0.0"}}'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 2, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.task.created.v1', '2c810120-8bc2-8e5d-84af-eb97b5ce0424', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 3, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.task.started.v1', '2c810120-8bc2-8e5d-84af-eb97b5ce0424', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 4, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.task.completed.v1', '2c810120-8bc2-8e5d-84af-eb97b5ce0424', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 5, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.task.created.v1', '6b7cc8d5-0497-8007-97e0-3583d590f62e', 'perdure', '{"task":"/do/1/j"}'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 6, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.task.started.v1', '6b7cc8d5-0497-8007-97e0-3583d590f62e', 'perdure', '{"task":"/do/1/j"}'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 7, '2026-11-26 19:04:36.588561+00', 'dev.perdure.job.opened', '6b7cc8d5-0497-8007-97e0-3583d590f62e', 'perdure', '{"type":"upgrade","priority":0,"task":"/do/1/j"}'),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 1, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"leased-01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f.upgrade","startedAt":"2026-11-26T19:04:36.588561Z","definition":{"namespace":"upgrade","name":"leased","version":"1.0.0"}}'),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 2, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.task.created.v1', '6c6b8cf7-9728-8598-8c4a-614700a22379', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 3, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.task.started.v1', '6c6b8cf7-9728-8598-8c4a-614700a22379', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 4, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.task.completed.v1', '6c6b8cf7-9728-8598-8c4a-614700a22379', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 5, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.task.created.v1', 'b810e6e3-8359-87b5-8861-6e0b04342f02', 'perdure', '{"task":"/do/1/j"}'),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 6, '2026-11-26 19:04:36.588561+00', 'io.serverlessworkflow.task.started.v1', 'b810e6e3-8359-87b5-8861-6e0b04342f02', 'perdure', '{"task":"/do/1/j"}'),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 7, '2026-11-26 19:04:36.588561+00', 'dev.perdure.job.opened', 'b810e6e3-8359-87b5-8861-6e0b04342f02', 'perdure', '{"type":"upgrade","priority":0,"task":"/do/1/j"}'),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', 1, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"event-01a2193e-cfc6-79ca-9993-553c06de1a28.upgrade","startedAt":"2026-11-26T19:04:36.582999Z","definition":{"namespace":"upgrade","name":"event","version":"1.0.0"}}'),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', 2, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.created.v1', '58f16b33-caad-8267-9ca2-1683066c4b41', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', 3, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.started.v1', '58f16b33-caad-8267-9ca2-1683066c4b41', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', 4, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.completed.v1', '58f16b33-caad-8267-9ca2-1683066c4b41', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', 5, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.created.v1', '8aac1a67-e597-8cf3-bfd4-4b8d77801691', 'perdure', '{"task":"/do/1/l"}'),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', 6, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.started.v1', '8aac1a67-e597-8cf3-bfd4-4b8d77801691', 'perdure', '{"task":"/do/1/l"}'),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', 7, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.workflow.correlation-started.v1', '8aac1a67-e597-8cf3-bfd4-4b8d77801691', 'perdure', '{"name":"event-01a2193e-cfc6-79ca-9993-553c06de1a28.upgrade","startedAt":"2026-11-26T19:04:36.582999Z","task":"/do/1/l"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 1, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"events-01a2193e-cfcb-7e6e-b4b1-f3ec39920553.upgrade","startedAt":"2026-11-26T19:04:36.582999Z","definition":{"namespace":"upgrade","name":"events","version":"1.0.0"}}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 2, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.created.v1', '51f12a9f-be05-887b-8505-12246d3d4af0', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 3, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.started.v1', '51f12a9f-be05-887b-8505-12246d3d4af0', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 4, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.completed.v1', '51f12a9f-be05-887b-8505-12246d3d4af0', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 5, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.created.v1', 'a5b6820f-2d30-8a29-8e9a-6088eeba4a6e', 'perdure', '{"task":"/do/1/l"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 6, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.started.v1', 'a5b6820f-2d30-8a29-8e9a-6088eeba4a6e', 'perdure', '{"task":"/do/1/l"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 7, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.workflow.correlation-started.v1', 'a5b6820f-2d30-8a29-8e9a-6088eeba4a6e', 'perdure', '{"name":"events-01a2193e-cfcb-7e6e-b4b1-f3ec39920553.upgrade","startedAt":"2026-11-26T19:04:36.582999Z","task":"/do/1/l"}'),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', 1, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"callback-01a2193e-cfcf-712b-93e4-eb872e5cf115.upgrade","startedAt":"2026-11-26T19:04:36.582999Z","definition":{"namespace":"upgrade","name":"callback","version":"1.0.0"}}'),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', 2, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.created.v1', '1f3258f6-683b-8d42-9a67-2559047564b3', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', 3, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.started.v1', '1f3258f6-683b-8d42-9a67-2559047564b3', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', 4, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.completed.v1', '1f3258f6-683b-8d42-9a67-2559047564b3', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', 5, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.created.v1', '22a33117-d7c9-87d1-b62c-6ea4c16a95f9', 'perdure', '{"task":"/do/1/c"}'),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', 6, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.started.v1', '22a33117-d7c9-87d1-b62c-6ea4c16a95f9', 'perdure', '{"task":"/do/1/c"}'),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', 7, '2026-11-26 19:04:36.582999+00', 'dev.perdure.callback.opened', '22a33117-d7c9-87d1-b62c-6ea4c16a95f9', 'perdure', '{"task":"/do/1/c"}'),
	('01a2193e-cfd3-754a-a855-57b8de57f142', 1, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"human-task-01a2193e-cfd3-754a-a855-57b8de57f142.upgrade","startedAt":"2026-11-26T19:04:36.582999Z","definition":{"namespace":"upgrade","name":"human-task","version":"1.0.0"}}'),
	('01a2193e-cfd3-754a-a855-57b8de57f142', 2, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.created.v1', '030e192a-cb2b-84e4-8900-2e67933dfd73', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfd3-754a-a855-57b8de57f142', 3, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.started.v1', '030e192a-cb2b-84e4-8900-2e67933dfd73', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfd3-754a-a855-57b8de57f142', 4, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.completed.v1', '030e192a-cb2b-84e4-8900-2e67933dfd73', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfd3-754a-a855-57b8de57f142', 5, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.created.v1', '5cd082a2-dbca-877d-a67c-5f820f3f4ca9', 'perdure', '{"task":"/do/1/h"}'),
	('01a2193e-cfd3-754a-a855-57b8de57f142', 6, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.started.v1', '5cd082a2-dbca-877d-a67c-5f820f3f4ca9', 'perdure', '{"task":"/do/1/h"}'),
	('01a2193e-cfd3-754a-a855-57b8de57f142', 7, '2026-11-26 19:04:36.582999+00', 'dev.perdure.human-task.opened', '5cd082a2-dbca-877d-a67c-5f820f3f4ca9', 'perdure', '{"due":null,"task":"/do/1/h"}'),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 1, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"claimed-01a2193e-cfdc-7489-a5c9-3a9cdf6aec23.upgrade","startedAt":"2026-11-26T19:04:36.582999Z","definition":{"namespace":"upgrade","name":"claimed","version":"1.0.0"}}'),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 2, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.created.v1', '504e6886-b728-851e-85b6-32bd55377104', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 3, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.started.v1', '504e6886-b728-851e-85b6-32bd55377104', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 4, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.completed.v1', '504e6886-b728-851e-85b6-32bd55377104', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 5, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.created.v1', '536c1e61-bd34-8fde-bb6a-1077e99305e3', 'perdure', '{"task":"/do/1/h"}'),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 6, '2026-11-26 19:04:36.582999+00', 'io.serverlessworkflow.task.started.v1', '536c1e61-bd34-8fde-bb6a-1077e99305e3', 'perdure', '{"task":"/do/1/h"}'),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 7, '2026-11-26 19:04:36.582999+00', 'dev.perdure.human-task.opened', '536c1e61-bd34-8fde-bb6a-1077e99305e3', 'perdure', '{"due":null,"task":"/do/1/h"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 1, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"fork-01a2193e-d00c-7c17-a83f-1c24385685c1.upgrade","startedAt":"2026-11-26T19:04:36.628286Z","definition":{"namespace":"upgrade","name":"fork","version":"1.0.0"}}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 2, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.created.v1', '746d8e67-d511-834b-bad9-cf462b998879', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 3, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.started.v1', '746d8e67-d511-834b-bad9-cf462b998879', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 4, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.completed.v1', '746d8e67-d511-834b-bad9-cf462b998879', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 5, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.created.v1', '5a0b2c18-18fa-86db-9f4c-959728bca4f5', 'perdure', '{"task":"/do/1/f"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 6, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.started.v1', '5a0b2c18-18fa-86db-9f4c-959728bca4f5', 'perdure', '{"task":"/do/1/f"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 7, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.created.v1', 'd429f92a-329e-82cf-a4d7-3bc7b61e09c9', 'perdure', '{"task":"/do/1/f/fork/branches/0/a"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 8, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.created.v1', 'ac0008d0-fcb6-8c9a-a95e-aed2ecb95e7d', 'perdure', '{"task":"/do/1/f/fork/branches/1/b"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 9, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.created.v1', '41807875-6196-8357-bfc6-7c882924c0ce', 'perdure', '{"task":"/do/1/f/fork/branches/2/c"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 10, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.started.v1', 'd429f92a-329e-82cf-a4d7-3bc7b61e09c9', 'perdure', '{"task":"/do/1/f/fork/branches/0/a"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 11, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.created.v1', '03b0b76c-3f37-8058-83e8-6e5c3d9d57a8', 'perdure', '{"task":"/do/1/f/fork/branches/0/a/do/0/l"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 12, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.started.v1', 'ac0008d0-fcb6-8c9a-a95e-aed2ecb95e7d', 'perdure', '{"task":"/do/1/f/fork/branches/1/b"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 13, '2026-11-26 19:04:36.628286+00', 'dev.perdure.human-task.opened', 'ac0008d0-fcb6-8c9a-a95e-aed2ecb95e7d', 'perdure', '{"due":null,"task":"/do/1/f/fork/branches/1/b"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 14, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.started.v1', '41807875-6196-8357-bfc6-7c882924c0ce', 'perdure', '{"task":"/do/1/f/fork/branches/2/c"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 15, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.created.v1', 'eff19d89-aee2-8e32-82da-0b0c1a3f75e1', 'perdure', '{"task":"/do/1/f/fork/branches/2/c/try/0/j"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 16, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.started.v1', '03b0b76c-3f37-8058-83e8-6e5c3d9d57a8', 'perdure', '{"task":"/do/1/f/fork/branches/0/a/do/0/l"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 17, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.workflow.correlation-started.v1', '03b0b76c-3f37-8058-83e8-6e5c3d9d57a8', 'perdure', '{"name":"fork-01a2193e-d00c-7c17-a83f-1c24385685c1.upgrade","startedAt":"2026-11-26T19:04:36.628286Z","task":"/do/1/f/fork/branches/0/a/do/0/l"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 18, '2026-11-26 19:04:36.628286+00', 'io.serverlessworkflow.task.started.v1', 'eff19d89-aee2-8e32-82da-0b0c1a3f75e1', 'perdure', '{"task":"/do/1/f/fork/branches/2/c/try/0/j"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 19, '2026-11-26 19:04:36.628286+00', 'dev.perdure.job.opened', 'eff19d89-aee2-8e32-82da-0b0c1a3f75e1', 'perdure', '{"type":"upgrade","priority":0,"task":"/do/1/f/fork/branches/2/c/try/0/j"}'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 1, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"suspended-01a2193e-d029-79fe-a20d-c6ac525e263b.upgrade","startedAt":"2026-11-26T19:04:36.661386Z","definition":{"namespace":"upgrade","name":"suspended","version":"1.0.0"}}'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 2, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.task.created.v1', '562db2e1-396d-866b-87f3-16098733b7f9', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 3, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.task.started.v1', '562db2e1-396d-866b-87f3-16098733b7f9', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 4, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.task.completed.v1', '562db2e1-396d-866b-87f3-16098733b7f9', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 5, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.task.created.v1', '0a9148cf-8195-8268-be76-15b0d65e4299', 'perdure', '{"task":"/do/1/w"}'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 6, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.task.started.v1', '0a9148cf-8195-8268-be76-15b0d65e4299', 'perdure', '{"task":"/do/1/w"}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 1, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"faulted-01a2193e-d032-7e61-b414-ed5242bdb54d.upgrade","startedAt":"2026-11-26T19:04:36.661386Z","definition":{"namespace":"upgrade","name":"faulted","version":"1.0.0"}}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 2, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.task.created.v1', 'd7594df9-4661-8cea-8489-77debd0cefe6', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 3, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.task.started.v1', 'd7594df9-4661-8cea-8489-77debd0cefe6', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 4, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.task.completed.v1', 'd7594df9-4661-8cea-8489-77debd0cefe6', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 1, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"child-01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c.upgrade","startedAt":"2026-11-26T19:04:36.612973Z","definition":{"namespace":"upgrade","name":"child","version":"1.0.0"}}'),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 2, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.task.created.v1', 'f42b0ece-3067-8e44-8ecd-b65920ac0a80', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 3, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.task.started.v1', 'f42b0ece-3067-8e44-8ecd-b65920ac0a80', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 4, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.task.completed.v1', 'f42b0ece-3067-8e44-8ecd-b65920ac0a80', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 5, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.task.created.v1', 'b4df4769-52ec-8a21-867b-1988054f2358', 'perdure', '{"task":"/do/1/r"}'),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 6, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.task.started.v1', 'b4df4769-52ec-8a21-867b-1988054f2358', 'perdure', '{"task":"/do/1/r"}'),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 7, '2026-11-26 19:04:36.612973+00', 'dev.perdure.child.started', 'b4df4769-52ec-8a21-867b-1988054f2358', 'perdure', '{"child":"01a2193e-d004-7709-8727-fafbaad35b60","task":"/do/1/r"}');
INSERT INTO public.history VALUES
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 1, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"map-01a2193e-cffe-7fa3-bdef-6159e0f73f46.upgrade","startedAt":"2026-11-26T19:04:36.612973Z","definition":{"namespace":"upgrade","name":"map","version":"1.0.0"}}'),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 2, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.task.created.v1', '12a04e90-4545-84bf-9477-3187803646af', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 3, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.task.started.v1', '12a04e90-4545-84bf-9477-3187803646af', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 4, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.task.completed.v1', '12a04e90-4545-84bf-9477-3187803646af', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 5, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.task.created.v1', 'd974db33-de0c-8182-8d39-5c67093ed7f1', 'perdure', '{"task":"/do/1/m"}'),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 6, '2026-11-26 19:04:36.612973+00', 'io.serverlessworkflow.task.started.v1', 'd974db33-de0c-8182-8d39-5c67093ed7f1', 'perdure', '{"task":"/do/1/m"}'),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 7, '2026-11-26 19:04:36.612973+00', 'dev.perdure.child.started', 'd974db33-de0c-8182-8d39-5c67093ed7f1', 'perdure', '{"child":"01a2193e-d004-79e0-be92-38a35bffc10b","index":0,"task":"/do/1/m"}'),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 8, '2026-11-26 19:04:36.612973+00', 'dev.perdure.child.started', 'd974db33-de0c-8182-8d39-5c67093ed7f1', 'perdure', '{"child":"01a2193e-d004-72ac-9e81-128b1eb95200","index":1,"task":"/do/1/m"}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 10, '2026-11-26 19:04:36.627337+00', 'io.serverlessworkflow.task.faulted.v1', 'af9585da-cd53-843a-acce-7314ee160809', 'perdure', '{"error":{"type":"https://serverlessworkflow.io/spec/1.0.0/errors/communication","status":503,"title":"Service Unavailable","detail":"POST http://127.0.0.1:19115/flaky/1 was answered with 503 Service Unavailable: {\"reason\": \"not now\"}","instance":"/do/1/t/try/0/c"},"task":"/do/1/t/try/0/c"}'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 11, '2026-11-26 19:04:36.627337+00', 'dev.perdure.error.caught', '3cfd0d16-151a-85ec-9fd3-d6a9b120958e', 'perdure', '{"error":{"type":"https://serverlessworkflow.io/spec/1.0.0/errors/communication","status":503,"title":"Service Unavailable","detail":"POST http://127.0.0.1:19115/flaky/1 was answered with 503 Service Unavailable: {\"reason\": \"not now\"}","instance":"/do/1/t/try/0/c"},"retryAt":"2026-11-26T19:04:39.627337Z","task":"/do/1/t"}'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 1, '2026-11-26 19:04:36.652929+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"function-01a2193e-d017-72c8-9eae-99c97224ef53.upgrade","startedAt":"2026-11-26T19:04:36.652929Z","definition":{"namespace":"upgrade","name":"function","version":"1.0.0"}}'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 2, '2026-11-26 19:04:36.652929+00', 'io.serverlessworkflow.task.created.v1', '6ee78e00-8c13-83fe-9651-69a48a0ec275', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 3, '2026-11-26 19:04:36.652929+00', 'io.serverlessworkflow.task.started.v1', '6ee78e00-8c13-83fe-9651-69a48a0ec275', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 4, '2026-11-26 19:04:36.652929+00', 'io.serverlessworkflow.task.completed.v1', '6ee78e00-8c13-83fe-9651-69a48a0ec275', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 5, '2026-11-26 19:04:36.652929+00', 'io.serverlessworkflow.task.created.v1', '24c3242c-cf39-8f0a-972d-7cc37f7caab2', 'perdure', '{"task":"/do/1/d"}'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 6, '2026-11-26 19:04:36.652929+00', 'io.serverlessworkflow.task.started.v1', '24c3242c-cf39-8f0a-972d-7cc37f7caab2', 'perdure', '{"task":"/do/1/d"}'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 7, '2026-11-26 19:04:36.652929+00', 'io.serverlessworkflow.task.created.v1', '2206dfb8-c718-83b3-9a9d-092890845cda', 'perdure', '{"task":"/use/functions/doubled:1.0.0@default"}'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 8, '2026-11-26 19:04:36.652929+00', 'io.serverlessworkflow.task.started.v1', '2206dfb8-c718-83b3-9a9d-092890845cda', 'perdure', '{"task":"/use/functions/doubled:1.0.0@default"}'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 9, '2026-11-26 19:04:36.652929+00', 'io.serverlessworkflow.task.created.v1', 'c28881f4-d909-8fd6-bb74-4d53965fa948', 'perdure', '{"task":"/use/functions/doubled:1.0.0@default/do/0/w"}'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 10, '2026-11-26 19:04:36.652929+00', 'io.serverlessworkflow.task.started.v1', 'c28881f4-d909-8fd6-bb74-4d53965fa948', 'perdure', '{"task":"/use/functions/doubled:1.0.0@default/do/0/w"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 8, '2026-11-26 19:04:36.675482+00', 'dev.perdure.event.consumed', 'a5b6820f-2d30-8a29-8e9a-6088eeba4a6e', 'perdure', '{"event":{"id":"half","source":"urn:test","type":"upgrade.half"},"task":"/do/1/l"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 9, '2026-11-26 19:04:36.675482+00', 'io.serverlessworkflow.task.created.v1', '33825a27-80a4-8708-b26c-1bd98b9f70dc', 'perdure', '{"task":"/do/1/l/foreach/do/0/w"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 10, '2026-11-26 19:04:36.675482+00', 'io.serverlessworkflow.task.started.v1', '33825a27-80a4-8708-b26c-1bd98b9f70dc', 'perdure', '{"task":"/do/1/l/foreach/do/0/w"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 11, '2026-11-26 19:04:36.735558+00', 'dev.perdure.timer.fired', '33825a27-80a4-8708-b26c-1bd98b9f70dc', 'perdure', '{"purpose":"wait","task":"/do/1/l/foreach/do/0/w"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 12, '2026-11-26 19:04:36.735558+00', 'io.serverlessworkflow.task.completed.v1', '33825a27-80a4-8708-b26c-1bd98b9f70dc', 'perdure', '{"task":"/do/1/l/foreach/do/0/w"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 13, '2026-11-26 19:04:36.735558+00', 'io.serverlessworkflow.task.created.v1', '7a3e7c85-91e0-8352-97ec-dd4f688b5e75', 'perdure', '{"task":"/do/1/l/foreach/do/1/n"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 14, '2026-11-26 19:04:36.735558+00', 'io.serverlessworkflow.task.started.v1', '7a3e7c85-91e0-8352-97ec-dd4f688b5e75', 'perdure', '{"task":"/do/1/l/foreach/do/1/n"}'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 15, '2026-11-26 19:04:36.735558+00', 'io.serverlessworkflow.task.completed.v1', '7a3e7c85-91e0-8352-97ec-dd4f688b5e75', 'perdure', '{"task":"/do/1/l/foreach/do/1/n"}'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 8, '2026-11-26 19:04:36.753124+00', 'dev.perdure.job.leased', '6b7cc8d5-0497-8007-97e0-3583d590f62e', 'upgrade', '{"worker":"upgrade","delivery":1,"until":"2026-11-26T19:04:37.749970Z","task":"/do/1/j"}'),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 8, '2026-11-26 19:04:36.753124+00', 'dev.perdure.job.leased', 'b810e6e3-8359-87b5-8861-6e0b04342f02', 'upgrade', '{"worker":"upgrade","delivery":1,"until":"2026-11-26T19:04:37.750103Z","task":"/do/1/j"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 20, '2026-11-26 19:04:36.753124+00', 'dev.perdure.job.leased', 'eff19d89-aee2-8e32-82da-0b0c1a3f75e1', 'upgrade', '{"worker":"upgrade","delivery":1,"until":"2026-11-26T19:04:37.750114Z","task":"/do/1/f/fork/branches/2/c/try/0/j"}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 8, '2026-11-26 19:04:36.753124+00', 'dev.perdure.job.leased', 'b820d011-da70-875a-8a8c-cc65220180a7', 'upgrade', '{"worker":"upgrade","delivery":1,"until":"2026-11-26T19:04:37.750121Z","task":"/do/1/j"}'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 9, '2026-11-26 19:04:36.758457+00', 'dev.perdure.job.released', '6b7cc8d5-0497-8007-97e0-3583d590f62e', 'upgrade', '{"worker":"upgrade","delivery":1,"task":"/do/1/j"}'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 21, '2026-11-26 19:04:36.763752+00', 'dev.perdure.job.released', 'eff19d89-aee2-8e32-82da-0b0c1a3f75e1', 'upgrade', '{"worker":"upgrade","delivery":1,"task":"/do/1/f/fork/branches/2/c/try/0/j"}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 9, '2026-11-26 19:04:36.773285+00', 'dev.perdure.job.failed', 'b820d011-da70-875a-8a8c-cc65220180a7', 'upgrade', '{"worker":"upgrade","delivery":1,"task":"/do/1/j"}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 5, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.task.created.v1', 'b820d011-da70-875a-8a8c-cc65220180a7', 'perdure', '{"task":"/do/1/j"}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 6, '2026-11-26 19:04:36.661386+00', 'io.serverlessworkflow.task.started.v1', 'b820d011-da70-875a-8a8c-cc65220180a7', 'perdure', '{"task":"/do/1/j"}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 7, '2026-11-26 19:04:36.661386+00', 'dev.perdure.job.opened', 'b820d011-da70-875a-8a8c-cc65220180a7', 'perdure', '{"type":"upgrade","priority":0,"task":"/do/1/j"}'),
	('01a2193e-d004-72ac-9e81-128b1eb95200', 1, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'perdure', '{"name":"timer-01a2193e-d004-72ac-9e81-128b1eb95200.upgrade","startedAt":"2026-11-26T19:04:36.649098Z","definition":{"namespace":"upgrade","name":"timer","version":"1.0.0"}}'),
	('01a2193e-d004-72ac-9e81-128b1eb95200', 2, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.created.v1', 'c5f2aa23-891e-8400-ac7e-c631a958eddd', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d004-72ac-9e81-128b1eb95200', 3, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.started.v1', 'c5f2aa23-891e-8400-ac7e-c631a958eddd', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d004-72ac-9e81-128b1eb95200', 4, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.completed.v1', 'c5f2aa23-891e-8400-ac7e-c631a958eddd', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d004-72ac-9e81-128b1eb95200', 5, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.created.v1', '0bfafe85-0b63-8544-ab03-ebc4889252b2', 'perdure', '{"task":"/do/1/w"}'),
	('01a2193e-d004-72ac-9e81-128b1eb95200', 6, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.started.v1', '0bfafe85-0b63-8544-ab03-ebc4889252b2', 'perdure', '{"task":"/do/1/w"}'),
	('01a2193e-d004-7709-8727-fafbaad35b60', 1, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'perdure', '{"name":"event-01a2193e-d004-7709-8727-fafbaad35b60.upgrade","startedAt":"2026-11-26T19:04:36.649098Z","definition":{"namespace":"upgrade","name":"event","version":"1.0.0"}}'),
	('01a2193e-d004-7709-8727-fafbaad35b60', 2, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.created.v1', '183c87b8-611c-8579-9ae1-ade3a4ec0e15', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d004-7709-8727-fafbaad35b60', 3, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.started.v1', '183c87b8-611c-8579-9ae1-ade3a4ec0e15', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d004-7709-8727-fafbaad35b60', 4, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.completed.v1', '183c87b8-611c-8579-9ae1-ade3a4ec0e15', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d004-7709-8727-fafbaad35b60', 5, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.created.v1', '368f0eaa-0160-88e1-9dd8-0ce5cc2b6f72', 'perdure', '{"task":"/do/1/l"}'),
	('01a2193e-d004-7709-8727-fafbaad35b60', 6, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.started.v1', '368f0eaa-0160-88e1-9dd8-0ce5cc2b6f72', 'perdure', '{"task":"/do/1/l"}'),
	('01a2193e-d004-7709-8727-fafbaad35b60', 7, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.workflow.correlation-started.v1', '368f0eaa-0160-88e1-9dd8-0ce5cc2b6f72', 'perdure', '{"name":"event-01a2193e-d004-7709-8727-fafbaad35b60.upgrade","startedAt":"2026-11-26T19:04:36.649098Z","task":"/do/1/l"}'),
	('01a2193e-d004-79e0-be92-38a35bffc10b', 1, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'perdure', '{"name":"timer-01a2193e-d004-79e0-be92-38a35bffc10b.upgrade","startedAt":"2026-11-26T19:04:36.649098Z","definition":{"namespace":"upgrade","name":"timer","version":"1.0.0"}}'),
	('01a2193e-d004-79e0-be92-38a35bffc10b', 2, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.created.v1', 'ececd506-3edf-8131-8a7c-a947c179a2a1', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d004-79e0-be92-38a35bffc10b', 3, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.started.v1', 'ececd506-3edf-8131-8a7c-a947c179a2a1', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d004-79e0-be92-38a35bffc10b', 4, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.completed.v1', 'ececd506-3edf-8131-8a7c-a947c179a2a1', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d004-79e0-be92-38a35bffc10b', 5, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.created.v1', '9e7a6098-0856-8b19-adc0-0fd9903e347a', 'perdure', '{"task":"/do/1/w"}'),
	('01a2193e-d004-79e0-be92-38a35bffc10b', 6, '2026-11-26 19:04:36.649098+00', 'io.serverlessworkflow.task.started.v1', '9e7a6098-0856-8b19-adc0-0fd9903e347a', 'perdure', '{"task":"/do/1/w"}'),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 8, '2026-11-26 19:04:36.740162+00', 'dev.perdure.human-task.claimed', '536c1e61-bd34-8fde-bb6a-1077e99305e3', 'ann', '{"by":"upgrade","task":"/do/1/h"}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 10, '2026-11-26 19:04:36.773285+00', 'io.serverlessworkflow.task.faulted.v1', 'b820d011-da70-875a-8a8c-cc65220180a7', 'perdure', '{"error":{"type":"https://serverlessworkflow.io/spec/1.0.0/errors/runtime","status":500,"title":"Runtime error","detail":"no","instance":"/do/1/j"},"task":"/do/1/j"}'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 11, '2026-11-26 19:04:36.773285+00', 'io.serverlessworkflow.workflow.faulted.v1', NULL, 'perdure', '{"name":"faulted-01a2193e-d032-7e61-b414-ed5242bdb54d.upgrade","faultedAt":"2026-11-26T19:04:36.773285Z","error":{"type":"https://serverlessworkflow.io/spec/1.0.0/errors/runtime","status":500,"title":"Runtime error","detail":"no","instance":"/do/1/j"}}'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 7, '2026-11-26 19:04:36.767551+00', 'io.serverlessworkflow.workflow.suspended.v1', NULL, 'upgrade', '{"name":"suspended-01a2193e-d029-79fe-a20d-c6ac525e263b.upgrade","suspendedAt":"2026-11-26T19:04:36.767551Z"}'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 8, '2026-11-26 19:04:36.767551+00', 'io.serverlessworkflow.task.suspended.v1', '0a9148cf-8195-8268-be76-15b0d65e4299', 'upgrade', '{"task":"/do/1/w"}'),
	('01a2193e-d0b7-7685-b830-fd477078c720', 1, '2026-11-26 19:04:36.793655+00', 'io.serverlessworkflow.workflow.started.v1', NULL, 'upgrade', '{"name":"call-01a2193e-d0b7-7685-b830-fd477078c720.upgrade","startedAt":"2026-11-26T19:04:36.793655Z","definition":{"namespace":"upgrade","name":"call","version":"1.0.0"}}'),
	('01a2193e-d0b7-7685-b830-fd477078c720', 2, '2026-11-26 19:04:36.793655+00', 'io.serverlessworkflow.task.created.v1', 'c04eb6fc-25a2-84f9-965d-552e95f3c305', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d0b7-7685-b830-fd477078c720', 3, '2026-11-26 19:04:36.793655+00', 'io.serverlessworkflow.task.started.v1', 'c04eb6fc-25a2-84f9-965d-552e95f3c305', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d0b7-7685-b830-fd477078c720', 4, '2026-11-26 19:04:36.793655+00', 'io.serverlessworkflow.task.completed.v1', 'c04eb6fc-25a2-84f9-965d-552e95f3c305', 'perdure', '{"task":"/do/0/begin"}'),
	('01a2193e-d0b7-7685-b830-fd477078c720', 5, '2026-11-26 19:04:36.793655+00', 'io.serverlessworkflow.task.created.v1', '8d7948b1-15ad-893a-85bc-ebfbf306979d', 'perdure', '{"task":"/do/1/c"}'),
	('01a2193e-d0b7-7685-b830-fd477078c720', 6, '2026-11-26 19:04:36.793655+00', 'io.serverlessworkflow.task.started.v1', '8d7948b1-15ad-893a-85bc-ebfbf306979d', 'perdure', '{"task":"/do/1/c"}'),
	('01a2193e-d0b7-7685-b830-fd477078c720', 7, '2026-11-26 19:04:36.793655+00', 'dev.perdure.call.requested', '8d7948b1-15ad-893a-85bc-ebfbf306979d', 'perdure', '{"function":"http","task":"/do/1/c"}');
INSERT INTO public.human_task VALUES
	('5cd082a2-dbca-877d-a67c-5f820f3f4ca9', 'default', '01a2193e-cfd3-754a-a855-57b8de57f142', 'Go on?', NULL, 'open', NULL, '{}', '{upgrade}', '{}', '{approved,rejected}', '\x6e756c6c', NULL, NULL, NULL, '2026-11-26 19:04:36.582999+00', NULL),
	('ac0008d0-fcb6-8c9a-a95e-aed2ecb95e7d', 'default', '01a2193e-d00c-7c17-a83f-1c24385685c1', 'Go on?', NULL, 'open', NULL, '{}', '{upgrade}', '{}', '{approved,rejected}', '\x6e756c6c', NULL, NULL, NULL, '2026-11-26 19:04:36.628286+00', NULL),
	('536c1e61-bd34-8fde-bb6a-1077e99305e3', 'default', '01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 'Go on?', NULL, 'claimed', 'ann', '{}', '{upgrade}', '{}', '{approved,rejected}', '\x6e756c6c', NULL, NULL, NULL, '2026-11-26 19:04:36.582999+00', NULL);
INSERT INTO public.inbox OVERRIDING SYSTEM VALUE VALUES
	(33, '6af95fb0-a97a-8b28-b85b-a18a984cd25c', '\x7b2274797065223a224576656e745265636569766564222c226163746976697479223a2233316133383930372d366437382d383263312d393366652d636266663834333466353463222c226576656e74223a7b227370656376657273696f6e223a22312e30222c226964223a226f746865722d68616c66222c22736f75726365223a2275726e3a74657374222c2274797065223a22757067726164652e68616c66222c2264617461223a7b226b223a226e6f6e65227d7d7d', '2026-11-26 19:04:36.802135+00', false),
	(34, '01a2193e-d0dc-7a9a-8f6c-79c5b4a5b5c5', '\x7b2274797065223a2250726f6365737353746172746564222c22696e707574223a7b226b223a226f776564222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d2c226163746f72223a2275706772616465227d', '2026-11-26 19:04:36.828688+00', false);
INSERT INTO public.job VALUES
	('b810e6e3-8359-87b5-8861-6e0b04342f02', 'default', '01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 'upgrade', 0, '\x31480ae46f7c5ae71772021a3536ef58b7', 1, 'leased', false, 1, 0, 1, 1, '2026-11-26 19:04:37.750103+00', '05850730-62a6-4a4a-a0e8-72b42a1615e0', 'upgrade', 'upgrade', NULL, NULL, '2026-11-26 19:04:36.588561+00'),
	('6b7cc8d5-0497-8007-97e0-3583d590f62e', 'default', '01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 'upgrade', 0, '\x31851ebef4373d254a8e0bdfcefde2f7c2', 1, 'available', false, 1, 0, 1, 1, NULL, 'c757c5c2-c083-4977-9178-4db0b320727f', 'upgrade', 'upgrade', NULL, '\xb7dc1009fc1b2bfbb2458e9e9f33f7196292024172bca237e7bb2b2911ebfa94', '2026-11-26 19:04:36.588561+00'),
	('eff19d89-aee2-8e32-82da-0b0c1a3f75e1', 'default', '01a2193e-d00c-7c17-a83f-1c24385685c1', 'upgrade', 0, '\x31c008d1ac5f67398f2aa65a350f67fde4', 1, 'available', false, 1, 0, 1, 1, NULL, '05522d6f-f885-4782-801e-e8c4e00e8eb5', 'upgrade', 'upgrade', NULL, '\xb7dc1009fc1b2bfbb2458e9e9f33f7196292024172bca237e7bb2b2911ebfa94', '2026-11-26 19:04:36.628286+00'),
	('b820d011-da70-875a-8a8c-cc65220180a7', 'default', '01a2193e-d032-7e61-b414-ed5242bdb54d', 'upgrade', 0, '\x3126c4eef6c853a547c1a9eaa003c3fd60', 1, 'failed', false, 1, 0, 1, 1, NULL, '4a8da60b-56fc-4c7a-8bb2-a918c8457400', 'upgrade', 'upgrade', NULL, '\xe69f34bc141649f0424e9e0b8500a95b01e34e9dc6995c962244549d497c6394', '2026-11-26 19:04:36.661386+00');
INSERT INTO public.message OVERRIDING SYSTEM VALUE VALUES
	(32, 'steps', '["01a2193e-d0dc-7a9a-8f6c-79c5b4a5b5c5"]', '2026-11-26 19:04:36.828992+00', 0, NULL);
INSERT INTO public.offer VALUES
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', '/do/1/l', 1),
	('6af95fb0-a97a-8b28-b85b-a18a984cd25c', '/schedule/on', 1),
	('6af95fb0-a97a-8b28-b85b-a18a984cd25c', '/schedule/on', 2);
INSERT INTO public.payload VALUES
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', '\xfcbe9bedfb35ee431b2293086f205869', '\x7b226b223a2274696d6572222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', '\x72ce1c679eb0b47c13df07205b55de40', '\x7b226b223a227265747279222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', '\xbc52fcee977d82ba043ddc7d8c15aba9', '\x7b226b223a226576656e74222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', '\x41e97b8559cbf8b2aed4fd284e82aef5', '\x7b226b223a226576656e7473222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', '\x0200e27da11bf47f6991de1807f543c0', '\x7b226b223a2263616c6c6261636b222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cfd3-754a-a855-57b8de57f142', '\xab61d377b044fbbba814042a55e617a0', '\x7b226b223a2268756d616e2d7461736b222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', '\x835419fd9d5f0ca4a3c298d64334da2a', '\x7b226b223a22636c61696d6564222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', '\x851ebef4373d254a8e0bdfcefde2f7c2', '\x7b226b223a226a6f62222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', '\x480ae46f7c5ae71772021a3536ef58b7', '\x7b226b223a226c6561736564222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', '\x7e743b4bee1f681ab0f5105f521e5839', '\x7b226b223a226368696c64222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', '\xb922e8a2c64c98852aab90bb87e4c7d9', '\x7b226b223a226d6170222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', '\xc008d1ac5f67398f2aa65a350f67fde4', '\x7b226b223a22666f726b222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', '\x0d545e6e36575b191846feeaca52f86f', '\x7b226b223a2266756e6374696f6e222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', '\x02e92851cc2f11ae22e99ce1e7a03f04', '\x7b226b223a2273757370656e646564222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', '\x26c4eef6c853a547c1a9eaa003c3fd60', '\x7b226b223a226661756c746564222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-d036-7493-a7aa-c5c3c55259b2', '\xe8f66551e4ce0fe0d8eb4cc9d9b69abc', '\x7b226b223a226c61746572222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', '\x30b0d22dcae46b777de2cc64090002d2', '\x7b226b223a226576656e7473222c226e223a367d'),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', '\x075192bb2cdbaaa99fea82f6c277f8e2', '\x7b226e223a367d'),
	('01a2193e-d0b7-7685-b830-fd477078c720', '\x53a720edfb7c33d322f04513ad2a8219', '\x7b226b223a2263616c6c222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d'),
	('01a2193e-d0dc-7a9a-8f6c-79c5b4a5b5c5', '\xd3a6d24787433558eb46d76febef57ba', '\x7b226b223a226f776564222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d');
INSERT INTO public.process VALUES
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', 'default', 'upgrade', 'timer', '1.0.0', 'waiting', 'timer', NULL, '\xe989be006d73e7bf74988ce0daf87d47f23d1b982e6b0323cd619faf210a43f2', '\x9201dc0013a777616974696e67a4626f6479c2c41131fcbe9bedfb35ee431b2293086f205869c41131fcbe9bedfb35ee431b2293086f205869c40e307b226b223a2274696d6572227dc0c0d7ff81c35c406b0882c4c0c000030100c09092dc00180801c4100712669f26d98308a8a970816693b42301ff9000c41131fcbe9bedfb35ee431b2293086f205869d7ff81c35c406b0882c401a772756e6e696e67c41131fcbe9bedfb35ee431b2293086f205869d7ff81c35c406b0882c400ff009000a47461736b019100c0c0c2dc00120002c410a0294ebe52fc84ef85cf2a19d96b2ec602019001c41131fcbe9bedfb35ee431b2293086f205869d7ff81c35c406b0882c401a777616974696e67c41131fcbe9bedfb35ee431b2293086f205869d7ff81c35c406b0882c400ff009194c410a886eb7bd1548133ac619e48b569e2fea477616974d7ff81c35c406b0882c7d7ff81c35c406b0882c40190', '\x31fcbe9bedfb35ee431b2293086f205869', NULL, NULL, '[{"activity":"a0294ebe-52fc-84ef-85cf-2a19d96b2ec6","reference":"/do/1/w","reason":"timer","since":"2026-11-26T19:04:36.544266Z","until":"2026-11-26T19:04:39.544266Z"}]', NULL, NULL, 6, NULL, '2026-11-26 19:04:36.531601+00', '2026-11-26 19:04:36.544266+00', NULL),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', 'default', 'upgrade', 'event', '1.0.0', 'waiting', 'event', NULL, '\x064e52b75778f1bd9c063b65a329de4fe08da251f731897139400449090f16d8', '\x9201dc0013a777616974696e67a4626f6479c2c41131bc52fcee977d82ba043ddc7d8c15aba9c41131bc52fcee977d82ba043ddc7d8c15aba9c40e307b226b223a226576656e74227dc0c0d7ff8aff6f606b0882c4c0c000020100c09091dc001a0701c4108aac1a67e5978cf3bfd44b8d7780169101ff9000c41131bc52fcee977d82ba043ddc7d8c15aba9d7ff8aff6f606b0882c401a777616974696e67c41131bc52fcee977d82ba043ddc7d8c15aba9d7ff8aff6f606b0882c400ff009000c30000c281a5746f302f6bc40830226576656e742280909090', '\x31bc52fcee977d82ba043ddc7d8c15aba9', NULL, NULL, '[{"activity":"8aac1a67-e597-8cf3-bfd4-4b8d77801691","reference":"/do/1/l","reason":"event","since":"2026-11-26T19:04:36.582999Z"}]', NULL, NULL, 7, NULL, '2026-11-26 19:04:36.550918+00', '2026-11-26 19:04:36.582999+00', NULL),
	('01a2193e-cfcf-712b-93e4-eb872e5cf115', 'default', 'upgrade', 'callback', '1.0.0', 'waiting', 'callback', NULL, '\xcaa52bb87358fc08c41065a9b5891b49ddca6e064e5ff1a8d9b0b058b98e86a5', '\x9201dc0013a777616974696e67a4626f6479c2c411310200e27da11bf47f6991de1807f543c0c411310200e27da11bf47f6991de1807f543c0c411307b226b223a2263616c6c6261636b227dc0c0d7ff8aff6f606b0882c4c0c000020100c09091dc00170501c41022a33117d7c987d1b62c6ea4c16a95f901ff9000c411310200e27da11bf47f6991de1807f543c0d7ff8aff6f606b0882c401a777616974696e67c411310200e27da11bf47f6991de1807f543c0d7ff8aff6f606b0882c400ff009000c2c2c390c290', '\x310200e27da11bf47f6991de1807f543c0', NULL, NULL, '[{"activity":"22a33117-d7c9-87d1-b62c-6ea4c16a95f9","reference":"/do/1/c","reason":"callback","since":"2026-11-26T19:04:36.582999Z"}]', NULL, NULL, 7, NULL, '2026-11-26 19:04:36.560119+00', '2026-11-26 19:04:36.582999+00', NULL),
	('01a2193e-cfd3-754a-a855-57b8de57f142', 'default', 'upgrade', 'human-task', '1.0.0', 'waiting', 'human-task', NULL, '\x524aa1fc5add56001e3ba96e54937d0275528bbc92aa1366eaa239a29bba5553', '\x9201dc0013a777616974696e67a4626f6479c2c41131ab61d377b044fbbba814042a55e617a0c41131ab61d377b044fbbba814042a55e617a0c413307b226b223a2268756d616e2d7461736b227dc0c0d7ff8aff6f606b0882c4c0c000020100c09091dc00170501c4105cd082a2dbca877da67c5f820f3f4ca901ff9000c41131ab61d377b044fbbba814042a55e617a0d7ff8aff6f606b0882c401a777616974696e67c41131ab61d377b044fbbba814042a55e617a0d7ff8aff6f606b0882c400ff009000c2c3c290c290', '\x31ab61d377b044fbbba814042a55e617a0', NULL, NULL, '[{"activity":"5cd082a2-dbca-877d-a67c-5f820f3f4ca9","reference":"/do/1/h","reason":"human-task","since":"2026-11-26T19:04:36.582999Z"}]', NULL, NULL, 7, NULL, '2026-11-26 19:04:36.56384+00', '2026-11-26 19:04:36.582999+00', NULL),
	('01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 'default', 'upgrade', 'child', '1.0.0', 'waiting', 'child', NULL, '\x6cbe2f014d60519e719ef8e616743be7be027e4dc758beac86377a11d51ab0f8', '\x9201dc0013a777616974696e67a4626f6479c2c411317e743b4bee1f681ab0f5105f521e5839c411317e743b4bee1f681ab0f5105f521e5839c40e307b226b223a226368696c64227dc0c0d7ff9224e7206b0882c4c0c000020100c09091dc00130601c410b4df476952ec8a21867b1988054f235801ff9000c411317e743b4bee1f681ab0f5105f521e5839d7ff9224e7206b0882c401a777616974696e67c411317e743b4bee1f681ab0f5105f521e5839d7ff9224e7206b0882c400ff009000c41001a2193ed00477098727fafbaad35b6090', '\x317e743b4bee1f681ab0f5105f521e5839', NULL, NULL, '[{"activity":"b4df4769-52ec-8a21-867b-1988054f2358","reference":"/do/1/r","reason":"child","since":"2026-11-26T19:04:36.612973Z"}]', NULL, NULL, 7, NULL, '2026-11-26 19:04:36.592329+00', '2026-11-26 19:04:36.612973+00', NULL),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 'default', 'upgrade', 'retry', '1.0.0', 'waiting', 'retry', NULL, '\x9d3d83e71a5acab94ab6fc7c6aed40c9707933f35bff71fd2a82ab073a95475e', '\x9201dc0013a777616974696e67a4626f6479c2c4113172ce1c679eb0b47c13df07205b55de40c4113172ce1c679eb0b47c13df07205b55de40c40e307b226b223a227265747279227dc0c0d7ff82c81a406b0882c4c0c000030100c09091dc00180401c4103cfd0d16151a85ec9fd3d6a9b120958e01ff9000c4113172ce1c679eb0b47c13df07205b55de40d7ff82c81a406b0882c401a777616974696e67c4113172ce1c679eb0b47c13df07205b55de40d7ff82c81a406b0882c400ff009194c410ac7feb9783168dad8eb2e00e9b35c587a57265747279d7ff95919ca06b0882c7d7ff95919ca06b0882c401a5726574727985a474797065d93d68747470733a2f2f7365727665726c657373776f726b666c6f772e696f2f737065632f312e302e302f6572726f72732f636f6d6d756e69636174696f6ea6737461747573cd01f7a57469746c65b35365727669636520556e617661696c61626c65a664657461696cd964504f535420687474703a2f2f3132372e302e302e313a31393131352f666c616b792f312077617320616e737765726564207769746820353033205365727669636520556e617661696c61626c653a207b22726561736f6e223a20226e6f74206e6f77227da8696e7374616e6365af2f646f2f312f742f7472792f302f6301d7ff82c81a406b0882c48102018090', '\x3172ce1c679eb0b47c13df07205b55de40', NULL, NULL, '[{"activity":"3cfd0d16-151a-85ec-9fd3-d6a9b120958e","reference":"/do/1/t","reason":"retry","since":"2026-11-26T19:04:36.627337Z","until":"2026-11-26T19:04:39.627337Z"}]', NULL, NULL, 11, NULL, '2026-11-26 19:04:36.539588+00', '2026-11-26 19:04:36.548538+00', NULL),
	('01a2193e-cfdc-7489-a5c9-3a9cdf6aec23', 'default', 'upgrade', 'claimed', '1.0.0', 'waiting', 'claimed', NULL, '\x500263aa579cc3c9c606f32acf0fdd9c60ba4987d419c103dd2bc3c52701ce29', '\x9201dc0013a777616974696e67a4626f6479c2c41131835419fd9d5f0ca4a3c298d64334da2ac41131835419fd9d5f0ca4a3c298d64334da2ac410307b226b223a22636c61696d6564227dc0c0d7ff8aff6f606b0882c4c0c000020100c09091dc00170501c410536c1e61bd348fdebb6a1077e99305e301ff9000c41131835419fd9d5f0ca4a3c298d64334da2ad7ff8aff6f606b0882c401a777616974696e67c41131835419fd9d5f0ca4a3c298d64334da2ad7ff8aff6f606b0882c400ff009000c2c3c290c290', '\x31835419fd9d5f0ca4a3c298d64334da2a', NULL, NULL, '[{"activity":"536c1e61-bd34-8fde-bb6a-1077e99305e3","reference":"/do/1/h","reason":"human-task","since":"2026-11-26T19:04:36.582999Z"}]', NULL, NULL, 8, NULL, '2026-11-26 19:04:36.572826+00', '2026-11-26 19:04:36.582999+00', NULL),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 'default', 'upgrade', 'events', '1.0.0', 'waiting', 'events', NULL, '\xeeeafb9fa0777e4247058a03c6fc296ff966f8c583a04a75ad994d3752261dfd', '\x9201dc0013a777616974696e67a4626f6479c2c4113141e97b8559cbf8b2aed4fd284e82aef5c4113141e97b8559cbf8b2aed4fd284e82aef5c40f307b226b223a226576656e7473227dc0c0d7ff8aff6f606b0882c4c0c000040100c09091dc001a0701c410a5b6820f2d308a298e9a6088eeba4a6e01ff9000c4113141e97b8559cbf8b2aed4fd284e82aef5d7ff8aff6f606b0882c401a777616974696e67c4113141e97b8559cbf8b2aed4fd284e82aef5d7ff8aff6f606b0882c400ff009000c30101c282a5746f302f6bc40930226576656e747322a5746f312f6bc40930226576656e7473228091009090', '\x3141e97b8559cbf8b2aed4fd284e82aef5', NULL, NULL, '[{"activity":"a5b6820f-2d30-8a29-8e9a-6088eeba4a6e","reference":"/do/1/l","reason":"event","since":"2026-11-26T19:04:36.582999Z"}]', NULL, NULL, 15, NULL, '2026-11-26 19:04:36.555475+00', '2026-11-26 19:04:36.582999+00', NULL),
	('01a2193e-cfe8-7f9c-a0b7-e4ea4f79951f', 'default', 'upgrade', 'leased', '1.0.0', 'waiting', 'leased', NULL, '\xac1d99272a61c1f1a1737e60cd89192a4fd90e65d2b474c1dd538f3ef0249c86', '\x9201dc0013a777616974696e67a4626f6479c2c41131480ae46f7c5ae71772021a3536ef58b7c41131480ae46f7c5ae71772021a3536ef58b7c40f307b226b223a226c6561736564227dc0c0d7ff8c52e9a06b0882c4c0c000020100c09091dc00170501c410b810e6e3835987b588616e0b04342f0201ff9000c41131480ae46f7c5ae71772021a3536ef58b7d7ff8c52e9a06b0882c401a777616974696e67c41131480ae46f7c5ae71772021a3536ef58b7d7ff8c52e9a06b0882c400ff009000c2c2c290c390', '\x31480ae46f7c5ae71772021a3536ef58b7', NULL, NULL, '[{"activity":"b810e6e3-8359-87b5-8861-6e0b04342f02","reference":"/do/1/j","reason":"job","since":"2026-11-26T19:04:36.588561Z"}]', NULL, NULL, 8, NULL, '2026-11-26 19:04:36.584828+00', '2026-11-26 19:04:36.588561+00', NULL),
	('01a2193e-cfe0-7e1f-86b2-7b3b261fad32', 'default', 'upgrade', 'job', '1.0.0', 'waiting', 'job', NULL, '\x08c1688c4afca7c4e984b1f65145e018da93bda2bf79d2e9cc4b69b701432141', '\x9201dc0013a777616974696e67a4626f6479c2c41131851ebef4373d254a8e0bdfcefde2f7c2c41131851ebef4373d254a8e0bdfcefde2f7c2c40c307b226b223a226a6f62227dc0c0d7ff8c52e9a06b0882c4c0c000020100c09091dc00170501c4106b7cc8d50497800797e03583d590f62e01ff9000c41131851ebef4373d254a8e0bdfcefde2f7c2d7ff8c52e9a06b0882c401a777616974696e67c41131851ebef4373d254a8e0bdfcefde2f7c2d7ff8c52e9a06b0882c400ff009000c2c2c290c390', '\x31851ebef4373d254a8e0bdfcefde2f7c2', NULL, NULL, '[{"activity":"6b7cc8d5-0497-8007-97e0-3583d590f62e","reference":"/do/1/j","reason":"job","since":"2026-11-26T19:04:36.588561Z"}]', NULL, NULL, 9, NULL, '2026-11-26 19:04:36.578495+00', '2026-11-26 19:04:36.588561+00', NULL),
	('01a2193e-cffe-7fa3-bdef-6159e0f73f46', 'default', 'upgrade', 'map', '1.0.0', 'waiting', 'map', NULL, '\xf4aefa2314babb517063696f6361c5ba060b292f8642724ed8af5e3ce98d0444', '\x9201dc0013a777616974696e67a4626f6479c2c41131b922e8a2c64c98852aab90bb87e4c7d9c41131b922e8a2c64c98852aab90bb87e4c7d9c40c307b226b223a226d6170227dc0c0d7ff9224e7206b0882c4c0c000020100c09091dc001d0b01c410d974db33de0c81828d395c67093ed7f101ff9000c41131b922e8a2c64c98852aab90bb87e4c7d9d7ff9224e7206b0882c401a777616974696e67c41131b922e8a2c64c98852aab90bb87e4c7d9d7ff9224e7206b0882c400ff0090000203c41a305b7b226b223a307d2c7b226b223a317d2c7b226b223a327d5d00000382c41001a2193ed00479e0be9238a35bffc10b00c41001a2193ed00472ac9e81128b1eb95200010002c293a775706772616465a574696d6572a5312e302e3090', '\x31b922e8a2c64c98852aab90bb87e4c7d9', NULL, NULL, '[{"activity":"d974db33-de0c-8182-8d39-5c67093ed7f1","reference":"/do/1/m","reason":"child","since":"2026-11-26T19:04:36.612973Z"}]', NULL, NULL, 8, NULL, '2026-11-26 19:04:36.607005+00', '2026-11-26 19:04:36.612973+00', NULL),
	('01a2193e-d017-72c8-9eae-99c97224ef53', 'default', 'upgrade', 'function', '1.0.0', 'waiting', 'function', NULL, '\xb4a0fe213948c2f2e3dce325da56c1c8ba0faf78367b778963601bdd2b320b27', '\x9201dc0013a777616974696e67a4626f6479c2c411310d545e6e36575b191846feeaca52f86fc411310d545e6e36575b191846feeaca52f86fc411307b226b223a2266756e6374696f6e227dc0c0d7ff9bab9fa06b0882c4c0c000040100c09093dc00120001c41024c3242ccf398f0a972d7cc37f7caab201ff9000c411310d545e6e36575b191846feeaca52f86fd7ff9bab9fa06b0882c401a772756e6e696e67c411310d545e6e36575b191846feeaca52f86fd7ff9bab9fa06b0882c400ff009000dc00120002c4102206dfb8c71883b39a9d092890845cda03019001c409307b226e223a32317dd7ff9bab9fa06b0882c401a772756e6e696e67c409307b226e223a32317dd7ff9bab9fa06b0882c400ff009000dc00120003c410c28881f4d9098fd6bb744d53965fa94804029002c409307b226e223a32317dd7ff9bab9fa06b0882c401a777616974696e67c409307b226e223a32317dd7ff9bab9fa06b0882c400ff009194c41067ca0bcfde4a8fcd849717d4350ececba477616974d7ff9bab9fa06b0882c7d7ff9bab9fa06b0882c40190', '\x310d545e6e36575b191846feeaca52f86f', NULL, NULL, '[{"activity":"c28881f4-d909-8fd6-bb74-4d53965fa948","reference":"/use/functions/doubled:1.0.0@default/do/0/w","reason":"timer","since":"2026-11-26T19:04:36.652929Z","until":"2026-11-26T19:04:39.652929Z"}]', NULL, NULL, 10, NULL, '2026-11-26 19:04:36.632213+00', '2026-11-26 19:04:36.652929+00', NULL),
	('01a2193e-d004-7709-8727-fafbaad35b60', 'default', 'upgrade', 'event', '1.0.0', 'waiting', NULL, NULL, '\xdfd95315b78d32caf0f39142203ab96b308d0cc9b76e1df9f8c7d5e04c25bb25', '\x9201dc0013a777616974696e67a4626f6479c2c40e307b226b223a226368696c64227dc40e307b226b223a226368696c64227dc40e307b226b223a226368696c64227dc0c0d7ff9ac1cc406b0882c4c0c000020100c09091dc001a0701c410368f0eaa016088e19dd80ce5cc2b6f7201ff9000c40e307b226b223a226368696c64227dd7ff9ac1cc406b0882c401a777616974696e67c40e307b226b223a226368696c64227dd7ff9ac1cc406b0882c400ff009000c30000c281a5746f302f6bc40830226368696c642280909090', '\x307b226b223a226368696c64227d', NULL, NULL, '[{"activity":"368f0eaa-0160-88e1-9dd8-0ce5cc2b6f72","reference":"/do/1/l","reason":"event","since":"2026-11-26T19:04:36.649098Z"}]', '01a2193e-cff0-7792-a9ce-5e2f3d3c9e5c', 'b4df4769-52ec-8a21-867b-1988054f2358', 7, NULL, '2026-11-26 19:04:36.626162+00', '2026-11-26 19:04:36.649098+00', NULL),
	('01a2193e-d004-79e0-be92-38a35bffc10b', 'default', 'upgrade', 'timer', '1.0.0', 'waiting', NULL, NULL, '\x388d901924ae80f029985b1cb3f1d9afdf1a284515ccdc1fe32ecd2072675635', '\x9201dc0013a777616974696e67a4626f6479c2c408307b226b223a307dc408307b226b223a307dc408307b226b223a307dc0c0d7ff9ac1cc406b0882c4c0c000030100c09092dc00180801c4100be82ce5c12289bab99a26c2954fcd2901ff9000c408307b226b223a307dd7ff9ac1cc406b0882c401a772756e6e696e67c408307b226b223a307dd7ff9ac1cc406b0882c400ff009000a47461736b019100c0c0c2dc00120002c4109e7a609808568b19adc00fd9903e347a02019001c408307b226b223a307dd7ff9ac1cc406b0882c401a777616974696e67c408307b226b223a307dd7ff9ac1cc406b0882c400ff009194c410af9d764b7420856abf7f02633a5119c5a477616974d7ff9ac1cc406b0882c7d7ff9ac1cc406b0882c40190', '\x307b226b223a307d', NULL, NULL, '[{"activity":"9e7a6098-0856-8b19-adc0-0fd9903e347a","reference":"/do/1/w","reason":"timer","since":"2026-11-26T19:04:36.649098Z","until":"2026-11-26T19:04:39.649098Z"}]', '01a2193e-cffe-7fa3-bdef-6159e0f73f46', 'd974db33-de0c-8182-8d39-5c67093ed7f1', 6, NULL, '2026-11-26 19:04:36.626248+00', '2026-11-26 19:04:36.649098+00', NULL),
	('01a2193e-d004-72ac-9e81-128b1eb95200', 'default', 'upgrade', 'timer', '1.0.0', 'waiting', NULL, NULL, '\x08c18d6e9f0fb9bc2ff6ad3b44a63390a36f8e41d2441d8e10b941a7c67e4025', '\x9201dc0013a777616974696e67a4626f6479c2c408307b226b223a317dc408307b226b223a317dc408307b226b223a317dc0c0d7ff9ac1cc406b0882c4c0c000030100c09092dc00180801c41072a635aae26e84b5816545f22de8f49901ff9000c408307b226b223a317dd7ff9ac1cc406b0882c401a772756e6e696e67c408307b226b223a317dd7ff9ac1cc406b0882c400ff009000a47461736b019100c0c0c2dc00120002c4100bfafe850b638544ab03ebc4889252b202019001c408307b226b223a317dd7ff9ac1cc406b0882c401a777616974696e67c408307b226b223a317dd7ff9ac1cc406b0882c400ff009194c410bb6e089314ac8c21af973cd79fb48176a477616974d7ff9ac1cc406b0882c7d7ff9ac1cc406b0882c40190', '\x307b226b223a317d', NULL, NULL, '[{"activity":"0bfafe85-0b63-8544-ab03-ebc4889252b2","reference":"/do/1/w","reason":"timer","since":"2026-11-26T19:04:36.649098Z","until":"2026-11-26T19:04:39.649098Z"}]', '01a2193e-cffe-7fa3-bdef-6159e0f73f46', 'd974db33-de0c-8182-8d39-5c67093ed7f1', 6, NULL, '2026-11-26 19:04:36.626257+00', '2026-11-26 19:04:36.649098+00', NULL),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 'default', 'upgrade', 'suspended', '1.0.0', 'suspended', 'suspended', NULL, '\x578480cc00765e7e555792b5be8fac250f42cc42cbe266d2b2e349ba7bf605a8', '\x9201dc0013a973757370656e646564a4626f6479c3c4113102e92851cc2f11ae22e99ce1e7a03f04c4113102e92851cc2f11ae22e99ce1e7a03f04c412307b226b223a2273757370656e646564227dc0c0d7ff9dafcc406b0882c4c0c000020100c09091dc00120001c4100a9148cf81958268be7615b0d65e429901ff9000c4113102e92851cc2f11ae22e99ce1e7a03f04d7ff9dafcc406b0882c401a777616974696e67c4113102e92851cc2f11ae22e99ce1e7a03f04d7ff9dafcc406b0882c400ff009194c410e1ab9b0da3ae848f9dd7c6a5c48a36c7a477616974d7ff9dafcc406b0882c7d7ff9dafcc406b0882c40190', '\x3102e92851cc2f11ae22e99ce1e7a03f04', NULL, NULL, '[{"activity":"0a9148cf-8195-8268-be76-15b0d65e4299","reference":"/do/1/w","reason":"timer","since":"2026-11-26T19:04:36.661386Z","until":"2026-11-26T19:04:39.661386Z"}]', NULL, NULL, 8, NULL, '2026-11-26 19:04:36.652514+00', '2026-11-26 19:04:36.661386+00', NULL),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', 'default', 'upgrade', 'fork', '1.0.0', 'waiting', 'fork', NULL, '\xbedf0869e438af6ec52220c40eb8bccc2beb3f95a5cd297a7a420611dcec5731', '\x9201dc0013a777616974696e67a4626f6479c2c41131c008d1ac5f67398f2aa65a350f67fde4c41131c008d1ac5f67398f2aa65a350f67fde4c40d307b226b223a22666f726b227dc0c0d7ff95cb88c06b0882c4c0c000070100c09096dc00140301c4105a0b2c1818fa86db9f4c959728bca4f501ff9000c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c401a772756e6e696e67c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c400ff00900093c0c0c003dc00180202c410d429f92a329e82cfa4d73bc7b61e09c902019001c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c401a772756e6e696e67c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c400ff0090000002c406305b312c325d000002dc00170503c410ac0008d0fcb68c9aa95eaed2ecb95e7d05019001c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c401a777616974696e67c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c400ff009000c2c3c290c2dc00180404c4104180787561968357bfc67c882924c0ce06019001c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c401a772756e6e696e67c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c400ff009000a3747279c000d7ff95cb88c06b0882c48080dc001a0705c41003b0b76c3f37805883e86e5c3d9d57a80302910002c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c401a777616974696e67c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c400ff009000c30000c281a5746f302f6bc4073022666f726b22809090dc00170506c410eff19d89aee28e3282da0b0c1a3f75e107049002c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c401a777616974696e67c41131c008d1ac5f67398f2aa65a350f67fde4d7ff95cb88c06b0882c400ff009000c2c2c290c390', '\x31c008d1ac5f67398f2aa65a350f67fde4', NULL, NULL, '[{"activity":"ac0008d0-fcb6-8c9a-a95e-aed2ecb95e7d","reference":"/do/1/f/fork/branches/1/b","reason":"human-task","since":"2026-11-26T19:04:36.628286Z"},{"activity":"03b0b76c-3f37-8058-83e8-6e5c3d9d57a8","reference":"/do/1/f/fork/branches/0/a/do/0/l","reason":"event","since":"2026-11-26T19:04:36.628286Z"},{"activity":"eff19d89-aee2-8e32-82da-0b0c1a3f75e1","reference":"/do/1/f/fork/branches/2/c/try/0/j","reason":"job","since":"2026-11-26T19:04:36.628286Z"}]', NULL, NULL, 21, NULL, '2026-11-26 19:04:36.621057+00', '2026-11-26 19:04:36.628286+00', NULL),
	('01a2193e-d032-7e61-b414-ed5242bdb54d', 'default', 'upgrade', 'faulted', '1.0.0', 'faulted', 'faulted', NULL, '\x2b6e0f357fee6e013e0e14f2e4260d3c88e51631d44c735b8c0a1f214cecbf44', '\x9201dc0013a76661756c746564a4626f6479c2c4113126c4eef6c853a547c1a9eaa003c3fd60c4113126c4eef6c853a547c1a9eaa003c3fd60c410307b226b223a226661756c746564227dc085a474797065d93768747470733a2f2f7365727665726c657373776f726b666c6f772e696f2f737065632f312e302e302f6572726f72732f72756e74696d65a6737461747573cd01f4a57469746c65ad52756e74696d65206572726f72a664657461696ca26e6fa8696e7374616e6365a72f646f2f312f6ad7ff9dafcc406b0882c4d7ffb85d92206b0882c4c000020100019091dc00170501c410b820d011da70875a8a8ccc65220180a701ff9000c4113126c4eef6c853a547c1a9eaa003c3fd60d7ff9dafcc406b0882c401a76661756c746564c4113126c4eef6c853a547c1a9eaa003c3fd60d7ff9dafcc406b0882c400ff009000c2c2c290c290', '\x3126c4eef6c853a547c1a9eaa003c3fd60', NULL, '{"type":"https://serverlessworkflow.io/spec/1.0.0/errors/runtime","status":500,"title":"Runtime error","detail":"no","instance":"/do/1/j"}', NULL, NULL, NULL, 11, NULL, '2026-11-26 19:04:36.658781+00', '2026-11-26 19:04:36.661386+00', '2026-11-26 19:04:36.773285+00'),
	('01a2193e-d036-7493-a7aa-c5c3c55259b2', 'default', 'upgrade', 'later', '1.0.0', 'pending', 'later', NULL, '\xdd91d0472e5ae16b17d2342bd5d7a74652e54132821c3a2dfdb8bd4d6eb68be9', NULL, '\x31e8f66551e4ce0fe0d8eb4cc9d9b69abc', NULL, NULL, '[{"activity" : "01a2193e-d036-7493-a7aa-c5c3c55259b2", "reference" : "/", "reason" : "timer", "since" : "2026-11-26T19:04:36.662446+00:00", "until" : "2026-11-26T19:04:56.529933+00:00"}]', NULL, NULL, 0, NULL, '2026-11-26 19:04:36.662446+00', NULL, NULL),
	('01a2193e-d0b7-7685-b830-fd477078c720', 'default', 'upgrade', 'call', '1.0.0', 'running', 'call', NULL, '\x01a949eeb6f640b259fbacd7ccb7fa00e321687f9ddeb976be56f0b1974692e1', '\x9201dc0013a772756e6e696e67a4626f6479c2c4113153a720edfb7c33d322f04513ad2a8219c4113153a720edfb7c33d322f04513ad2a8219c40d307b226b223a2263616c6c227dc0c0d7ffbd38db606b0882c4c0c000020100c09091dc00170501c4108d7948b115ad893a85bcebfbf306979d01ff9000c4113153a720edfb7c33d322f04513ad2a8219d7ffbd38db606b0882c401a772756e6e696e67c4113153a720edfb7c33d322f04513ad2a8219d7ffbd38db606b0882c400ff009000c3c2c290c290', '\x3153a720edfb7c33d322f04513ad2a8219', NULL, NULL, '[{"activity":"8d7948b1-15ad-893a-85bc-ebfbf306979d","reference":"/do/1/c","reason":"call","since":"2026-11-26T19:04:36.793655Z"}]', NULL, NULL, 7, NULL, '2026-11-26 19:04:36.791504+00', '2026-11-26 19:04:36.793655+00', NULL),
	('01a2193e-d0dc-7a9a-8f6c-79c5b4a5b5c5', 'default', 'upgrade', 'owed', '1.0.0', 'pending', 'owed', NULL, '\x4e51bd9ab5c8404fc67c6404433f40748f97c0924392879dbfe946acafbbe478', NULL, '\x31d3a6d24787433558eb46d76febef57ba', NULL, NULL, NULL, NULL, NULL, 0, NULL, '2026-11-26 19:04:36.828472+00', NULL, NULL);
INSERT INTO public.schedule VALUES
	('e39e7ad1-b840-8ab4-ba39-b39821293d1f', 'default', 'upgrade', 'every', '1.0.0', 'every', '{"seconds":20}', 'UTC', 'allow', 'latest', '2026-11-26 19:04:36.516031+00', 0, 0, '2026-11-26 19:04:56.516031+00', NULL, NULL, false, 0),
	('6af95fb0-a97a-8b28-b85b-a18a984cd25c', 'default', 'upgrade', 'on', '1.0.0', 'on', '{"all":[{"with":{"type":"upgrade.half"}},{"with":{"type":"upgrade.go"}}]}', 'UTC', 'allow', 'latest', '2026-11-26 19:04:36.520129+00', 0, 0, NULL, NULL, NULL, false, 0);
INSERT INTO public.schedule_set OVERRIDING SYSTEM VALUE VALUES
	(1, '6af95fb0-a97a-8b28-b85b-a18a984cd25c', '\x', '\x9201dc0013a777616974696e67a4626f6479c2c403307b7dc403307b7dc403307b7dc0c0d7ffa1cdc0c06b0882c4c0c000010100c09091dc001a0700c41031a389076d7882c193fecbff8434f54c00ff9000c403307b7dd7ffa1cdc0c06b0882c401a777616974696e67c403307b7dd7ffa1cdc0c06b0882c400ff009000c30101c2808091009090', '\x81c41045dcf597038055dcdfcb8a5c280e5117c4677b227370656376657273696f6e223a22312e30222c226964223a2268616c66222c22736f75726365223a2275726e3a74657374222c2274797065223a22757067726164652e68616c66222c2264617461223a7b226b223a226576656e7473222c226e223a367d7d', '2026-11-26 19:04:36.685977+00');
INSERT INTO public.schema_migration VALUES
	(1, '0001_core.sql', '0897c9e35233126eae282eb269299dbd2588a39e6cd07ac3c1f5116e77e13a4c', '2026-11-26 19:04:33.807675+00', 0),
	(2, '0002_broker.sql', 'b82a0e922656501ce6c5ab3764ad87e9e3780bcd26e9346ae6d1edfc8e279870', '2026-11-26 19:04:33.840232+00', 0),
	(3, '0003_coordination.sql', 'fce02e4d2f58f2c5550d2c5460a7636a36cd62a87e74297b5bc8fd19b3608d1b', '2026-11-26 19:04:33.845328+00', 0),
	(4, '0004_functions.sql', 'dfb6e0672f2e5932dac98b0af05adfd1c14f4371592a5f01a2a58aad68ad9451', '2026-11-26 19:04:33.848197+00', 0),
	(5, '0005_jobs.sql', 'fac3f85ea972ef44b1f2266fcfd45ea562829901c9987be19a4efe0bd3fccd8f', '2026-11-26 19:04:33.851977+00', 0),
	(6, '0006_detached_calls.sql', '28430a81ba1f980a90b257a9de9adef990f05dbd0fcfc5db7f7a9521484dd74d', '2026-11-26 19:04:33.855321+00', 0),
	(7, '0007_schedules.sql', 'f5a1598381b1a93fda8b8b25f1f5fb97499e230ed090a28ca3bff535f047d6da', '2026-11-26 19:04:33.856096+00', 0),
	(8, '0008_lifecycle_webhooks.sql', '5f7bfbbed4f59c7195ffeee7ce1ec294e50558e46004a91a9d37670639b5466b', '2026-11-26 19:04:33.864895+00', 0),
	(9, '0009_call_limits.sql', '722bdde1e8fb796cccf87c37e748831ee1a950fbd5b58832db800fbe2feeffd4', '2026-11-26 19:04:33.87262+00', 0),
	(10, '0010_unfinished_events.sql', '5f7343a30a8f4132a2673f8ed5ad03b2189e6396f9cbfc92480ae7c8e933c428', '2026-11-26 19:04:33.878233+00', 0),
	(11, '0011_liveness.sql', '6593741af1b4c1aee88928416621113e9258494d27bdf593a24e3945b3f50666', '2026-11-26 19:04:33.879679+00', 0);
INSERT INTO public.subscription VALUES
	('6af95fb0-a97a-8b28-b85b-a18a984cd25c', '31a38907-6d78-82c1-93fe-cbff8434f54c', 0, 'default', '/schedule/on', 'upgrade.half', NULL, NULL, '2026-11-26 19:04:36.520129+00', false),
	('6af95fb0-a97a-8b28-b85b-a18a984cd25c', '31a38907-6d78-82c1-93fe-cbff8434f54c', 1, 'default', '/schedule/on', 'upgrade.go', NULL, NULL, '2026-11-26 19:04:36.520129+00', false),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 'a5b6820f-2d30-8a29-8e9a-6088eeba4a6e', 1, 'default', '/do/1/l', 'upgrade.go', '\x03e8edefdb7be1a82c31ffe16d18339e', '\x8105621f88556ea18b5c3a816c393389', '2026-11-26 19:04:36.582999+00', false),
	('01a2193e-cfc6-79ca-9993-553c06de1a28', '8aac1a67-e597-8cf3-bfd4-4b8d77801691', 0, 'default', '/do/1/l', 'upgrade.go', '\x03e8edefdb7be1a82c31ffe16d18339e', '\xde9c37dbb0c9f82f49cc9a49323d636d', '2026-11-26 19:04:36.582999+00', false),
	('01a2193e-cfcb-7e6e-b4b1-f3ec39920553', 'a5b6820f-2d30-8a29-8e9a-6088eeba4a6e', 0, 'default', '/do/1/l', 'upgrade.half', '\x03e8edefdb7be1a82c31ffe16d18339e', '\x8105621f88556ea18b5c3a816c393389', '2026-11-26 19:04:36.582999+00', false),
	('01a2193e-d00c-7c17-a83f-1c24385685c1', '03b0b76c-3f37-8058-83e8-6e5c3d9d57a8', 0, 'default', '/do/1/f/fork/branches/0/a/do/0/l', 'upgrade.go', '\x03e8edefdb7be1a82c31ffe16d18339e', '\x64abe63ae850fc871629a0d1d189f8d4', '2026-11-26 19:04:36.628286+00', false),
	('01a2193e-d004-7709-8727-fafbaad35b60', '368f0eaa-0160-88e1-9dd8-0ce5cc2b6f72', 0, 'default', '/do/1/l', 'upgrade.go', '\x03e8edefdb7be1a82c31ffe16d18339e', '\x23a8ac59db31efb053c4358769c14a3a', '2026-11-26 19:04:36.649098+00', false);
INSERT INTO public.timer VALUES
	('01a2193e-cfb3-78cf-84a5-39af2c57b8ea', 'a886eb7b-d154-8133-ac61-9e48b569e2fe', '2026-11-26 19:04:39.544266+00', 'wait', '\x7b2274797065223a2254696d65724669726564222c2274696d6572223a2261383836656237622d643135342d383133332d616336312d396534386235363965326665227d'),
	('01a2193e-cfbb-75fc-89c4-c03a8b8e3e45', 'ac7feb97-8316-8dad-8eb2-e00e9b35c587', '2026-11-26 19:04:39.627337+00', 'retry', '\x7b2274797065223a2254696d65724669726564222c2274696d6572223a2261633766656239372d383331362d386461642d386562322d653030653962333563353837227d'),
	('01a2193e-d017-72c8-9eae-99c97224ef53', '67ca0bcf-de4a-8fcd-8497-17d4350ececb', '2026-11-26 19:04:39.652929+00', 'wait', '\x7b2274797065223a2254696d65724669726564222c2274696d6572223a2236376361306263662d646534612d386663642d383439372d313764343335306563656362227d'),
	('01a2193e-d029-79fe-a20d-c6ac525e263b', 'e1ab9b0d-a3ae-848f-9dd7-c6a5c48a36c7', '2026-11-26 19:04:39.661386+00', 'wait', '\x7b2274797065223a2254696d65724669726564222c2274696d6572223a2265316162396230642d613361652d383438662d396464372d633661356334386133366337227d'),
	('01a2193e-d036-7493-a7aa-c5c3c55259b2', '01a2193e-d036-7493-a7aa-c5c3c55259b2', '2026-11-26 19:04:56.529933+00', 'start', '\x7b2274797065223a2250726f6365737353746172746564222c22696e707574223a7b226b223a226c61746572222c22706164223a2278787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878227d2c226163746f72223a2275706772616465227d'),
	('01a2193e-d004-72ac-9e81-128b1eb95200', 'bb6e0893-14ac-8c21-af97-3cd79fb48176', '2026-11-26 19:04:39.649098+00', 'wait', '\x7b2274797065223a2254696d65724669726564222c2274696d6572223a2262623665303839332d313461632d386332312d616639372d336364373966623438313736227d'),
	('01a2193e-d004-79e0-be92-38a35bffc10b', 'af9d764b-7420-856a-bf7f-02633a5119c5', '2026-11-26 19:04:39.649098+00', 'wait', '\x7b2274797065223a2254696d65724669726564222c2274696d6572223a2261663964373634622d373432302d383536612d626637662d303236333361353131396335227d');
SELECT pg_catalog.setval('public.event_id_seq', 2, true);
SELECT pg_catalog.setval('public.inbox_id_seq', 34, true);
SELECT pg_catalog.setval('public.lifecycle_id_seq', 1, false);
SELECT pg_catalog.setval('public.message_id_seq', 32, true);
SELECT pg_catalog.setval('public.message_session', 2, true);
SELECT pg_catalog.setval('public.schedule_audit_id_seq', 1, false);
SELECT pg_catalog.setval('public.schedule_set_id_seq', 1, true);
ALTER TABLE ONLY public.activity
    ADD CONSTRAINT activity_pkey PRIMARY KEY (process, number);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.call
    ADD CONSTRAINT call_pkey PRIMARY KEY (activity);
ALTER TABLE ONLY public.callback
    ADD CONSTRAINT callback_pkey PRIMARY KEY (token_digest);
ALTER TABLE ONLY public.coordination_limit
    ADD CONSTRAINT coordination_limit_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.coordination_lock
    ADD CONSTRAINT coordination_lock_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.coordination_permit
    ADD CONSTRAINT coordination_permit_pkey PRIMARY KEY (name, permit);
ALTER TABLE ONLY public.correlation_shape
    ADD CONSTRAINT correlation_shape_pkey PRIMARY KEY (tenant, shape);
ALTER TABLE ONLY public.definition
    ADD CONSTRAINT definition_pkey PRIMARY KEY (tenant, namespace, name, version);
ALTER TABLE ONLY public.definition_resource
    ADD CONSTRAINT definition_resource_pkey PRIMARY KEY (tenant, namespace, name, version, ordinal);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.function
    ADD CONSTRAINT function_pkey PRIMARY KEY (tenant, name, version);
ALTER TABLE ONLY public.history
    ADD CONSTRAINT history_pkey PRIMARY KEY (process, sequence);
ALTER TABLE ONLY public.human_task
    ADD CONSTRAINT human_task_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (tenant, key);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.lifecycle
    ADD CONSTRAINT lifecycle_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.message_dead
    ADD CONSTRAINT message_dead_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.offer
    ADD CONSTRAINT offer_pkey PRIMARY KEY (process, reference, event);
ALTER TABLE ONLY public.payload
    ADD CONSTRAINT payload_pkey PRIMARY KEY (process, key);
ALTER TABLE ONLY public.process
    ADD CONSTRAINT process_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schedule_audit
    ADD CONSTRAINT schedule_audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schedule
    ADD CONSTRAINT schedule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schedule_set
    ADD CONSTRAINT schedule_set_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schedule
    ADD CONSTRAINT schedule_tenant_namespace_name_kind_key UNIQUE (tenant, namespace, name, kind);
ALTER TABLE ONLY public.schedule_tick
    ADD CONSTRAINT schedule_tick_pkey PRIMARY KEY (schedule, at);
ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT subscription_pkey PRIMARY KEY (process, activity, ordinal);
ALTER TABLE ONLY public.timer
    ADD CONSTRAINT timer_pkey PRIMARY KEY (process, id);
ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX activity_once ON public.activity USING btree (process, id);
CREATE INDEX call_available ON public.call USING btree (lease_until);
CREATE INDEX call_of_process ON public.call USING btree (process);
CREATE INDEX callback_of_activity ON public.callback USING btree (activity);
CREATE INDEX callback_of_process ON public.callback USING btree (process);
CREATE INDEX definition_latest ON public.definition USING btree (tenant, namespace, name, version_order DESC);
CREATE INDEX event_by_age ON public.event USING btree (received_at);
CREATE INDEX event_by_type ON public.event USING btree (tenant, type, received_at);
CREATE UNIQUE INDEX event_once ON public.event USING btree (tenant, source, event_id);
CREATE INDEX event_unfinished_first ON public.event USING btree (routed, received_at) WHERE ((NOT routed) OR to_publish);
CREATE UNIQUE INDEX function_newest ON public.function USING btree (tenant, name, version_order DESC);
CREATE INDEX human_task_by_status ON public.human_task USING btree (tenant, status, created_at DESC, id DESC);
CREATE INDEX human_task_newest ON public.human_task USING btree (tenant, created_at DESC, id DESC);
CREATE INDEX human_task_of_process ON public.human_task USING btree (process);
CREATE INDEX idempotency_by_age ON public.idempotency USING btree (created_at);
CREATE INDEX idempotency_of_process ON public.idempotency USING btree (process);
CREATE INDEX inbox_of_process ON public.inbox USING btree (process, id);
CREATE INDEX inbox_oldest ON public.inbox USING btree (recorded_at);
CREATE INDEX job_available ON public.job USING btree (tenant, type, priority DESC, created_at, id) WHERE ((state = 'available'::text) AND (NOT held));
CREATE INDEX job_due ON public.job USING btree (due) WHERE (state = ANY (ARRAY['leased'::text, 'delayed'::text]));
CREATE INDEX job_of_process ON public.job USING btree (process);
CREATE INDEX lifecycle_deliver ON public.lifecycle USING btree (partition, id) WHERE deliver;
CREATE INDEX lifecycle_of_process ON public.lifecycle USING btree (process);
CREATE INDEX lifecycle_publish ON public.lifecycle USING btree (partition, id) WHERE publish;
CREATE INDEX message_claimed ON public.message USING btree (claimed_by) WHERE (claimed_by IS NOT NULL);
CREATE INDEX message_dead_queue ON public.message_dead USING btree (queue, id);
CREATE INDEX message_waiting ON public.message USING btree (queue, available_at) WHERE (claimed_by IS NULL);
CREATE INDEX offer_of_event ON public.offer USING btree (event);
CREATE INDEX process_by_definition ON public.process USING btree (tenant, namespace, name, created_at DESC, id DESC);
CREATE INDEX process_by_end ON public.process USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX process_by_key ON public.process USING btree (tenant, key, created_at DESC, id DESC) WHERE (key IS NOT NULL);
CREATE INDEX process_by_parent ON public.process USING btree (parent_process) WHERE (parent_process IS NOT NULL);
CREATE INDEX process_by_status ON public.process USING btree (tenant, status, created_at DESC, id DESC);
CREATE INDEX process_by_tags ON public.process USING gin (tags jsonb_path_ops) WHERE (tags IS NOT NULL);
CREATE INDEX process_newest ON public.process USING btree (tenant, created_at DESC, id DESC);
CREATE INDEX process_owed ON public.process USING btree (owed_since) WHERE (owed_since IS NOT NULL);
CREATE INDEX process_unended ON public.process USING btree (id) WHERE (ended_at IS NULL);
CREATE INDEX schedule_audit_by_age ON public.schedule_audit USING btree (at);
CREATE INDEX schedule_audit_newest ON public.schedule_audit USING btree (tenant, schedule, id DESC);
CREATE INDEX schedule_due ON public.schedule USING btree (next_at) WHERE ((next_at IS NOT NULL) AND (NOT paused));
CREATE INDEX schedule_queued ON public.schedule USING btree (id) WHERE (queued > 0);
CREATE INDEX schedule_set_open ON public.schedule_set USING btree (schedule, correlation, id);
CREATE INDEX schedule_tick_by_age ON public.schedule_tick USING btree (decided_at);
CREATE INDEX schedule_tick_queued ON public.schedule_tick USING btree (schedule, at) WHERE (outcome = 'queued'::text);
CREATE INDEX schedule_tick_running ON public.schedule_tick USING btree (schedule) WHERE running;
CREATE INDEX subscription_by_event ON public.subscription USING btree (tenant, type, shape, value);
CREATE INDEX subscription_look_back ON public.subscription USING btree (since) WHERE look_back_pending;
CREATE INDEX timer_due ON public.timer USING btree (due);
CREATE INDEX webhook_delivery_by_end ON public.webhook_delivery USING btree (finished_at) WHERE (finished_at IS NOT NULL);
CREATE INDEX webhook_delivery_due ON public.webhook_delivery USING btree (webhook, due) WHERE (status = 'pending'::text);
CREATE INDEX webhook_delivery_newest ON public.webhook_delivery USING btree (webhook, created_at DESC, id DESC);
CREATE UNIQUE INDEX webhook_delivery_once ON public.webhook_delivery USING btree (webhook, event_id);
CREATE INDEX webhook_enabled ON public.webhook USING btree (tenant) WHERE enabled;
CREATE INDEX webhook_newest ON public.webhook USING btree (tenant, created_at DESC, id DESC);
CREATE CONSTRAINT TRIGGER call_leaves_wake_up AFTER DELETE ON public.call DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.assert_others_wake();
CREATE CONSTRAINT TRIGGER process_has_wake_up AFTER INSERT OR UPDATE OF status, waiting, owed_since, ended_at ON public.process DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.ended_at IS NULL) AND (new.status <> 'suspended'::text) AND (new.owed_since IS NULL))) EXECUTE FUNCTION public.assert_process_wakes();
CREATE CONSTRAINT TRIGGER timer_leaves_wake_up AFTER DELETE ON public.timer DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.assert_others_wake();
