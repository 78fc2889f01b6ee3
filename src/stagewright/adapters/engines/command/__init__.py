"""The engine ``command``: any command line that reads a prompt file and writes a result file."""
