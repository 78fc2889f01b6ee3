"""Words of the talk lane: its name, and what its waits are for."""

LANE = "talk"
DISCUSSION = "discussion"
"""The wait of a talk run for the next comments."""
ATTEMPTS = "attempts"
"""The wait of a talk run that used all its attempts."""
REPORT = "report"
"""The wait for the answer to a report."""
