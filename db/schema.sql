-- What db/migrations make of an empty database. Written by `python -m tools.schema`; do not edit.

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;

COMMENT ON EXTENSION citext IS 'data type for case-insensitive character strings';

CREATE FUNCTION public.requests_keep_their_bytes() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if new.body is distinct from old.body or new.action_hash is distinct from old.action_hash then
        raise exception 'the bytes of a request never change';
    end if;
    return new;
end
$$;

CREATE TABLE public.agent_sessions (
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    repository_id uuid NOT NULL,
    issue_number integer,
    stage text,
    role text NOT NULL,
    engine text NOT NULL,
    engine_version text NOT NULL,
    thread_id text NOT NULL,
    archive bytea NOT NULL,
    wip_bundle bytea,
    sha256 bytea NOT NULL,
    bytes bigint NOT NULL,
    manifest jsonb NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT agent_sessions_reason_check CHECK ((reason = ANY (ARRAY['turn'::text, 'timer'::text, 'redeploy'::text, 'end'::text])))
);

CREATE TABLE public.api_tokens (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    hash bytea NOT NULL,
    scopes text[] NOT NULL,
    project_id uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone
);

CREATE TABLE public.attempts (
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    generation integer NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    outcome text,
    code text,
    detail text,
    workload_name text NOT NULL,
    workload_kind text NOT NULL,
    image_digest text,
    runner_version text,
    heartbeat_at timestamp with time zone,
    suspect_since timestamp with time zone,
    last_event_at timestamp with time zone,
    last_message_no bigint DEFAULT 0 NOT NULL,
    log_seq bigint DEFAULT 0 NOT NULL,
    log_bytes bigint DEFAULT 0 NOT NULL,
    stop_reason text,
    stop_requested_at timestamp with time zone,
    absent_since timestamp with time zone,
    exited_at timestamp with time zone,
    prompt_id uuid,
    restored_session_id uuid,
    assignment bytea,
    tokens_in bigint DEFAULT 0 NOT NULL,
    tokens_cached bigint DEFAULT 0 NOT NULL,
    tokens_out bigint DEFAULT 0 NOT NULL,
    deadline timestamp with time zone NOT NULL,
    reserved_at timestamp with time zone NOT NULL,
    launched_at timestamp with time zone,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT attempts_reason_check CHECK ((reason = ANY (ARRAY['first'::text, 'answer'::text, 'limit_cleared'::text, 'budget_granted'::text, 'infrastructure_retry'::text, 'repair'::text, 'branch_moved'::text, 'comments'::text, 'review_feedback'::text]))),
    CONSTRAINT attempts_status_check CHECK ((status = ANY (ARRAY['reserved'::text, 'launching'::text, 'live'::text, 'draining'::text, 'ended'::text])))
);

CREATE TABLE public.credentials (
    id uuid NOT NULL,
    scope text NOT NULL,
    project_id uuid,
    repository_id uuid,
    purpose text NOT NULL,
    kind text NOT NULL,
    app_id bigint,
    installation_id bigint,
    base_url text,
    ciphertext bytea NOT NULL,
    login text,
    login_id bigint,
    commit_name text,
    commit_email text,
    state text DEFAULT 'unchecked'::text NOT NULL,
    permissions jsonb DEFAULT '{}'::jsonb NOT NULL,
    expires_at timestamp with time zone,
    checked_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT credentials_check CHECK (((scope = 'repository'::text) = (repository_id IS NOT NULL))),
    CONSTRAINT credentials_check1 CHECK (((scope = 'project'::text) = (project_id IS NOT NULL))),
    CONSTRAINT credentials_kind_check CHECK ((kind = ANY (ARRAY['github_app'::text, 'token'::text, 'api_key'::text]))),
    CONSTRAINT credentials_purpose_check CHECK (((purpose = ANY (ARRAY['management'::text, 'bot'::text])) OR (purpose ~~ 'model:%'::text))),
    CONSTRAINT credentials_scope_check CHECK ((scope = ANY (ARRAY['platform'::text, 'project'::text, 'repository'::text]))),
    CONSTRAINT credentials_state_check CHECK ((state = ANY (ARRAY['unchecked'::text, 'valid'::text, 'suspect'::text, 'invalid'::text])))
);

CREATE TABLE public.diagnostic_comments (
    key text NOT NULL,
    repository_id uuid NOT NULL,
    thread integer NOT NULL,
    reason text NOT NULL,
    body text NOT NULL,
    comment_id bigint,
    count integer DEFAULT 1 NOT NULL,
    last_at timestamp with time zone NOT NULL,
    resolved_at timestamp with time zone,
    resolved_by uuid
);

CREATE TABLE public.effects (
    id uuid NOT NULL,
    no bigint NOT NULL,
    dedupe_key text NOT NULL,
    kind text NOT NULL,
    order_key text NOT NULL,
    bucket text NOT NULL,
    repository_id uuid NOT NULL,
    target text NOT NULL,
    payload jsonb NOT NULL,
    critical boolean NOT NULL,
    status text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    not_before timestamp with time zone NOT NULL,
    leased_by text,
    leased_until timestamp with time zone,
    submitted_at timestamp with time zone,
    absent_reads integer DEFAULT 0 NOT NULL,
    result jsonb,
    code text,
    detail text,
    run_id uuid,
    correlation_id text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT effects_bucket_check CHECK ((bucket = ANY (ARRAY['core'::text, 'content'::text, 'git'::text, 'search'::text]))),
    CONSTRAINT effects_status_check CHECK ((status = ANY (ARRAY['reserved'::text, 'submitted'::text, 'done'::text, 'failed'::text, 'unknown'::text, 'superseded'::text])))
);

