-- People, what they may do, projects and their repositories, credentials, incidents.

create extension if not exists citext;

create table users (
    id uuid primary key,
    email citext not null unique,
    github_user_id bigint unique,
    github_login text,
    display_name text not null,
    locale text not null default 'en',
    role text not null check (role in ('owner', 'admin', 'member')),
    state text not null check (state in ('invited', 'active', 'disabled')),
    access_version integer not null default 1,
    invited_by uuid references users (id),
    created_at timestamptz not null
);
create unique index users_one_owner on users (role) where role = 'owner';

create table api_tokens (
    id uuid primary key,
    user_id uuid not null references users (id),
    name text not null,
    hash bytea not null unique,
    scopes text[] not null,
    project_id uuid,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    last_used_at timestamptz
);
create index api_tokens_user on api_tokens (user_id);

create table projects (
    id uuid primary key,
    key text not null unique check (key ~ '^[a-z0-9][a-z0-9-]{0,38}$'),
    name text not null,
    locale text not null default 'en',
    weight integer not null default 1 check (weight between 1 and 100),
    settings jsonb not null default '{}',
    version integer not null default 1,
    created_at timestamptz not null
);

create table memberships (
    project_id uuid not null references projects (id),
    user_id uuid not null references users (id),
    role text not null check (role in ('read', 'read_write', 'admin')),
    created_at timestamptz not null,
    primary key (project_id, user_id)
);
create index memberships_user on memberships (user_id);

create table repositories (
    id uuid primary key,
    project_id uuid not null references projects (id),
    api_url text not null,
    web_url text not null,
    clone_url text not null,
    full_name text not null,
    forge_repository_id bigint not null,
    default_branch text not null,
    binding text not null check (binding in ('token', 'github_app')),
    state text not null default 'enabled' check (state in ('enabled', 'disabled')),
    health text not null default 'ok',
    webhook_secrets bytea not null,
    label_texts jsonb not null default '{}',
    bound_at timestamptz not null,
    scan_cursor timestamptz,
    scan_etag text,
    scanned_at timestamptz,
    fully_scanned_at timestamptz,
    version integer not null default 1,
    unique (api_url, forge_repository_id)
);
create index repositories_project on repositories (project_id);
create index repositories_name on repositories (api_url, lower(full_name));

create table credentials (
    id uuid primary key,
    scope text not null check (scope in ('platform', 'project', 'repository')),
    project_id uuid references projects (id),
    repository_id uuid references repositories (id),
    purpose text not null check (purpose in ('management', 'bot') or purpose like 'model:%'),
    kind text not null check (kind in ('github_app', 'token', 'api_key')),
    app_id bigint,
    installation_id bigint,
    base_url text,
    ciphertext bytea not null,
    login text,
    login_id bigint,
    commit_name text,
    commit_email text,
    state text not null default 'unchecked' check (state in ('unchecked', 'valid', 'suspect', 'invalid')),
    permissions jsonb not null default '{}',
    expires_at timestamptz,
    checked_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null,
    check ((scope = 'repository') = (repository_id is not null)),
    check ((scope = 'project') = (project_id is not null))
);
create unique index credentials_platform on credentials (purpose, kind) where scope = 'platform';
create unique index credentials_project on credentials (project_id, purpose, kind) where scope = 'project';
create unique index credentials_repository on credentials (repository_id, purpose, kind) where scope = 'repository';

create table incidents (
    id uuid primary key,
    fingerprint bytea not null,
    level text not null check (level in ('critical', 'error', 'warning')),
    source text not null,
    code text not null,
    message text not null,
    details jsonb not null default '{}',
    stack text,
    project_id uuid,
    run_id uuid,
    correlation_id text,
    count bigint not null default 1,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    reopened_at timestamptz not null,
    state text not null default 'open' check (state in ('open', 'resolved')),
    muted_until timestamptz,
    muted_reason text,
    previous_id uuid references incidents (id),
    version integer not null default 1
);
create unique index incidents_open on incidents (fingerprint) where state = 'open';
create index incidents_last_seen on incidents (last_seen);

create unlogged table rate_buckets (
    bucket text not null,
    key text not null,
    tokens double precision not null,
    updated_at timestamptz not null,
    primary key (bucket, key)
);

create table idempotency_keys (
    principal text not null,
    method text not null,
    path text not null,
    key text not null,
    body_hash bytea not null,
    status integer,
    answer jsonb,
    created_at timestamptz not null,
    primary key (principal, method, path, key)
);
create index idempotency_created on idempotency_keys (created_at);

grant select, insert, update, delete on users, api_tokens, projects, memberships, repositories, credentials,
    incidents, rate_buckets, idempotency_keys to stagewright_app;
