-- The journal: append-only, partitioned by day, hash-chained per stream. Readers page by snapshot over (tx, seq).
-- Every migration grants what it makes by name: a blanket grant would let the program change journal partitions.

create sequence journal_seq;

create table journal (
    seq bigint not null,
    tx xid8 not null default pg_current_xact_id(),
    at timestamptz not null,
    topic text not null,
    stream text not null,
    project_id uuid,
    run_id uuid,
    correlation_id text not null,
    actor_kind text not null,
    actor text not null,
    kind text not null,
    body jsonb not null,
    prev_hash bytea not null,
    hash bytea not null,
    primary key (seq, at)
) partition by range (at);

create table journal_default partition of journal default;

create index journal_tx_seq on journal (tx, seq);
create index journal_stream on journal (stream, seq);
create index journal_run on journal (run_id, seq) where run_id is not null;
create index journal_correlation on journal (correlation_id);

create table journal_heads (
    stream text primary key,
    seq bigint not null,
    hash bytea not null
) with (fillfactor = 50);

create table installation (
    singleton boolean primary key default true check (singleton),
    id uuid not null,
    epoch uuid not null,
    created_at timestamptz not null default now()
);

insert into installation (id, epoch) values (gen_random_uuid(), gen_random_uuid());

grant usage on schema public to stagewright_app, stagewright_retention;
grant select, insert on journal to stagewright_app;
grant select, insert, update on journal_heads to stagewright_app;
grant usage on sequence journal_seq to stagewright_app, stagewright_retention;
grant select on installation to stagewright_app;
grant select, delete on journal to stagewright_retention;
grant select, insert, update, delete on journal_heads to stagewright_retention;
