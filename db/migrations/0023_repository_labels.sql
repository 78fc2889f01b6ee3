-- What is known of the managed labels on the forge: as we wrote them, or as people changed them since.

create table repository_labels (
    repository_id uuid not null references repositories (id),
    key text not null,
    present boolean not null,
    text text not null,
    color text,
    description text,
    aliases text[] not null default '{}',
    changed_by text,
    changed_at timestamptz not null,
    primary key (repository_id, key)
);

insert into repository_labels (repository_id, key, present, text, changed_at)
select r.id, t.key, true, t.value, now() from repositories r cross join lateral jsonb_each_text(r.label_texts) t;

grant select, insert, update on repository_labels to stagewright_app;
