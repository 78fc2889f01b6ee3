"""What the command `run` does: reading, following, acting."""
