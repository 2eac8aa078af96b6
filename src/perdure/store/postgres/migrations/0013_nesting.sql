-- How deep a process is nested in others that wait for it, so that one which starts itself comes to an end.
alter table process add column depth integer not null default 0;
comment on column process.depth is '0 for one that no other waits for';