ALTER TABLE public.effects ALTER COLUMN no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.effects_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.idempotency_keys (
    principal text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    status integer,
    answer jsonb,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.inbox_snoozes (
    user_id uuid NOT NULL,
    item text NOT NULL,
    until timestamp with time zone NOT NULL,
    snoozed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.incident_views (
    user_id uuid NOT NULL,
    incident_id uuid NOT NULL,
    viewed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.incidents (
    id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    level text NOT NULL,
    source text NOT NULL,
    code text NOT NULL,
    message text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    stack text,
    project_id uuid,
    run_id uuid,
    correlation_id text,
    count bigint DEFAULT 1 NOT NULL,
    first_seen timestamp with time zone NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    reopened_at timestamp with time zone NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    muted_until timestamp with time zone,
    muted_reason text,
    previous_id uuid,
    version integer DEFAULT 1 NOT NULL,
    deploy_id uuid,
    environment_id uuid,
    namespace text,
    job_name text,
    request_id uuid,
    delivery_id text,
    muted_by uuid,
    resolved_by text,
    resolved_at timestamp with time zone,
    resolved_reason text,
    CONSTRAINT incidents_level_check CHECK ((level = ANY (ARRAY['critical'::text, 'error'::text, 'warning'::text]))),
    CONSTRAINT incidents_state_check CHECK ((state = ANY (ARRAY['open'::text, 'resolved'::text])))
);

CREATE TABLE public.installation (
    singleton boolean DEFAULT true NOT NULL,
    id uuid NOT NULL,
    epoch uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT installation_singleton_check CHECK (singleton)
);

CREATE TABLE public.issue_workflows (
    repository_id uuid NOT NULL,
    issue_number integer NOT NULL,
    profile text NOT NULL,
    source text NOT NULL,
    last_stage text,
    updated_by text NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT issue_workflows_source_check CHECK ((source = ANY (ARRAY['default'::text, 'chosen'::text, 'escalated'::text, 'restarted'::text])))
);

CREATE TABLE public.journal (
    seq bigint NOT NULL,
    tx xid8 DEFAULT pg_current_xact_id() NOT NULL,
    at timestamp with time zone NOT NULL,
    topic text NOT NULL,
    stream text NOT NULL,
    project_id uuid,
    run_id uuid,
    correlation_id text NOT NULL,
    actor_kind text NOT NULL,
    actor text NOT NULL,
    kind text NOT NULL,
    body jsonb NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL
)
PARTITION BY RANGE (at);

CREATE TABLE public.journal_breaks (
    stream text NOT NULL,
    seq bigint NOT NULL,
    found_at timestamp with time zone NOT NULL
);

CREATE TABLE public.journal_cuts (
    stream text NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    rows bigint NOT NULL,
    cut_at timestamp with time zone NOT NULL,
    CONSTRAINT journal_cuts_rows_check CHECK ((rows > 0))
);

CREATE TABLE public.journal_default (
    seq bigint CONSTRAINT journal_seq_not_null NOT NULL,
    tx xid8 DEFAULT pg_current_xact_id() CONSTRAINT journal_tx_not_null NOT NULL,
    at timestamp with time zone CONSTRAINT journal_at_not_null NOT NULL,
    topic text CONSTRAINT journal_topic_not_null NOT NULL,
    stream text CONSTRAINT journal_stream_not_null NOT NULL,
    project_id uuid,
    run_id uuid,
    correlation_id text CONSTRAINT journal_correlation_id_not_null NOT NULL,
    actor_kind text CONSTRAINT journal_actor_kind_not_null NOT NULL,
    actor text CONSTRAINT journal_actor_not_null NOT NULL,
    kind text CONSTRAINT journal_kind_not_null NOT NULL,
    body jsonb CONSTRAINT journal_body_not_null NOT NULL,
    prev_hash bytea CONSTRAINT journal_prev_hash_not_null NOT NULL,
    hash bytea CONSTRAINT journal_hash_not_null NOT NULL
);

CREATE TABLE public.journal_heads (
    stream text NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL
)
WITH (fillfactor='50');

CREATE SEQUENCE public.journal_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.journal_walk_heads (
    walk text NOT NULL,
    stream text NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);

CREATE TABLE public.journal_walks (
    walk text NOT NULL,
    since text,
    until text,
    after bigint DEFAULT 0 NOT NULL,
    rows bigint DEFAULT 0 NOT NULL,
    seq bigint,
    at timestamp with time zone,
    began_at timestamp with time zone NOT NULL,
    checked_at timestamp with time zone,
    CONSTRAINT journal_walks_check CHECK (((until IS NOT NULL) OR (after = 0))),
    CONSTRAINT journal_walks_walk_check CHECK ((walk = ANY (ARRAY['front'::text, 'round'::text])))
);

CREATE TABLE public.login_codes (
    hash bytea NOT NULL,
    kind text NOT NULL,
    user_id uuid NOT NULL,
    challenge text,
    token_name text,
    token_scopes text[],
    token_days integer,
    token_project_id uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT login_codes_check CHECK (((kind = 'cli'::text) = ((challenge IS NOT NULL) AND (token_name IS NOT NULL) AND (token_scopes IS NOT NULL) AND (token_days IS NOT NULL)))),
    CONSTRAINT login_codes_kind_check CHECK ((kind = ANY (ARRAY['local'::text, 'cli'::text]))),
    CONSTRAINT login_codes_token_days_check CHECK (((token_days >= 1) AND (token_days <= 90)))
);

CREATE UNLOGGED TABLE public.login_failures (
    key text NOT NULL,
    failures integer NOT NULL,
    since timestamp with time zone NOT NULL,
    paused_until timestamp with time zone
);

CREATE TABLE public.login_states (
    hash bytea NOT NULL,
    cookie_hash bytea NOT NULL,
    verifier text NOT NULL,
    next_path text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE public.memberships (
    project_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT memberships_role_check CHECK ((role = ANY (ARRAY['read'::text, 'read_write'::text, 'admin'::text])))
);

CREATE UNLOGGED TABLE public.open_sockets (
    gateway text NOT NULL,
    user_id uuid NOT NULL,
    sockets integer NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    CONSTRAINT open_sockets_sockets_check CHECK ((sockets > 0))
);

CREATE TABLE public.policy_texts (
    hash text NOT NULL,
    project_text text,
    first_seen_at timestamp with time zone NOT NULL
);

CREATE TABLE public.process_instances (
    id text NOT NULL,
    kind text NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    heartbeat_at timestamp with time zone NOT NULL,
    figures jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE public.projects (
    id uuid NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    locale text DEFAULT 'en'::text NOT NULL,
    weight integer DEFAULT 1 NOT NULL,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT projects_key_check CHECK ((key ~ '^[a-z0-9][a-z0-9-]{0,38}$'::text)),
    CONSTRAINT projects_weight_check CHECK (((weight >= 1) AND (weight <= 100)))
);

CREATE TABLE public.prompts (
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    stable_sha256 bytea NOT NULL,
    parts jsonb NOT NULL,
    rendered bytea NOT NULL,
    sanitizer jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.provider_limits (
    installation_id text NOT NULL,
    bucket text NOT NULL,
    remaining integer,
    reset_at timestamp with time zone,
    blocked_until timestamp with time zone,
    cause text,
    strikes integer DEFAULT 0 NOT NULL,
    last_write_at timestamp with time zone,
    updated_at timestamp with time zone NOT NULL
);

CREATE TABLE public.pull_request_links (
    repository_id uuid NOT NULL,
    pr_number integer NOT NULL,
    issue_number integer,
    stage text NOT NULL,
    branch text NOT NULL,
    base_branch text NOT NULL,
    head_sha text NOT NULL,
    pushed_sha text NOT NULL,
    url text DEFAULT ''::text NOT NULL,
    state text NOT NULL,
    origin text NOT NULL,
    foreign_push boolean DEFAULT false NOT NULL,
    created_by_run uuid NOT NULL,
    last_run uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    merged_at timestamp with time zone,
    published_at timestamp with time zone,
    CONSTRAINT pull_request_links_origin_check CHECK ((origin = ANY (ARRAY['platform'::text, 'adopted'::text]))),
    CONSTRAINT pull_request_links_state_check CHECK ((state = ANY (ARRAY['in_review'::text, 'approved'::text, 'merged'::text, 'closed'::text, 'superseded'::text])))
);

CREATE UNLOGGED TABLE public.rate_buckets (
    bucket text NOT NULL,
    key text NOT NULL,
    tokens double precision NOT NULL,
    updated_at timestamp with time zone NOT NULL
);

CREATE TABLE public.repositories (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    api_url text NOT NULL,
    web_url text NOT NULL,
    clone_url text NOT NULL,
    full_name text NOT NULL,
    forge_repository_id bigint NOT NULL,
    default_branch text NOT NULL,
    binding text NOT NULL,
    state text DEFAULT 'enabled'::text NOT NULL,
    health text DEFAULT 'ok'::text NOT NULL,
    webhook_secrets bytea NOT NULL,
    bound_at timestamp with time zone NOT NULL,
    scan_cursor timestamp with time zone,
    scan_etag text,
    scanned_at timestamp with time zone,
    fully_scanned_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    unbound_at timestamp with time zone,
    labels_pending text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT repositories_binding_check CHECK ((binding = ANY (ARRAY['token'::text, 'github_app'::text]))),
    CONSTRAINT repositories_check CHECK (((unbound_at IS NULL) OR (octet_length(webhook_secrets) = 0))),
    CONSTRAINT repositories_state_check CHECK ((state = ANY (ARRAY['enabled'::text, 'disabled'::text])))
);

CREATE TABLE public.repository_installations (
    repository_id uuid NOT NULL,
    purpose text NOT NULL,
    installation_id text NOT NULL,
    learned_at timestamp with time zone NOT NULL,
    CONSTRAINT repository_installations_purpose_check CHECK ((purpose = ANY (ARRAY['bot'::text, 'management'::text])))
);

CREATE TABLE public.repository_labels (
    repository_id uuid NOT NULL,
    key text NOT NULL,
    present boolean NOT NULL,
    text text NOT NULL,
    color text,
    description text,
    aliases text[] DEFAULT '{}'::text[] NOT NULL,
    changed_by text,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.repository_policies (
    repository_id uuid NOT NULL,
    hash text NOT NULL,
    commit_sha text NOT NULL,
    problem text,
    read_at timestamp with time zone NOT NULL
);

CREATE TABLE public.request_origins (
    correlation_id text NOT NULL,
    actor text NOT NULL,
    channel text NOT NULL,
    ip_prefix text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT request_origins_channel_check CHECK ((channel = ANY (ARRAY['console'::text, 'cli'::text, 'messenger'::text])))
);

CREATE TABLE public.requests (
    id uuid NOT NULL,
    kind text NOT NULL,
    project_id uuid NOT NULL,
    repository_id uuid,
    run_id uuid,
    attempt_id uuid,
    action text NOT NULL,
    run_kind text NOT NULL,
    run_role text NOT NULL,
    run_mode text NOT NULL,
    env text NOT NULL,
    body bytea NOT NULL,
    action_hash text NOT NULL,
    display jsonb NOT NULL,
    display_hash text NOT NULL,
    target_name text NOT NULL,
    state text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    row_id text NOT NULL,
    policy_version text NOT NULL,
    level text NOT NULL,
    self_approval boolean NOT NULL,
    typed_confirm boolean NOT NULL,
    grantable boolean NOT NULL,
    on_expiry text NOT NULL,
    execute_within integer NOT NULL,
    initiator_id uuid,
    opened_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    not_after timestamp with time zone,
    nonce bytea,
    nonce_used_at timestamp with time zone,
    mac bytea,
    approver_kind text,
    approver_id text,
    decided_at timestamp with time zone,
    reason text,
    reason_code text,
    acknowledged_sole boolean DEFAULT false NOT NULL,
    answer jsonb,
    result jsonb,
    idempotency_key text,
    renews uuid,
    settled_at timestamp with time zone,
    CONSTRAINT requests_action_hash_check CHECK ((action_hash ~ '^sha256:[0-9a-f]{64}$'::text)),
    CONSTRAINT requests_approver_kind_check CHECK ((approver_kind = ANY (ARRAY['user'::text, 'grant'::text, 'policy'::text]))),
    CONSTRAINT requests_check CHECK (((state <> ALL (ARRAY['applying'::text, 'applied'::text, 'failed'::text, 'unknown'::text])) OR (nonce_used_at IS NOT NULL))),
    CONSTRAINT requests_check1 CHECK (((state <> 'approved'::text) OR ((approver_kind IS NOT NULL) AND (approver_id IS NOT NULL) AND (mac IS NOT NULL)))),
    CONSTRAINT requests_display_hash_check CHECK ((display_hash ~ '^sha256:[0-9a-f]{64}$'::text)),
    CONSTRAINT requests_execute_within_check CHECK ((execute_within > 0)),
    CONSTRAINT requests_kind_check CHECK ((kind = ANY (ARRAY['approval'::text, 'question'::text, 'notice'::text]))),
    CONSTRAINT requests_level_check CHECK ((level = ANY (ARRAY['none'::text, 'delegated'::text, 'owner'::text]))),
    CONSTRAINT requests_on_expiry_check CHECK ((on_expiry = ANY (ARRAY['park'::text, 'resume'::text]))),
    CONSTRAINT requests_reason_check CHECK ((length(reason) <= 500)),
    CONSTRAINT requests_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'approved'::text, 'applying'::text, 'unknown'::text, 'queued'::text, 'denied'::text, 'expired'::text, 'cancelled'::text, 'void'::text, 'applied'::text, 'failed'::text, 'answered'::text, 'delivered'::text, 'undeliverable'::text])))
);

CREATE TABLE public.revoked_tokens (
    jti uuid NOT NULL,
    until timestamp with time zone NOT NULL
);

CREATE TABLE public.run_documents (
    run_id uuid NOT NULL,
    path text NOT NULL,
    status text NOT NULL,
    declared boolean NOT NULL,
    commit_sha text NOT NULL,
    pr_number integer NOT NULL,
    published_at timestamp with time zone NOT NULL
);

CREATE TABLE public.run_inbox (
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    kind text NOT NULL,
    source_ref text NOT NULL,
    author text NOT NULL,
    body text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    consumed_by uuid,
    CONSTRAINT run_inbox_kind_check CHECK ((kind = ANY (ARRAY['comment'::text, 'review'::text, 'answer'::text, 'feedback'::text])))
);

CREATE TABLE public.run_log_ends (
    attempt_id uuid NOT NULL,
    stream text NOT NULL,
    bytes bigint NOT NULL,
    lines bigint NOT NULL,
    sha256 bytea NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.run_log_heads (
    attempt_id uuid NOT NULL,
    stream text NOT NULL,
    stream_seq bigint NOT NULL,
    bytes bigint NOT NULL,
    lines bigint NOT NULL
);

CREATE TABLE public.run_logs (
    attempt_id uuid NOT NULL,
    seq bigint NOT NULL,
    stream text NOT NULL,
    stream_seq bigint NOT NULL,
    from_byte bigint NOT NULL,
    from_line bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    chunk bytea NOT NULL,
    CONSTRAINT run_logs_chunk_check CHECK ((octet_length(chunk) <= 65536)),
    CONSTRAINT run_logs_stream_check CHECK ((stream = ANY (ARRAY['engine'::text, 'runner'::text, 'platform'::text])))
);

CREATE SEQUENCE public.run_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.run_result_diffs (
    result_id uuid NOT NULL,
    base_sha text NOT NULL,
    diff bytea NOT NULL,
    truncated boolean NOT NULL,
    CONSTRAINT run_result_diffs_diff_check CHECK ((octet_length(diff) <= 1048576))
);

CREATE TABLE public.run_results (
    id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    proposal_no integer NOT NULL,
    report jsonb NOT NULL,
    bundle bytea,
    bundle_sha256 bytea,
    tree_sha text,
    commit_sha text,
    changed jsonb,
    violations jsonb,
    warnings jsonb DEFAULT '[]'::jsonb NOT NULL,
    verdict text,
    proposed_at timestamp with time zone NOT NULL,
    checked_at timestamp with time zone,
    CONSTRAINT run_results_verdict_check CHECK ((verdict = ANY (ARRAY['accepted'::text, 'repair'::text, 'refused'::text])))
);

CREATE TABLE public.run_usage (
    attempt_id uuid NOT NULL,
    seq bigint NOT NULL,
    model text NOT NULL,
    tokens_in bigint NOT NULL,
    tokens_cached bigint NOT NULL,
    tokens_out bigint NOT NULL,
    cost_micros bigint,
    source text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT run_usage_source_check CHECK ((source = ANY (ARRAY['relay'::text, 'engine'::text])))
);

CREATE TABLE public.runs (
    id uuid NOT NULL,
    number bigint DEFAULT nextval('public.run_number'::regclass) NOT NULL,
    project_id uuid NOT NULL,
    repository_id uuid NOT NULL,
    lane text NOT NULL,
    subject text NOT NULL,
    issue_number integer,
    pr_number integer,
    stage text,
    kind text NOT NULL,
    role text NOT NULL,
    trigger_source text NOT NULL,
    trigger_label text,
    requested_by_kind text NOT NULL,
    requested_by text NOT NULL,
    correlation_id text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    policy_hash text NOT NULL,
    launch_profile text,
    revises_run_id uuid,
    mode text NOT NULL,
    runtime_source text NOT NULL,
    env text DEFAULT 'none'::text NOT NULL,
    environment_id uuid,
    access_profile text DEFAULT 'code-only'::text NOT NULL,
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
    locale text NOT NULL,
    status text NOT NULL,
    failure_class text,
    code text,
    detail text,
    admission_reason text,
    finish_step text,
    version integer DEFAULT 1 NOT NULL,
    generation integer DEFAULT 0 NOT NULL,
    claimed_by text,
    claimed_until timestamp with time zone,
    resumed boolean DEFAULT false NOT NULL,
    not_before timestamp with time zone,
    active_seconds integer DEFAULT 0 NOT NULL,
    clock_started_at timestamp with time zone,
    limit_seconds integer NOT NULL,
    warned_at timestamp with time zone,
    tokens_in bigint DEFAULT 0 NOT NULL,
    tokens_cached bigint DEFAULT 0 NOT NULL,
    tokens_out bigint DEFAULT 0 NOT NULL,
    cost_micros bigint,
    notes jsonb DEFAULT '[]'::jsonb NOT NULL,
    world jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    status_since timestamp with time zone NOT NULL,
    admitted_at timestamp with time zone,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    CONSTRAINT runs_check CHECK (((status = 'failed'::text) = (failure_class IS NOT NULL))),
    CONSTRAINT runs_detail_check CHECK ((octet_length(detail) <= 2048)),
    CONSTRAINT runs_failure_class_check CHECK ((failure_class = ANY (ARRAY['precondition'::text, 'policy'::text, 'infrastructure'::text, 'agent'::text, 'timeout'::text, 'budget'::text]))),
    CONSTRAINT runs_lane_check CHECK ((lane = ANY (ARRAY['work'::text, 'talk'::text, 'review'::text, 'deploy'::text]))),
    CONSTRAINT runs_mode_check CHECK ((mode = ANY (ARRAY['code-only'::text, 'full-env'::text]))),
    CONSTRAINT runs_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'preparing'::text, 'running'::text, 'waiting'::text, 'finishing'::text, 'cancelling'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text])))
);

