"""Agent engines behind one contract. Used by the runner: imports no context and no database."""
