"""The door of run workloads: gRPC with the attempt's ``run`` token."""

from stagewright.contexts.runs.rpc.door import RunnerDoor
from stagewright.contexts.runs.rpc.tokens import ATTEMPT_CLASSES, AttemptTokens

__all__ = ["ATTEMPT_CLASSES", "AttemptTokens", "RunnerDoor"]