CREATE TABLE public.schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    hash bytea NOT NULL,
    method text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    ip_prefix text NOT NULL,
    user_agent text NOT NULL,
    CONSTRAINT sessions_check CHECK (((ended_at IS NULL) = (end_reason IS NULL))),
    CONSTRAINT sessions_end_reason_check CHECK ((end_reason = ANY (ARRAY['signed_out'::text, 'revoked'::text, 'revoked_all'::text, 'demoted'::text, 'disabled'::text]))),
    CONSTRAINT sessions_method_check CHECK ((method = ANY (ARRAY['github'::text, 'local'::text])))
);

CREATE TABLE public.setting_changes (
    id uuid NOT NULL,
    key text NOT NULL,
    version integer NOT NULL,
    before jsonb,
    after jsonb,
    changed_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL
);

CREATE TABLE public.stack_declarations (
    repository_id uuid NOT NULL,
    commit_sha text NOT NULL,
    problem text,
    runtime jsonb,
    deploy jsonb,
    read_at timestamp with time zone NOT NULL
);

CREATE TABLE public.status_comments (
    run_id uuid NOT NULL,
    repository_id uuid NOT NULL,
    thread integer NOT NULL,
    comment_id bigint,
    url text,
    body_sha256 bytea,
    rendered_at timestamp with time zone,
    phase text,
    recreations integer DEFAULT 0 NOT NULL,
    suppressed boolean DEFAULT false NOT NULL
);

