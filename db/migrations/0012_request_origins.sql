-- Through which door and from which network a person's change came: what the audit shows beside a journal row.

create table request_origins (
    correlation_id text not null,
    actor text not null,
    channel text not null check (channel in ('console', 'cli', 'messenger')),
    ip_prefix text not null,
    at timestamptz not null,
    primary key (correlation_id, actor)
);
create index request_origins_at on request_origins (at);

grant select, insert, delete on request_origins to stagewright_app;
