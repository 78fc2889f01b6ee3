-- How far the journal's chains are known to be whole, and how many sockets a person has open at which gateway.

create table journal_walks (
    walk text primary key check (walk in ('front', 'round')),
    since text,
    until text,
    after bigint not null default 0,
    rows bigint not null default 0,
    seq bigint,
    at timestamptz,
    began_at timestamptz not null,
    checked_at timestamptz,
    check (until is not null or after = 0)
);

create table journal_walk_heads (
    walk text not null references journal_walks (walk),
    stream text not null,
    seq bigint not null,
    hash bytea not null,
    primary key (walk, stream)
);

create table journal_breaks (
    stream text primary key,
    seq bigint not null,
    found_at timestamptz not null
);

-- Unlogged: gateways write their counts anew all the time, so that a crash of the database loses nothing.
create unlogged table open_sockets (
    gateway text not null,
    user_id uuid not null,
    sockets integer not null check (sockets > 0),
    seen_at timestamptz not null,
    primary key (user_id, gateway)
);
create index open_sockets_gateway on open_sockets (gateway);
create index open_sockets_seen_at on open_sockets (seen_at);

grant select, insert, update, delete on journal_walks, journal_walk_heads, open_sockets to stagewright_app;
grant select, insert on journal_breaks to stagewright_app;
