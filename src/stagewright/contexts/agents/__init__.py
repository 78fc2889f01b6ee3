"""Agents: roles, prompts, report schemas, sessions and what an engine needs."""
