"""Environments (``stack.md`` section 3): inheritance, defaults of their kinds, names, and what they may hold."""
