"""Checks of the house that no linter has: one module per subject, one function ``(tree) -> problems`` per check."""
