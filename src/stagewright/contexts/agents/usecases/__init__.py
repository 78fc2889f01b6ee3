"""Verbs of the agents context: compose and record prompts, save and open sessions."""
