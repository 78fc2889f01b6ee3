-- A repository may be unbound: its runs stay, and it may be bound again, here or in another project.
-- What is still to be done of a label bootstrap, and the diffs of accepted results.

alter table repositories
    add column unbound_at timestamptz,
    add column labels_pending text[] not null default '{}';
alter table repositories drop constraint repositories_api_url_forge_repository_id_key;
create unique index repositories_bound on repositories (api_url, forge_repository_id) where unbound_at is null;
alter table repositories add check (unbound_at is null or octet_length(webhook_secrets) = 0);

create table run_result_diffs (
    result_id uuid primary key references run_results (id) on delete cascade,
    base_sha text not null,
    diff bytea not null check (octet_length(diff) <= 1048576),
    truncated boolean not null
);

grant select, insert, update, delete on run_result_diffs to stagewright_app;
