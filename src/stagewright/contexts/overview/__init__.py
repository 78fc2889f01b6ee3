"""Read-only views across contexts: what needs a person, and figures."""
