"""Figures of a process for Prometheus, and the small door that shows them with health and readiness."""

from stagewright.kit.metrics.door import Check, ObservabilityDoor, Pulse
from stagewright.kit.metrics.registry import Metrics

__all__ = ["Check", "Metrics", "ObservabilityDoor", "Pulse"]