CREATE TABLE public.stored_settings (
    key text NOT NULL,
    value jsonb NOT NULL,
    version integer NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    updated_by text NOT NULL
);

CREATE TABLE public.threads (
    repository_id uuid NOT NULL,
    number integer NOT NULL,
    is_pull_request boolean NOT NULL,
    state text NOT NULL,
    labels text[] NOT NULL,
    seen_at timestamp with time zone NOT NULL
);

CREATE TABLE public.trigger_ledger (
    repository_id uuid NOT NULL,
    thread integer NOT NULL,
    label text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    source text NOT NULL,
    decision text NOT NULL,
    reason text,
    run_id uuid,
    delivery_id text,
    decided_at timestamp with time zone NOT NULL,
    CONSTRAINT trigger_ledger_source_check CHECK ((source = ANY (ARRAY['webhook'::text, 'scan'::text, 'console'::text])))
);

CREATE TABLE public.users (
    id uuid NOT NULL,
    email public.citext NOT NULL,
    github_user_id bigint,
    github_login text,
    display_name text NOT NULL,
    locale text DEFAULT 'en'::text NOT NULL,
    role text NOT NULL,
    state text NOT NULL,
    access_version integer DEFAULT 1 NOT NULL,
    invited_by uuid,
    created_at timestamp with time zone NOT NULL,
    zone text DEFAULT 'UTC'::text NOT NULL,
    preferences jsonb DEFAULT '{}'::jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text]))),
    CONSTRAINT users_state_check CHECK ((state = ANY (ARRAY['invited'::text, 'active'::text, 'disabled'::text])))
);

