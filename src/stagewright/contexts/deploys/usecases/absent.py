"""Nobody to ask: configuration and registries of a check that reaches neither, so that its plans are previews."""

from collections.abc import Sequence

from stagewright.contexts.deploys.model.sources import ConfigEntry


class NoConfig:
    """Knows no entry, and says that it cannot know any."""

    known = False

    def entries(self, key: str) -> Sequence[ConfigEntry]:
        """Return nothing."""
        return ()


class NoDigests:
    """Resolves nothing."""

    def resolve(self, reference: str) -> str | None:
        """Return None."""
        return None
