"""The practice forge: a small in-memory GitHub-compatible server on loopback, for the demo, rehearsals and tests."""
