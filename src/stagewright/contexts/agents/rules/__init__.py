"""Decisions about prompts, texts of others, reports and sessions: values in, values out."""
