"""Loops that make things true: one duty each, isolated from each other's failures, woken by the journal's bell."""

from stagewright.kit.loops.bell import BellListener
from stagewright.kit.loops.group import Loops
from stagewright.kit.loops.loop import Duty, Lease, Loop

__all__ = ["BellListener", "Duty", "Lease", "Loop", "Loops"]
