"""The engine ``codex``: the Codex CLI in exec mode, all but the relay and the governed tools switched off."""
