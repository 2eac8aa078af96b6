-- The default catalog: a team's own functions. A version never changes.
create table function (
    tenant text not null,
    name text not null,
    version text not null,
    version_order text collate "C" not null,
    document bytea not null,
    source bytea not null,
    media_type text not null,
    digest bytea not null,
    created_at timestamptz not null,
    created_by text not null,
    primary key (tenant, name, version)
);
create unique index function_newest on function (tenant, name, version_order desc);

-- What a definition version needs from outside its document, as it was found. Rows are only ever added: tasks of
-- pinned functions are numbered in the order of `ordinal`, and stored states of processes name tasks by number.
create table definition_resource (
    tenant text not null,
    namespace text not null,
    name text not null,
    version text not null,
    ordinal integer not null,
    kind text not null,
    key text not null,
    uri text not null,
    own boolean not null,
    document bytea not null,
    resolved_at timestamptz not null,
    primary key (tenant, namespace, name, version, ordinal)
);
comment on column definition_resource.kind is 'function or schema';
comment on column definition_resource.key is 'how the definition names it';
comment on column definition_resource.own is 'whether it is from the default catalog';
