"""The stack file as types: one class per table of ``stack.md``. Camel case in files, snake case here."""
