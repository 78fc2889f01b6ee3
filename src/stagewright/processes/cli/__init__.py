"""The command line: a client of the REST API, and `up` and `demo`, which start everything on this machine."""
