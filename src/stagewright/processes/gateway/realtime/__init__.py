"""The realtime feed: one reader of the journal per process, sockets, log topics, and polling (access.md §8)."""

from stagewright.processes.gateway.realtime.admission import Admission, Admitted
from stagewright.processes.gateway.realtime.live import Door, Live, open_live
from stagewright.processes.gateway.realtime.outbox import Limits
from stagewright.processes.gateway.realtime.poll import routes

__all__ = ["Admission", "Admitted", "Door", "Limits", "Live", "open_live", "routes"]
