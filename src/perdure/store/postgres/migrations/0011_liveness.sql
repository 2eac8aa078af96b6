-- Nothing waits without a wake-up: the database refuses to commit a process that nothing recorded would move again.

set local statement_timeout = '5min';

-- Those that have not ended, for whoever goes through them.
-- squawk-ignore require-concurrent-index-creation
create index process_unended on process (id) where ended_at is null;

-- Whether something recorded ends one of the things that a process waits for. Reasons that this release does not know
-- are left to the release that does. Small statements, each with a plan of its own that goes by an index.
create function has_wake_up(_process uuid, _wait json) returns boolean language plpgsql stable as $$
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

-- Whether anything recorded will wake a process at all.
create function has_any_wake_up(_process uuid) returns boolean language sql stable as $$
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

-- The first of the things that a process waits for that has no wake-up; null where all have. A fact in its inbox or a
-- step that it owes itself may be the wake-up of any; a suspended process waits for its operator. Of a process that
-- waits for more than `_waiting_bytes_max` can tell, only that there is anything at all.
create function missing_wake_up(_process uuid, _waiting_bytes_max integer) returns json language plpgsql stable as $$
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

-- Raises where a process has nothing that would wake it. The cost must not grow with how much it waits for:
-- `perdure doctor` looks at everything.
create function assert_wakes(_process uuid) returns void language plpgsql stable as $$
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

create function assert_process_wakes() returns trigger language plpgsql as $$
begin
    perform assert_wakes(new.id);
    return null;
end
$$;

create function assert_others_wake() returns trigger language plpgsql as $$
begin
    perform assert_wakes(old.process);
    return null;
end
$$;

create constraint trigger process_has_wake_up
after insert or update of status, waiting, owed_since, ended_at on process
deferrable initially deferred
for each row when (new.ended_at is null and new.status <> 'suspended' and new.owed_since is null)
execute function assert_process_wakes();

create constraint trigger timer_leaves_wake_up after delete on timer
deferrable initially deferred
for each row execute function assert_others_wake();

create constraint trigger call_leaves_wake_up after delete on call
deferrable initially deferred
for each row execute function assert_others_wake();
