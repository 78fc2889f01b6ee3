"""Real bare repositories: reading, writing, comparing and serving them with the git program."""
