"""People, API tokens, memberships and the one list of permissions."""
