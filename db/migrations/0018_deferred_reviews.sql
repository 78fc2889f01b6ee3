-- Requests for changes that wait for a run's end are looked for every few seconds; they are few.
create index trigger_ledger_deferred on trigger_ledger (repository_id, thread) where reason = 'deferred_active_run';
