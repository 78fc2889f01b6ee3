"""The rehearsal engine: a scenario in YAML instead of a model. Deterministic, needs no credential."""
