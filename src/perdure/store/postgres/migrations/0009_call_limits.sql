-- Limits of outgoing calls, where there is no Redis. Nothing correct depends on them: unlogged.

create unlogged table coordination_limit (
    name text primary key,
    due timestamptz not null
);
comment on column coordination_limit.due is 'when the next call would be due if calls came at exactly their rate';

create unlogged table coordination_permit (
    name text not null,
    permit uuid not null,
    held_until timestamptz not null,
    primary key (name, permit)
);

-- Seconds after which to ask again; 0: the permit is given; -1: all places are taken. What is null is not limited.
-- The rate is kept by the generic cell rate algorithm, as in `perdure.coordination.permits`.
create function coordination_admit(
    _name text, _rate double precision, _burst double precision, _places integer, _permit uuid, _ttl double precision
) returns double precision language plpgsql volatile as $$
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
