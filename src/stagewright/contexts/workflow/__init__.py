"""What a label means: policy, stages, labels, decisions, next steps. Almost all pure; other contexts use `api`."""
