"""Stagewright: from a label on an issue to operations, with agents that hold no credentials."""

__version__ = "0.1.0"
"""Read by the build (pyproject.toml): asking the installed package's metadata costs a start-up 15 ms."""
