-- A run's life.

create sequence run_number;

create table runs (
    id uuid primary key,
    number bigint not null unique default nextval('run_number'),
    project_id uuid not null references projects (id),
    repository_id uuid not null references repositories (id),
    lane text not null check (lane in ('work', 'talk', 'review', 'deploy')),
    subject text not null,
    issue_number integer,
    pr_number integer,
    stage text,
    kind text not null,
    role text not null,
    trigger_source text not null,
    trigger_label text,
    requested_by_kind text not null,
    requested_by text not null,
    correlation_id text not null unique,
    occurred_at timestamptz not null,
    policy_hash text not null,
    launch_profile text,
    revises_run_id uuid references runs (id),

    mode text not null check (mode in ('code-only', 'full-env')),
    runtime_source text not null,
    env text not null default 'none',
    environment_id uuid,
    access_profile text not null default 'code-only',
    branch text,
    base_sha text,
    build_sha text,
    next_build_sha text,

    engine text,
    engine_source text,
    model text,
    model_source text,
    reasoning text,
    reasoning_source text,
    locale text not null,

    status text not null check (status in
        ('queued', 'preparing', 'running', 'waiting', 'finishing', 'cancelling', 'succeeded', 'failed', 'cancelled')),
    failure_class text check (failure_class in ('precondition', 'policy', 'infrastructure', 'agent', 'timeout', 'budget')),
    code text,
    detail text check (octet_length(detail) <= 2048),
    admission_reason text,
    finish_step text,
    version integer not null default 1,
    generation integer not null default 0,
    claimed_by text,
    claimed_until timestamptz,
    resumed boolean not null default false,
    not_before timestamptz,

    active_seconds integer not null default 0,
    clock_started_at timestamptz,
    limit_seconds integer not null,
    warned_at timestamptz,
    tokens_in bigint not null default 0,
    tokens_cached bigint not null default 0,
    tokens_out bigint not null default 0,
    cost_micros bigint,

    notes jsonb not null default '[]',
    world jsonb not null default '{}',

    created_at timestamptz not null,
    status_since timestamptz not null,
    admitted_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,

    check ((status = 'failed') = (failure_class is not null))
);
create unique index runs_one_active on runs (repository_id, lane, subject)
    where status not in ('succeeded', 'failed', 'cancelled');
create unique index runs_one_repair on runs (project_id)
    where kind = 'ai_repair' and status not in ('succeeded', 'failed', 'cancelled');
create index runs_queue on runs (project_id, role, mode, created_at) where status = 'queued';
create index runs_live on runs (status, not_before) where status not in ('succeeded', 'failed', 'cancelled');
create index runs_issue on runs (repository_id, issue_number, created_at desc);
create index runs_pr on runs (repository_id, pr_number, created_at desc);
create index runs_created on runs (created_at desc, id desc);

create table attempts (
    id uuid primary key,
    run_id uuid not null references runs (id),
    generation integer not null,
    reason text not null check (reason in ('first', 'answer', 'limit_cleared', 'budget_granted', 'infrastructure_retry',
        'repair', 'branch_moved', 'comments', 'review_feedback')),
    status text not null check (status in ('reserved', 'launching', 'live', 'draining', 'ended')),
    outcome text,
    code text,
    detail text,
    workload_name text not null,
    workload_kind text not null,
    image_digest text,
    runner_version text,
    heartbeat_at timestamptz,
    suspect_since timestamptz,
    last_event_at timestamptz,
    last_message_no bigint not null default 0,
    log_seq bigint not null default 0,
    log_bytes bigint not null default 0,
    stop_reason text,
    stop_requested_at timestamptz,
    absent_since timestamptz,
    exited_at timestamptz,
    prompt_id uuid,
    restored_session_id uuid,
    assignment bytea,
    tokens_in bigint not null default 0,
    tokens_cached bigint not null default 0,
    tokens_out bigint not null default 0,
    deadline timestamptz not null,
    reserved_at timestamptz not null,
    launched_at timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    unique (run_id, generation)
);
create unique index attempts_one_open on attempts (run_id) where status <> 'ended';
create index attempts_status on attempts (status) where status <> 'ended';

