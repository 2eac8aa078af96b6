-- Nothing waits without a wake-up: the database refuses to commit a process that nothing recorded would move again.

set local statement_timeout = '5min';

-- Those that have not ended, for whoever goes through them.
-- squawk-ignore require-concurrent-index-creation
create index process_unended on process (id) where ended_at is null;

-- Of the things that a process waits for, those that have no wake-up. A fact in its inbox or a step that it owes
-- itself may be the wake-up of any; a suspended process waits for its operator. One statement, so that all of it is
-- of one moment. Reasons that this release does not know are left to the release that does.
create function missing_wake_ups(_process uuid) returns setof json language sql stable as $$
    select w from process p
    cross join lateral json_array_elements(coalesce(p.waiting, '[{"reason": "step"}]')) w
    where p.id = _process and p.ended_at is null and p.status <> 'suspended' and p.owed_since is null
      and not exists (select from inbox x where x.process = p.id)
      and not case w ->> 'reason'
          when 'step' then exists (select from timer x where x.process = p.id and x.id = p.id)
          when 'timer' then exists (
              select from timer x where x.process = p.id and x.due = (w ->> 'until')::timestamptz)
          when 'retry' then exists (
              select from timer x where x.process = p.id and x.due = (w ->> 'until')::timestamptz)
          when 'call' then exists (select from call x where x.activity = (w ->> 'activity')::uuid)
          when 'event' then
              exists (
                  select from subscription x where x.process = p.id and x.activity = (w ->> 'activity')::uuid)
              or exists (select from call x where x.activity = (w ->> 'activity')::uuid)
          when 'human-task' then exists (
              select from human_task x
              where x.id = (w ->> 'activity')::uuid and x.status in ('open', 'claimed'))
          when 'callback' then exists (
              select from callback x where x.activity = (w ->> 'activity')::uuid and x.status = 'open')
          when 'job' then exists (
              select from job x
              where x.id = (w ->> 'activity')::uuid and x.state in ('available', 'leased', 'delayed'))
          when 'child' then exists (
              select from process x
              where x.parent_process = p.id and x.parent_activity = (w ->> 'activity')::uuid
                and x.ended_at is null)
          else true
      end
$$;

-- Raises where a process has nothing that would wake it. Of one that waits for very much, only that there is anything
-- at all: its cost must not grow with the width. `perdure doctor` looks at everything.
create function assert_wakes(_process uuid) returns void language plpgsql stable as $$
declare
    _missing json;
    _wide boolean;
begin
    if exists (select from inbox where process = _process) then
        return;
    end if;
    select length(waiting::text) > 4096 into _wide from process where id = _process;
    if _wide and (
        exists (select from call where process = _process)
        or exists (select from timer where process = _process)
        or exists (select from job where process = _process and state in ('available', 'leased', 'delayed'))
        or exists (select from subscription where process = _process)
        or exists (select from callback where process = _process and status = 'open')
        or exists (select from human_task where process = _process and status in ('open', 'claimed'))
        or exists (select from process
                   where parent_process = _process and parent_activity is not null and ended_at is null)
    ) then
        return;
    end if;
    select m into _missing from missing_wake_ups(_process) m limit 1;
    if found then
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
