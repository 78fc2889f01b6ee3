"""What every gRPC door shares: one error mapping, request ids, figures, and listeners that stay on loopback."""

from stagewright.kit.rpc.guard import Guard, OnBug, status_of
from stagewright.kit.rpc.listener import MESSAGE_LIMIT, NotLoopback, serving_rpc

__all__ = ["MESSAGE_LIMIT", "Guard", "NotLoopback", "OnBug", "serving_rpc", "status_of"]
