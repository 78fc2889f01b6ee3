-- When a linked pull request was merged, by the forge's clock: it tells an Issue that the merge closed from one that
-- somebody closed later.
alter table pull_request_links add column merged_at timestamptz;
