-- What the console's other screens need: who has seen which incident, where it leads, what is snoozed, stored settings,
-- the processes that live.

alter table incidents
    add column deploy_id uuid,
    add column environment_id uuid,
    add column namespace text,
    add column job_name text,
    add column request_id uuid,
    add column delivery_id text,
    add column muted_by uuid references users (id),
    add column resolved_by text,
    add column resolved_at timestamptz,
    add column resolved_reason text,
    drop constraint incidents_previous_id_fkey,
    add constraint incidents_previous_id_fkey foreign key (previous_id) references incidents (id) on delete set null;
create index incidents_previous on incidents (previous_id) where previous_id is not null;
create index incidents_of_fingerprint on incidents (fingerprint, last_seen desc);
create index incidents_of_project on incidents (project_id, last_seen desc);
create index incidents_of_run on incidents (run_id) where run_id is not null;

create table incident_views (
    user_id uuid not null references users (id),
    incident_id uuid not null references incidents (id) on delete cascade,
    viewed_at timestamptz not null,
    primary key (user_id, incident_id)
);
create index incident_views_incident on incident_views (incident_id);

create table inbox_snoozes (
    user_id uuid not null references users (id),
    item text not null,
    until timestamptz not null,
    snoozed_at timestamptz not null,
    primary key (user_id, item)
);
create index inbox_snoozes_until on inbox_snoozes (until);

create table stored_settings (
    key text primary key,
    value jsonb not null,
    version integer not null,
    updated_at timestamptz not null,
    updated_by text not null
);

create table setting_changes (
    id uuid primary key,
    key text not null,
    version integer not null,
    before jsonb,
    after jsonb,
    changed_at timestamptz not null,
    changed_by text not null,
    unique (key, version)
);

create table process_instances (
    id text primary key,
    kind text not null,
    version text not null,
    started_at timestamptz not null,
    heartbeat_at timestamptz not null,
    figures jsonb not null default '{}'
);
create index process_instances_heartbeat on process_instances (heartbeat_at);

grant select, insert, update, delete on incident_views, inbox_snoozes, stored_settings, process_instances
    to stagewright_app;
grant select, insert on setting_changes to stagewright_app;
