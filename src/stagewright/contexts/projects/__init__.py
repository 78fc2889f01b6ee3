"""Projects, their repositories and settings."""
