"""Choices that help and completion know without a server. A test holds them to the server's own enumerations."""

OUTPUTS = ("table", "wide", "json", "jsonl", "yaml", "name")
RUN_STATUS = (
    "queued",
    "preparing",
    "running",
    "waiting",
    "finishing",
    "cancelling",
    "succeeded",
    "failed",
    "cancelled",
)
RUN_ENDED = ("succeeded", "failed", "cancelled")
WAIT_REASONS = ("approval", "question", "owner_review", "rate_limit", "budget")
BUDGET_CHOICES = ("extend_25", "extend_100", "finish", "stop")
APPROVAL_STATES = (
    "requested",
    "approved",
    "applying",
    "unknown",
    "queued",
    "denied",
    "expired",
    "cancelled",
    "void",
    "applied",
    "failed",
    "answered",
    "delivered",
    "undeliverable",
)
CREDENTIAL_PURPOSES = ("management", "bot", "model:codex", "model:claude")
LOG_STREAMS = ("engine", "runner", "platform")
STACK_FORMATS = ("text", "json", "sarif", "github")
LOCALES = ("en", "ru")
SERVER_PROCESSES = ("gateway", "controlplane", "worker")
