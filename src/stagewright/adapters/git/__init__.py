"""Git as a port: mirrors, source bundles, quarantine and the platform's one push. Start at ``store.GitStore``."""

from stagewright.adapters.git.store import GitStore

__all__ = ["GitStore"]
