-- What GitHub told us, and what was decided.

create table webhook_deliveries (
    delivery_id text primary key,
    repository_id uuid,
    binding text not null check (binding in ('token', 'github_app')),
    event text not null,
    payload bytea not null,
    received_at timestamptz not null,
    action text,
    thread integer,
    status text not null default 'received' check (status in ('received', 'decided', 'dead')),
    verdict text,
    reason text,
    tries integer not null default 0,
    not_before timestamptz not null
);
create index webhook_deliveries_open on webhook_deliveries (status, not_before, received_at) where status = 'received';
create index webhook_deliveries_received on webhook_deliveries (received_at);

create table trigger_ledger (
    repository_id uuid not null references repositories (id),
    thread integer not null,
    label text not null,
    occurred_at timestamptz not null,
    source text not null check (source in ('webhook', 'scan', 'console')),
    decision text not null,
    reason text,
    run_id uuid,
    delivery_id text,
    decided_at timestamptz not null,
    primary key (repository_id, thread, label, occurred_at)
);

create table threads (
    repository_id uuid not null references repositories (id),
    number integer not null,
    is_pull_request boolean not null,
    state text not null,
    labels text[] not null,
    seen_at timestamptz not null,
    primary key (repository_id, number)
);

create table issue_workflows (
    repository_id uuid not null references repositories (id),
    issue_number integer not null,
    profile text not null,
    source text not null check (source in ('default', 'chosen', 'escalated', 'restarted')),
    last_stage text,
    updated_by text not null,
    updated_at timestamptz not null,
    primary key (repository_id, issue_number)
);

grant select, insert, update, delete on webhook_deliveries, trigger_ledger, threads, issue_workflows to
    stagewright_app;