CREATE TABLE public.waits (
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    attempt_id uuid,
    kind text NOT NULL,
    target_kind text NOT NULL,
    target_id text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    who_can_act text NOT NULL,
    deadline_at timestamp with time zone,
    resume_at timestamp with time zone,
    mark text,
    status text NOT NULL,
    resolution text,
    resolution_text text,
    resolved_by text,
    resolved_at timestamp with time zone,
    CONSTRAINT waits_kind_check CHECK ((kind = ANY (ARRAY['approval'::text, 'question'::text, 'owner_review'::text, 'rate_limit'::text, 'budget'::text]))),
    CONSTRAINT waits_mark_check CHECK ((mark = 'approval_expired'::text)),
    CONSTRAINT waits_status_check CHECK ((status = ANY (ARRAY['open'::text, 'resolved'::text, 'expired'::text, 'cancelled'::text])))
);

CREATE TABLE public.webhook_deliveries (
    delivery_id text NOT NULL,
    repository_id uuid,
    binding text NOT NULL,
    event text NOT NULL,
    payload bytea NOT NULL,
    received_at timestamp with time zone NOT NULL,
    action text,
    thread integer,
    status text DEFAULT 'received'::text NOT NULL,
    verdict text,
    reason text,
    tries integer DEFAULT 0 NOT NULL,
    not_before timestamp with time zone NOT NULL,
    app_id bigint,
    CONSTRAINT webhook_deliveries_binding_check CHECK ((binding = ANY (ARRAY['token'::text, 'github_app'::text]))),
    CONSTRAINT webhook_deliveries_status_check CHECK ((status = ANY (ARRAY['received'::text, 'decided'::text, 'dead'::text])))
);

CREATE TABLE public.worker_instances (
    worker_id text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    heartbeat_at timestamp with time zone NOT NULL,
    missed_at timestamp with time zone
);

ALTER TABLE ONLY public.journal ATTACH PARTITION public.journal_default DEFAULT;

ALTER TABLE ONLY public.agent_sessions
    ADD CONSTRAINT agent_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_hash_key UNIQUE (hash);

ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_run_id_generation_key UNIQUE (run_id, generation);

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.diagnostic_comments
    ADD CONSTRAINT diagnostic_comments_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.effects
    ADD CONSTRAINT effects_dedupe_key_key UNIQUE (dedupe_key);

ALTER TABLE ONLY public.effects
    ADD CONSTRAINT effects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (principal, method, path, key);

ALTER TABLE ONLY public.inbox_snoozes
    ADD CONSTRAINT inbox_snoozes_pkey PRIMARY KEY (user_id, item);

ALTER TABLE ONLY public.incident_views
    ADD CONSTRAINT incident_views_pkey PRIMARY KEY (user_id, incident_id);

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.issue_workflows
    ADD CONSTRAINT issue_workflows_pkey PRIMARY KEY (repository_id, issue_number);

ALTER TABLE ONLY public.journal_breaks
    ADD CONSTRAINT journal_breaks_pkey PRIMARY KEY (stream);

ALTER TABLE ONLY public.journal_cuts
    ADD CONSTRAINT journal_cuts_pkey PRIMARY KEY (stream);

ALTER TABLE ONLY public.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (seq, at);

ALTER TABLE ONLY public.journal_default
    ADD CONSTRAINT journal_default_pkey PRIMARY KEY (seq, at);

ALTER TABLE ONLY public.journal_heads
    ADD CONSTRAINT journal_heads_pkey PRIMARY KEY (stream);

ALTER TABLE ONLY public.journal_walk_heads
    ADD CONSTRAINT journal_walk_heads_pkey PRIMARY KEY (walk, stream);

ALTER TABLE ONLY public.journal_walks
    ADD CONSTRAINT journal_walks_pkey PRIMARY KEY (walk);

