"""Where a server process looks for forges: public addresses, the hosts its operator named, and perhaps this machine."""

from stagewright.adapters.github import Reach
from stagewright.processes.settings import Settings


def reach_of(settings: Settings) -> Reach:
    """Return where forges may be: a practice forge of this machine only where the gateway listens on it alone."""
    hosts = frozenset(host.casefold() for host in settings.forge_hosts)
    return Reach(hosts, loopback=settings.listen.loopback)
