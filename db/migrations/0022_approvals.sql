-- Requests that a person decides: what is asked as canonical bytes, how it was decided, and its one execution.

create table requests (
    id uuid primary key,
    kind text not null check (kind in ('approval', 'question', 'notice')),
    project_id uuid not null references projects (id),
    repository_id uuid references repositories (id),
    run_id uuid references runs (id),
    attempt_id uuid references attempts (id),
    action text not null,
    run_kind text not null,
    run_role text not null,
    run_mode text not null,
    env text not null,
    body bytea not null,
    action_hash text not null check (action_hash ~ '^sha256:[0-9a-f]{64}$'),
    display jsonb not null,
    display_hash text not null check (display_hash ~ '^sha256:[0-9a-f]{64}$'),
    target_name text not null,
    state text not null check (state in ('requested', 'approved', 'applying', 'unknown', 'queued', 'denied', 'expired',
        'cancelled', 'void', 'applied', 'failed', 'answered', 'delivered', 'undeliverable')),
    version integer not null default 1,
    row_id text not null,
    policy_version text not null,
    level text not null check (level in ('none', 'delegated', 'owner')),
    self_approval boolean not null,
    typed_confirm boolean not null,
    grantable boolean not null,
    on_expiry text not null check (on_expiry in ('park', 'resume')),
    execute_within integer not null check (execute_within > 0),
    initiator_id uuid references users (id),
    opened_at timestamptz not null,
    expires_at timestamptz not null,
    not_after timestamptz,
    nonce bytea unique,
    nonce_used_at timestamptz,
    mac bytea,
    approver_kind text check (approver_kind in ('user', 'grant', 'policy')),
    approver_id text,
    decided_at timestamptz,
    reason text check (length(reason) <= 500),
    reason_code text,
    acknowledged_sole boolean not null default false,
    answer jsonb,
    result jsonb,
    idempotency_key text,
    renews uuid references requests (id),
    settled_at timestamptz,
    check (state not in ('applying', 'applied', 'failed', 'unknown') or nonce_used_at is not null),
    check (state <> 'approved' or (approver_kind is not null and approver_id is not null and mac is not null))
);
create unique index requests_one_open on requests (run_id, action, action_hash)
    where state in ('requested', 'approved', 'applying', 'unknown');
create unique index requests_key on requests (run_id, action, idempotency_key) where idempotency_key is not null;
create index requests_newest on requests (project_id, opened_at desc, id);
create index requests_due on requests (expires_at) where state = 'requested';
create index requests_of_run on requests (run_id, action, opened_at desc);
create index requests_of_target on requests (project_id, action, target_name, decided_at desc)
    where decided_at is not null;

create function requests_keep_their_bytes() returns trigger language plpgsql as $$
begin
    if new.body is distinct from old.body or new.action_hash is distinct from old.action_hash then
        raise exception 'the bytes of a request never change';
    end if;
    return new;
end
$$;
create trigger requests_keep_their_bytes before update on requests
    for each row execute function requests_keep_their_bytes();

grant select, insert, update, delete on requests to stagewright_app;
