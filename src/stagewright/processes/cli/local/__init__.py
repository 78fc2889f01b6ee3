"""The process tree of `up` and `demo`: database, children, endpoints. Imported by these two commands only."""
