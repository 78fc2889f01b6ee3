"""The engine ``claude``: Claude Code in print mode. Its licence forbids shipping it: installed at deployment only."""
