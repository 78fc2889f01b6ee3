"""The relay's figures for Prometheus. Engines come from our own table, so their number is bounded."""

from prometheus_client import Counter, Gauge, Histogram

from stagewright.adapters.providers import Usage
from stagewright.kit.metrics import Metrics

PREFIX = "stagewright"
SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Figures:
    """Calls by how they ended, their length, and the tokens they used."""

    def __init__(self, metrics: Metrics) -> None:
        def known(name: str) -> str:
            return f"{PREFIX}_{name}"

        registry = metrics.registry
        self.calls = Counter(
            known("model_calls"), "Model calls by what followed", ("engine", "outcome"), registry=registry
        )
        self.seconds = Histogram(
            known("model_call_seconds"), "Length of a model call", ("engine",), registry=registry, buckets=SECONDS
        )
        self.open = Gauge(known("model_calls_open"), "Model calls under way", ("engine",), registry=registry)
        self.tokens = Counter(known("model_tokens"), "Tokens of model calls", ("engine", "kind"), registry=registry)
        self.rate_limited = metrics.rate_limited

    def spent(self, engine: str, usage: Usage) -> None:
        """Count the tokens of one call."""
        for kind, count in (("in", usage.sent), ("cached", usage.cached), ("out", usage.answered)):
            self.tokens.labels(engine, kind).inc(count)