ALTER TABLE ONLY public.login_codes
    ADD CONSTRAINT login_codes_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.login_failures
    ADD CONSTRAINT login_failures_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.login_states
    ADD CONSTRAINT login_states_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (project_id, user_id);

ALTER TABLE ONLY public.open_sockets
    ADD CONSTRAINT open_sockets_pkey PRIMARY KEY (user_id, gateway);

ALTER TABLE ONLY public.policy_texts
    ADD CONSTRAINT policy_texts_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.process_instances
    ADD CONSTRAINT process_instances_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_key_key UNIQUE (key);

ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.prompts
    ADD CONSTRAINT prompts_attempt_id_key UNIQUE (attempt_id);

ALTER TABLE ONLY public.prompts
    ADD CONSTRAINT prompts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.provider_limits
    ADD CONSTRAINT provider_limits_pkey PRIMARY KEY (installation_id, bucket);

ALTER TABLE ONLY public.pull_request_links
    ADD CONSTRAINT pull_request_links_pkey PRIMARY KEY (repository_id, pr_number);

ALTER TABLE ONLY public.rate_buckets
    ADD CONSTRAINT rate_buckets_pkey PRIMARY KEY (bucket, key);

ALTER TABLE ONLY public.repositories
    ADD CONSTRAINT repositories_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.repository_installations
    ADD CONSTRAINT repository_installations_pkey PRIMARY KEY (repository_id, purpose);

ALTER TABLE ONLY public.repository_labels
    ADD CONSTRAINT repository_labels_pkey PRIMARY KEY (repository_id, key);

ALTER TABLE ONLY public.repository_policies
    ADD CONSTRAINT repository_policies_pkey PRIMARY KEY (repository_id);

ALTER TABLE ONLY public.request_origins
    ADD CONSTRAINT request_origins_pkey PRIMARY KEY (correlation_id, actor);

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_nonce_key UNIQUE (nonce);

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.revoked_tokens
    ADD CONSTRAINT revoked_tokens_pkey PRIMARY KEY (jti);

ALTER TABLE ONLY public.run_documents
    ADD CONSTRAINT run_documents_pkey PRIMARY KEY (run_id, path);

ALTER TABLE ONLY public.run_inbox
    ADD CONSTRAINT run_inbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.run_inbox
    ADD CONSTRAINT run_inbox_run_id_source_ref_key UNIQUE (run_id, source_ref);

ALTER TABLE ONLY public.run_log_ends
    ADD CONSTRAINT run_log_ends_pkey PRIMARY KEY (attempt_id, stream);

ALTER TABLE ONLY public.run_log_heads
    ADD CONSTRAINT run_log_heads_pkey PRIMARY KEY (attempt_id, stream);

ALTER TABLE ONLY public.run_logs
    ADD CONSTRAINT run_logs_attempt_id_stream_stream_seq_key UNIQUE (attempt_id, stream, stream_seq);

ALTER TABLE ONLY public.run_logs
    ADD CONSTRAINT run_logs_pkey PRIMARY KEY (attempt_id, seq);

ALTER TABLE ONLY public.run_result_diffs
    ADD CONSTRAINT run_result_diffs_pkey PRIMARY KEY (result_id);

ALTER TABLE ONLY public.run_results
    ADD CONSTRAINT run_results_attempt_id_proposal_no_key UNIQUE (attempt_id, proposal_no);

ALTER TABLE ONLY public.run_results
    ADD CONSTRAINT run_results_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.run_usage
    ADD CONSTRAINT run_usage_pkey PRIMARY KEY (attempt_id, seq);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_correlation_id_key UNIQUE (correlation_id);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_number_key UNIQUE (number);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_hash_key UNIQUE (hash);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.setting_changes
    ADD CONSTRAINT setting_changes_key_version_key UNIQUE (key, version);

ALTER TABLE ONLY public.setting_changes
    ADD CONSTRAINT setting_changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.stack_declarations
    ADD CONSTRAINT stack_declarations_pkey PRIMARY KEY (repository_id);

ALTER TABLE ONLY public.status_comments
    ADD CONSTRAINT status_comments_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY public.stored_settings
    ADD CONSTRAINT stored_settings_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.threads
    ADD CONSTRAINT threads_pkey PRIMARY KEY (repository_id, number);

