"""Runs as processes of this machine: one supervisor per workload. Not a security boundary."""
