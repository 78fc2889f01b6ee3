"""What the system screen shows of deliveries."""

from dataclasses import dataclass
from datetime import datetime

from stagewright.kit.db import Reader, record


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """How many deliveries wait or are given up, and when the last one came."""

    pending: int
    dead: int
    last_received_at: datetime | None


to_figures = record(DeliveryFigures)
FIGURES = """
select count(*) filter (where status = 'received') as pending, count(*) filter (where status = 'dead') as dead,
    max(received_at) as last_received_at
from webhook_deliveries
"""


async def delivery_figures(reader: Reader) -> DeliveryFigures:
    """Return the figures of now."""
    return (await reader.all(to_figures, FIGURES))[0]