ALTER TABLE ONLY public.trigger_ledger
    ADD CONSTRAINT trigger_ledger_pkey PRIMARY KEY (repository_id, thread, label, occurred_at);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_github_user_id_key UNIQUE (github_user_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.waits
    ADD CONSTRAINT waits_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (delivery_id);

ALTER TABLE ONLY public.worker_instances
    ADD CONSTRAINT worker_instances_pkey PRIMARY KEY (worker_id);

CREATE INDEX agent_sessions_lineage ON public.agent_sessions USING btree (repository_id, issue_number, stage, role, created_at DESC);

CREATE INDEX agent_sessions_run ON public.agent_sessions USING btree (run_id, created_at DESC);

CREATE INDEX api_tokens_user ON public.api_tokens USING btree (user_id);

CREATE UNIQUE INDEX attempts_one_open ON public.attempts USING btree (run_id) WHERE (status <> 'ended'::text);

CREATE INDEX attempts_status ON public.attempts USING btree (status) WHERE (status <> 'ended'::text);

CREATE UNIQUE INDEX credentials_platform ON public.credentials USING btree (purpose, kind) WHERE (scope = 'platform'::text);

CREATE UNIQUE INDEX credentials_project ON public.credentials USING btree (project_id, purpose, kind) WHERE (scope = 'project'::text);

CREATE UNIQUE INDEX credentials_repository ON public.credentials USING btree (repository_id, purpose, kind) WHERE (scope = 'repository'::text);

CREATE INDEX diagnostic_comments_open ON public.diagnostic_comments USING btree (repository_id, thread) WHERE (resolved_at IS NULL);

CREATE INDEX effects_open ON public.effects USING btree (status, not_before) WHERE (status = ANY (ARRAY['reserved'::text, 'submitted'::text, 'unknown'::text]));

CREATE INDEX effects_order ON public.effects USING btree (order_key, no);

CREATE INDEX effects_run ON public.effects USING btree (run_id);

CREATE INDEX idempotency_created ON public.idempotency_keys USING btree (created_at);

CREATE INDEX inbox_snoozes_until ON public.inbox_snoozes USING btree (until);

CREATE INDEX incident_views_incident ON public.incident_views USING btree (incident_id);

CREATE INDEX incidents_last_seen ON public.incidents USING btree (last_seen);

CREATE INDEX incidents_of_fingerprint ON public.incidents USING btree (fingerprint, last_seen DESC);

CREATE INDEX incidents_of_project ON public.incidents USING btree (project_id, last_seen DESC);

CREATE INDEX incidents_of_run ON public.incidents USING btree (run_id) WHERE (run_id IS NOT NULL);

CREATE UNIQUE INDEX incidents_open ON public.incidents USING btree (fingerprint) WHERE (state = 'open'::text);

CREATE INDEX incidents_previous ON public.incidents USING btree (previous_id) WHERE (previous_id IS NOT NULL);

CREATE INDEX journal_correlation ON ONLY public.journal USING btree (correlation_id);

CREATE INDEX journal_default_correlation_id_idx ON public.journal_default USING btree (correlation_id);

CREATE INDEX journal_run ON ONLY public.journal USING btree (run_id, seq) WHERE (run_id IS NOT NULL);

CREATE INDEX journal_default_run_id_seq_idx ON public.journal_default USING btree (run_id, seq) WHERE (run_id IS NOT NULL);

CREATE INDEX journal_stream ON ONLY public.journal USING btree (stream, seq);

CREATE INDEX journal_default_stream_seq_idx ON public.journal_default USING btree (stream, seq);

CREATE INDEX journal_tx_seq ON ONLY public.journal USING btree (tx, seq);

CREATE INDEX journal_default_tx_seq_idx ON public.journal_default USING btree (tx, seq);

CREATE INDEX login_codes_expiry ON public.login_codes USING btree (expires_at);

CREATE INDEX login_states_expiry ON public.login_states USING btree (expires_at);

CREATE INDEX memberships_user ON public.memberships USING btree (user_id);

CREATE INDEX open_sockets_gateway ON public.open_sockets USING btree (gateway);

CREATE INDEX open_sockets_seen_at ON public.open_sockets USING btree (seen_at);

CREATE INDEX process_instances_heartbeat ON public.process_instances USING btree (heartbeat_at);

CREATE INDEX pull_request_links_branch ON public.pull_request_links USING btree (repository_id, branch);

CREATE UNIQUE INDEX pull_request_links_one_open ON public.pull_request_links USING btree (repository_id, issue_number, stage) WHERE ((state = ANY (ARRAY['in_review'::text, 'approved'::text])) AND (origin = 'platform'::text));

CREATE UNIQUE INDEX repositories_bound ON public.repositories USING btree (api_url, forge_repository_id) WHERE (unbound_at IS NULL);

CREATE INDEX repositories_name ON public.repositories USING btree (api_url, lower(full_name));

CREATE INDEX repositories_project ON public.repositories USING btree (project_id);

CREATE INDEX request_origins_at ON public.request_origins USING btree (at);

CREATE INDEX requests_due ON public.requests USING btree (expires_at) WHERE (state = 'requested'::text);

CREATE UNIQUE INDEX requests_key ON public.requests USING btree (run_id, action, idempotency_key) WHERE (idempotency_key IS NOT NULL);

CREATE INDEX requests_newest ON public.requests USING btree (project_id, opened_at DESC, id);

CREATE INDEX requests_of_run ON public.requests USING btree (run_id, action, opened_at DESC);

CREATE INDEX requests_of_target ON public.requests USING btree (project_id, action, target_name, decided_at DESC) WHERE (decided_at IS NOT NULL);

CREATE UNIQUE INDEX requests_one_open ON public.requests USING btree (run_id, action, action_hash) WHERE (state = ANY (ARRAY['requested'::text, 'approved'::text, 'applying'::text, 'unknown'::text]));

CREATE INDEX run_results_unchecked ON public.run_results USING btree (proposed_at) WHERE (verdict IS NULL);

CREATE INDEX runs_created ON public.runs USING btree (created_at DESC, id DESC);

CREATE INDEX runs_issue ON public.runs USING btree (repository_id, issue_number, created_at DESC);

CREATE INDEX runs_live ON public.runs USING btree (status, not_before) WHERE (status <> ALL (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text]));

CREATE UNIQUE INDEX runs_one_active ON public.runs USING btree (repository_id, lane, subject) WHERE (status <> ALL (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text]));

CREATE UNIQUE INDEX runs_one_repair ON public.runs USING btree (project_id) WHERE ((kind = 'ai_repair'::text) AND (status <> ALL (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text])));

CREATE INDEX runs_pr ON public.runs USING btree (repository_id, pr_number, created_at DESC);

CREATE INDEX runs_queue ON public.runs USING btree (project_id, role, mode, created_at) WHERE (status = 'queued'::text);

CREATE INDEX sessions_user ON public.sessions USING btree (user_id);

CREATE INDEX trigger_ledger_deferred ON public.trigger_ledger USING btree (repository_id, thread) WHERE (reason = 'deferred_active_run'::text);

CREATE UNIQUE INDEX users_one_owner ON public.users USING btree (role) WHERE (role = 'owner'::text);

CREATE INDEX waits_deadline ON public.waits USING btree (kind, deadline_at) WHERE (status = 'open'::text);

CREATE UNIQUE INDEX waits_one_open ON public.waits USING btree (run_id, kind, target_id) WHERE (status = 'open'::text);

CREATE INDEX webhook_deliveries_open ON public.webhook_deliveries USING btree (status, not_before, received_at) WHERE (status = 'received'::text);

CREATE INDEX webhook_deliveries_received ON public.webhook_deliveries USING btree (received_at);

ALTER INDEX public.journal_correlation ATTACH PARTITION public.journal_default_correlation_id_idx;

ALTER INDEX public.journal_pkey ATTACH PARTITION public.journal_default_pkey;

ALTER INDEX public.journal_run ATTACH PARTITION public.journal_default_run_id_seq_idx;

ALTER INDEX public.journal_stream ATTACH PARTITION public.journal_default_stream_seq_idx;

ALTER INDEX public.journal_tx_seq ATTACH PARTITION public.journal_default_tx_seq_idx;

CREATE TRIGGER requests_keep_their_bytes BEFORE UPDATE ON public.requests FOR EACH ROW EXECUTE FUNCTION public.requests_keep_their_bytes();

ALTER TABLE ONLY public.agent_sessions
    ADD CONSTRAINT agent_sessions_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempts(id);

