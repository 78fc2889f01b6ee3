"""From ``services.yaml`` to a plan: load, merge, render, validate and plan a project's stack (``stack.md``)."""
