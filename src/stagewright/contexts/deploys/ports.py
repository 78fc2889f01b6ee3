"""The three outside questions of the pipeline; their words stand in ``model.sources``, since the stages ask them."""

from stagewright.contexts.deploys.model.sources import ConfigReader, DigestResolver, FileSource

__all__ = ["ConfigReader", "DigestResolver", "FileSource"]