create table waits (
    id uuid primary key,
    run_id uuid not null references runs (id),
    attempt_id uuid references attempts (id),
    kind text not null check (kind in ('approval', 'question', 'owner_review', 'rate_limit', 'budget')),
    target_kind text not null,
    target_id text not null,
    opened_at timestamptz not null,
    who_can_act text not null,
    deadline_at timestamptz,
    resume_at timestamptz,
    mark text check (mark in ('approval_expired')),
    status text not null check (status in ('open', 'resolved', 'expired', 'cancelled')),
    resolution text,
    resolution_text text,
    resolved_by text,
    resolved_at timestamptz
);
create unique index waits_one_open on waits (run_id, kind, target_id) where status = 'open';
create index waits_deadline on waits (kind, deadline_at) where status = 'open';

create table run_inbox (
    id uuid primary key,
    run_id uuid not null references runs (id),
    kind text not null check (kind in ('comment', 'review', 'answer', 'feedback')),
    source_ref text not null,
    author text not null,
    body text not null,
    received_at timestamptz not null,
    consumed_by uuid references attempts (id),
    unique (run_id, source_ref)
);

create table run_logs (
    attempt_id uuid not null references attempts (id),
    seq bigint not null,
    stream text not null check (stream in ('engine', 'runner', 'platform')),
    stream_seq bigint not null,
    from_byte bigint not null,
    from_line bigint not null,
    at timestamptz not null,
    chunk bytea not null check (octet_length(chunk) <= 65536),
    primary key (attempt_id, seq),
    unique (attempt_id, stream, stream_seq)
);

create table run_log_heads (
    attempt_id uuid not null references attempts (id),
    stream text not null,
    stream_seq bigint not null,
    bytes bigint not null,
    lines bigint not null,
    primary key (attempt_id, stream)
);

create table run_log_ends (
    attempt_id uuid not null references attempts (id),
    stream text not null,
    bytes bigint not null,
    lines bigint not null,
    sha256 bytea not null,
    at timestamptz not null,
    primary key (attempt_id, stream)
);

create table run_results (
    id uuid primary key,
    attempt_id uuid not null references attempts (id),
    proposal_no integer not null,
    report jsonb not null,
    bundle bytea,
    bundle_sha256 bytea,
    tree_sha text,
    commit_sha text,
    changed jsonb,
    violations jsonb,
    warnings jsonb not null default '[]',
    verdict text check (verdict in ('accepted', 'repair', 'refused')),
    proposed_at timestamptz not null,
    checked_at timestamptz,
    unique (attempt_id, proposal_no)
);
create index run_results_unchecked on run_results (proposed_at) where verdict is null;

create table run_usage (
    attempt_id uuid not null references attempts (id),
    seq bigint not null,
    model text not null,
    tokens_in bigint not null,
    tokens_cached bigint not null,
    tokens_out bigint not null,
    cost_micros bigint,
    source text not null check (source in ('relay', 'engine')),
    at timestamptz not null,
    primary key (attempt_id, seq)
);

create table pull_request_links (
    repository_id uuid not null references repositories (id),
    pr_number integer not null,
    issue_number integer,
    stage text not null,
    branch text not null,
    base_branch text not null,
    head_sha text not null,
    pushed_sha text not null,
    url text not null default '',
    state text not null check (state in ('in_review', 'approved', 'merged', 'closed', 'superseded')),
    origin text not null check (origin in ('platform', 'adopted')),
    foreign_push boolean not null default false,
    created_by_run uuid not null references runs (id),
    last_run uuid not null references runs (id),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (repository_id, pr_number)
);
create unique index pull_request_links_one_open on pull_request_links (repository_id, issue_number, stage)
    where state in ('in_review', 'approved') and origin = 'platform';
