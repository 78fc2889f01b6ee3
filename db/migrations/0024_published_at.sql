-- When the platform published into a linked pull request last: an approval given before that is of an older result.
alter table pull_request_links add column published_at timestamptz;
