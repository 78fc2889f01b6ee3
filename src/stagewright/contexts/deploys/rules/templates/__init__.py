"""Expressions inside of scalars (``stack.md`` section 4): split, checked against a white list, run in a sandbox."""
