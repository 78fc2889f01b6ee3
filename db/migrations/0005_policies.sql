-- The policy file in force per repository: the last valid one, pinned to the commit it was read at.

create table policy_texts (
    hash text primary key,
    project_text text,
    first_seen_at timestamptz not null
);

create table repository_policies (
    repository_id uuid primary key references repositories (id),
    hash text not null references policy_texts (hash),
    commit_sha text not null,
    problem text,
    read_at timestamptz not null
);

grant select, insert, update, delete on policy_texts, repository_policies to stagewright_app;
