-- Calls whose result nobody awaits (`run` with `await: false`).
set local lock_timeout = '5s';
alter table call add column detached boolean not null default false;
