"""Redaction on every way out: live secret values in their usual encodings, and well-known token formats."""

from stagewright.kit.redact.redactor import MARK, Finding, Redactor
from stagewright.kit.redact.stream import StreamRedactor

__all__ = ["MARK", "Finding", "Redactor", "StreamRedactor"]
