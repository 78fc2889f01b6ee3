-- Which documents a run left on its branch, kept when its results are forgotten: what an issue's lineage leads to.

create table run_documents (
    run_id uuid not null references runs (id),
    path text not null,
    status text not null,
    declared boolean not null,
    commit_sha text not null,
    pr_number integer not null,
    published_at timestamptz not null,
    primary key (run_id, path)
);

insert into run_documents (run_id, path, status, declared, commit_sha, pr_number, published_at)
select distinct on (r.id, c ->> 'path') r.id, c ->> 'path', left(c ->> 'status', 1),
    coalesce(p.report -> 'sections' -> 'artifacts' ? (c ->> 'path'), false), p.commit_sha, r.pr_number, r.finished_at
from runs r join attempts a on a.run_id = r.id join run_results p on p.attempt_id = a.id
    cross join lateral jsonb_array_elements(p.changed) c
where r.status = 'succeeded' and r.pr_number is not null and p.verdict = 'accepted' and p.commit_sha is not null
  and jsonb_typeof(p.changed) = 'array' and c ->> 'path' is not null
order by r.id, c ->> 'path', p.checked_at desc;

grant select, insert on run_documents to stagewright_app;
