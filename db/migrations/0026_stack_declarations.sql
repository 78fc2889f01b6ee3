-- What a repository's services.yaml declares at the head of its default branch, as the worker read it last. Decisions
-- and previews look here, so that they need no git.

create table stack_declarations (
    repository_id uuid primary key references repositories (id),
    commit_sha text not null,
    problem text,
    runtime jsonb,
    deploy jsonb,
    read_at timestamptz not null
);

grant select, insert, update on stack_declarations to stagewright_app;