create index pull_request_links_branch on pull_request_links (repository_id, branch);

create table status_comments (
    run_id uuid primary key references runs (id),
    repository_id uuid not null references repositories (id),
    thread integer not null,
    comment_id bigint,
    url text,
    body_sha256 bytea,
    rendered_at timestamptz,
    phase text,
    recreations integer not null default 0,
    suppressed boolean not null default false
);

create table diagnostic_comments (
    key text primary key,
    repository_id uuid not null references repositories (id),
    thread integer not null,
    reason text not null,
    body text not null,
    comment_id bigint,
    count integer not null default 1,
    last_at timestamptz not null,
    resolved_at timestamptz,
    resolved_by uuid
);
create index diagnostic_comments_open on diagnostic_comments (repository_id, thread) where resolved_at is null;

create table effects (
    id uuid primary key,
    no bigint generated always as identity,
    dedupe_key text not null unique,
    kind text not null,
    order_key text not null,
    bucket text not null check (bucket in ('core', 'content', 'git', 'search')),
    repository_id uuid not null references repositories (id),
    target text not null,
    payload jsonb not null,
    critical boolean not null,
    status text not null check (status in ('reserved', 'submitted', 'done', 'failed', 'unknown', 'superseded')),
    tries integer not null default 0,
    not_before timestamptz not null,
    leased_by text,
    leased_until timestamptz,
    submitted_at timestamptz,
    absent_reads integer not null default 0,
    result jsonb,
    code text,
    detail text,
    run_id uuid references runs (id),
    correlation_id text not null,
    created_at timestamptz not null,
    finished_at timestamptz
);
create index effects_open on effects (status, not_before) where status in ('reserved', 'submitted', 'unknown');
create index effects_order on effects (order_key, no);
create index effects_run on effects (run_id);

create table worker_instances (
    worker_id text primary key,
    started_at timestamptz not null,
    heartbeat_at timestamptz not null,
    missed_at timestamptz
);

create table provider_limits (
    installation_id text not null,
    bucket text not null,
    remaining integer,
    reset_at timestamptz,
    blocked_until timestamptz,
    cause text,
    strikes integer not null default 0,
    last_write_at timestamptz,
    updated_at timestamptz not null,
    primary key (installation_id, bucket)
);

create table revoked_tokens (
    jti uuid primary key,
    until timestamptz not null
);

create table prompts (
    id uuid primary key,
    run_id uuid not null references runs (id),
    attempt_id uuid not null unique references attempts (id),
    sha256 bytea not null,
    stable_sha256 bytea not null,
    parts jsonb not null,
    rendered bytea not null,
    sanitizer jsonb not null,
    created_at timestamptz not null
);

create table agent_sessions (
    id uuid primary key,
    run_id uuid not null references runs (id),
    attempt_id uuid not null references attempts (id),
    repository_id uuid not null references repositories (id),
    issue_number integer,
    stage text,
    role text not null,
    engine text not null,
    engine_version text not null,
    thread_id text not null,
    archive bytea not null,
    wip_bundle bytea,
    sha256 bytea not null,
    bytes bigint not null,
    manifest jsonb not null,
    reason text not null check (reason in ('turn', 'timer', 'redeploy', 'end')),
    created_at timestamptz not null
);
create index agent_sessions_lineage on agent_sessions (repository_id, issue_number, stage, role, created_at desc);
create index agent_sessions_run on agent_sessions (run_id, created_at desc);

grant select, insert, update, delete on runs, attempts, waits, run_inbox, run_logs, run_log_heads,
    run_log_ends, run_results, run_usage, pull_request_links, status_comments, diagnostic_comments, effects,
    worker_instances, provider_limits, revoked_tokens, prompts, agent_sessions to stagewright_app;
grant usage on sequence run_number to stagewright_app;
