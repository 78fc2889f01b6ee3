"""Import contracts of our own, for what import-linter has no contract type."""