ALTER TABLE ONLY public.agent_sessions
    ADD CONSTRAINT agent_sessions_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.agent_sessions
    ADD CONSTRAINT agent_sessions_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.api_tokens
    ADD CONSTRAINT api_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.diagnostic_comments
    ADD CONSTRAINT diagnostic_comments_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.effects
    ADD CONSTRAINT effects_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.effects
    ADD CONSTRAINT effects_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.inbox_snoozes
    ADD CONSTRAINT inbox_snoozes_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.incident_views
    ADD CONSTRAINT incident_views_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES public.incidents(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.incident_views
    ADD CONSTRAINT incident_views_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_muted_by_fkey FOREIGN KEY (muted_by) REFERENCES public.users(id);

ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT incidents_previous_id_fkey FOREIGN KEY (previous_id) REFERENCES public.incidents(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.issue_workflows
    ADD CONSTRAINT issue_workflows_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.journal_walk_heads
    ADD CONSTRAINT journal_walk_heads_walk_fkey FOREIGN KEY (walk) REFERENCES public.journal_walks(walk);

ALTER TABLE ONLY public.login_codes
    ADD CONSTRAINT login_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.prompts
    ADD CONSTRAINT prompts_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempts(id);

ALTER TABLE ONLY public.prompts
    ADD CONSTRAINT prompts_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.pull_request_links
    ADD CONSTRAINT pull_request_links_created_by_run_fkey FOREIGN KEY (created_by_run) REFERENCES public.runs(id);

ALTER TABLE ONLY public.pull_request_links
    ADD CONSTRAINT pull_request_links_last_run_fkey FOREIGN KEY (last_run) REFERENCES public.runs(id);

ALTER TABLE ONLY public.pull_request_links
    ADD CONSTRAINT pull_request_links_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.repositories
    ADD CONSTRAINT repositories_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);

ALTER TABLE ONLY public.repository_installations
    ADD CONSTRAINT repository_installations_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.repository_labels
    ADD CONSTRAINT repository_labels_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.repository_policies
    ADD CONSTRAINT repository_policies_hash_fkey FOREIGN KEY (hash) REFERENCES public.policy_texts(hash);

ALTER TABLE ONLY public.repository_policies
    ADD CONSTRAINT repository_policies_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempts(id);

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_initiator_id_fkey FOREIGN KEY (initiator_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_renews_fkey FOREIGN KEY (renews) REFERENCES public.requests(id);

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.run_documents
    ADD CONSTRAINT run_documents_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.run_inbox
    ADD CONSTRAINT run_inbox_consumed_by_fkey FOREIGN KEY (consumed_by) REFERENCES public.attempts(id);

ALTER TABLE ONLY public.run_inbox
    ADD CONSTRAINT run_inbox_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.run_log_ends
    ADD CONSTRAINT run_log_ends_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempts(id);

ALTER TABLE ONLY public.run_log_heads
    ADD CONSTRAINT run_log_heads_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempts(id);

ALTER TABLE ONLY public.run_logs
    ADD CONSTRAINT run_logs_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempts(id);

ALTER TABLE ONLY public.run_result_diffs
    ADD CONSTRAINT run_result_diffs_result_id_fkey FOREIGN KEY (result_id) REFERENCES public.run_results(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.run_results
    ADD CONSTRAINT run_results_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempts(id);

ALTER TABLE ONLY public.run_usage
    ADD CONSTRAINT run_usage_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempts(id);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_revises_run_id_fkey FOREIGN KEY (revises_run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);

ALTER TABLE ONLY public.stack_declarations
    ADD CONSTRAINT stack_declarations_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.status_comments
    ADD CONSTRAINT status_comments_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.status_comments
    ADD CONSTRAINT status_comments_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);

ALTER TABLE ONLY public.threads
    ADD CONSTRAINT threads_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.trigger_ledger
    ADD CONSTRAINT trigger_ledger_repository_id_fkey FOREIGN KEY (repository_id) REFERENCES public.repositories(id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES public.users(id);

ALTER TABLE ONLY public.waits
    ADD CONSTRAINT waits_attempt_id_fkey FOREIGN KEY (attempt_id) REFERENCES public.attempts(id);

ALTER TABLE ONLY public.waits
    ADD CONSTRAINT waits_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id);

GRANT USAGE ON SCHEMA public TO stagewright_app;
GRANT USAGE ON SCHEMA public TO stagewright_retention;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.agent_sessions TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.api_tokens TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.attempts TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.credentials TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.diagnostic_comments TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.effects TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.idempotency_keys TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.inbox_snoozes TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.incident_views TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.incidents TO stagewright_app;

GRANT SELECT ON TABLE public.installation TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.issue_workflows TO stagewright_app;

GRANT SELECT,INSERT ON TABLE public.journal TO stagewright_app;
GRANT SELECT,DELETE ON TABLE public.journal TO stagewright_retention;

GRANT SELECT,INSERT ON TABLE public.journal_breaks TO stagewright_app;

GRANT SELECT ON TABLE public.journal_cuts TO stagewright_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.journal_cuts TO stagewright_retention;

GRANT SELECT,INSERT,UPDATE ON TABLE public.journal_heads TO stagewright_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.journal_heads TO stagewright_retention;

GRANT USAGE ON SEQUENCE public.journal_seq TO stagewright_app;
GRANT USAGE ON SEQUENCE public.journal_seq TO stagewright_retention;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.journal_walk_heads TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.journal_walks TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.login_codes TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.login_failures TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.login_states TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.memberships TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.open_sockets TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.policy_texts TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.process_instances TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.projects TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.prompts TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.provider_limits TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.pull_request_links TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rate_buckets TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.repositories TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.repository_installations TO stagewright_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.repository_labels TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.repository_policies TO stagewright_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.request_origins TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.requests TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.revoked_tokens TO stagewright_app;

GRANT SELECT,INSERT ON TABLE public.run_documents TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.run_inbox TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.run_log_ends TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.run_log_heads TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.run_logs TO stagewright_app;

GRANT USAGE ON SEQUENCE public.run_number TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.run_result_diffs TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.run_results TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.run_usage TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.runs TO stagewright_app;

GRANT SELECT ON TABLE public.schema_migrations TO stagewright_app;
GRANT SELECT ON TABLE public.schema_migrations TO stagewright_retention;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sessions TO stagewright_app;

GRANT SELECT,INSERT ON TABLE public.setting_changes TO stagewright_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.stack_declarations TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.status_comments TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.stored_settings TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.threads TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.trigger_ledger TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.waits TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_deliveries TO stagewright_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.worker_instances TO stagewright_app;
