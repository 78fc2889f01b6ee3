"""The settings of an installation that people change in the console: the one list of keys, types and defaults.

It stands here, beside the environment's (``settings``), and not in a context: switches of the whole program are handed
to contexts by wiring, as values, exactly like the environment's. Only keys that something obeys are listed.
"""

from collections.abc import Mapping
from datetime import timedelta

from stagewright.kit.settings.stored import StoredSetting

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _kept(default: str, about: str) -> StoredSetting:
    return StoredSetting(type="duration", default=default, about=about, least=DAY, most=3650 * DAY)


READ_ONLY = "read_only"
DEFAULT_LOCALE = "default_locale"
RETENTION_JOURNAL = "retention.journal"
RETENTION_REPLAY = "retention.replay"
RETENTION_LOGS = "retention.logs"
RETENTION_DELIVERIES = "retention.deliveries"
RETENTION_BODIES = "retention.delivery_bodies"
RETENTION_INCIDENTS = "retention.incidents"

STORED: Mapping[str, StoredSetting] = {
    READ_ONLY: StoredSetting(
        type="boolean", default=False, about="people change nothing; what runs goes on, and deliveries are kept"
    ),
    DEFAULT_LOCALE: StoredSetting(
        type="choice", default="en", allowed=("en", "ru"), about="the language proposed where nobody chose one"
    ),
    RETENTION_JOURNAL: _kept("400d", "how long the journal is kept, and where its changes came from"),
    RETENTION_REPLAY: StoredSetting(
        type="duration",
        default="24h",
        about="how long after its last word a console is sent what it missed; later it loads anew",
        least=HOUR,
        most=30 * DAY,
    ),
    RETENTION_LOGS: _kept("30d", "how long logs, prompts, results and sessions are kept after a run's end"),
    RETENTION_DELIVERIES: _kept("30d", "how long deliveries of webhooks are kept"),
    RETENTION_BODIES: _kept("7d", "how long the bodies of deliveries are kept"),
    RETENTION_INCIDENTS: _kept("90d", "how long incidents are kept after they were last seen"),
}
