"""Small classes that satisfy our ports, for tests."""
