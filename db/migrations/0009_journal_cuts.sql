-- Where retention cut a stream of the journal: the chain of what is left begins at this row's hash.

create table journal_cuts (
    stream text primary key,
    seq bigint not null,
    hash bytea not null,
    rows bigint not null check (rows > 0),
    cut_at timestamptz not null
);

grant select on journal_cuts to stagewright_app;
grant select, insert, update on journal_cuts to stagewright_retention;
