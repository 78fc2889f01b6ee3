-- People's sessions in the browser, how they begin (GitHub, one-time codes), and versions of users and members.

alter table users
    add column zone text not null default 'UTC',
    add column preferences jsonb not null default '{}',
    add column version integer not null default 1;
alter table memberships add column version integer not null default 1;

create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id),
    hash bytea not null unique,
    method text not null check (method in ('github', 'local')),
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text check (end_reason in ('signed_out', 'revoked', 'revoked_all', 'demoted', 'disabled')),
    ip_prefix text not null,
    user_agent text not null,
    check ((ended_at is null) = (end_reason is null))
);
create index sessions_user on sessions (user_id);

create table login_states (
    hash bytea primary key,
    cookie_hash bytea not null,
    verifier text not null,
    next_path text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index login_states_expiry on login_states (expires_at);

create table login_codes (
    hash bytea primary key,
    kind text not null check (kind in ('local', 'cli')),
    user_id uuid not null references users (id),
    challenge text,
    token_name text,
    token_scopes text[],
    token_days integer check (token_days between 1 and 90),
    token_project_id uuid,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    check ((kind = 'cli') = (challenge is not null and token_name is not null and token_scopes is not null
        and token_days is not null))
);
create index login_codes_expiry on login_codes (expires_at);

create unlogged table login_failures (
    key text primary key,
    failures integer not null,
    since timestamptz not null,
    paused_until timestamptz
);

grant select, insert, update, delete on sessions, login_states, login_codes, login_failures to stagewright_app;
