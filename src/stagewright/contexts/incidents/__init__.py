"""The runtime error journal."""
