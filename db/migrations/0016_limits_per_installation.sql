-- Whose limits at the forge a repository's requests draw on, and which GitHub App's secret a delivery was signed with.

create table repository_installations (
    repository_id uuid not null references repositories (id) on delete cascade,
    purpose text not null check (purpose in ('bot', 'management')),
    installation_id text not null,
    learned_at timestamptz not null,
    primary key (repository_id, purpose)
);
grant select, insert, update, delete on repository_installations to stagewright_app;

-- Limits were kept per repository; the next answer of the forge says them anew.
delete from provider_limits where starts_with(installation_id, 'forge:');

alter table webhook_deliveries add column app_id bigint;
