"""GitHub and what speaks like it, over REST: gidgethub's protocol helpers on one httpx client."""

from stagewright.adapters.github.access import Access
from stagewright.adapters.github.client import Client, Retries
from stagewright.adapters.github.directory import GitHubDirectory
from stagewright.adapters.github.forge import GitHubForge
from stagewright.adapters.github.oauth import GitHubOAuth
from stagewright.adapters.github.rates import Rates
from stagewright.adapters.github.reach import Reach
from stagewright.adapters.github.threads import GitHubThreads
from stagewright.adapters.github.wire import Wire, open_http

__all__ = [
    "Access",
    "Client",
    "GitHubDirectory",
    "GitHubForge",
    "GitHubOAuth",
    "GitHubThreads",
    "Rates",
    "Reach",
    "Retries",
    "Wire",
    "open_http",
]
