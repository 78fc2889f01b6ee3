"""The metrics of access.md §12 that exist so far. No ids in labels, so that their number stays bounded."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector

PREFIX = "stagewright"
REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONG = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1800, 3600, 7200, 14400)


class Metrics:
    """One registry with a typed attribute per metric. A test makes its own; a process makes one."""

    def __init__(self, *, version: str = "0") -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.http_requests = self._counter("http_requests", "Answers", "route", "method", "status")
        self.http_request_seconds = self._histogram("http_request_seconds", "Time to answer", REQUEST, "route")
        self.grpc_requests = self._counter("grpc_requests", "Calls of workloads", "method", "code")
        self.rate_limited = self._counter("rate_limited", "Requests over a limit", "bucket")
        self.logins = self._counter("logins", "Sign-ins", "method", "outcome")
        self.authz_denied = self._counter("authz_denied", "Refused by permission", "permission")
        self.csrf_refused = self._counter("csrf_refused", "Requests that did not prove to come from the console")
        self.webhook_deliveries = self._counter("webhook_deliveries", "Deliveries by what followed", "verdict")
        self.webhook_to_run_seconds = self._histogram("webhook_to_run_seconds", "Delivery to queued run", REQUEST)
        self.runs = self._gauge("runs", "Runs by status", "status")
        self.run_seconds = self._histogram("run_seconds", "Request to end of a run", LONG, "kind", "status")
        self.waits_open = self._gauge("waits_open", "Open waits", "reason")
        self.wait_seconds = self._histogram("wait_seconds", "Length of a wait", LONG, "reason")
        self.reconcile_seconds = self._histogram("reconcile_seconds", "One pass of a loop", REQUEST, "loop")
        self.reconcile_errors = self._counter("reconcile_errors", "Passes that failed", "loop")
        self.lease_lost = self._counter("lease_lost", "Leases lost while held", "loop")
        self.effects_unknown = self._gauge("effects_unknown", "Effects whose outcome nobody knows yet")
        self.forge_quota_remaining = self._gauge("forge_quota_remaining", "Requests left at the forge", "class")
        self.journal_rows = self._counter("journal_rows", "Events that the gateway's reader saw", "topic")
        self.journal_bells = self._counter("journal_bells", "Bells that the gateway's reader heard")
        self.log_chunks = self._counter("log_chunks", "Chunks of run logs sent to sockets")
        self.journal_reader_lag_seconds = self._gauge("journal_reader_lag_seconds", "Age of the reader's last look")
        self.journal_size_bytes = self._gauge("journal_size_bytes", "The journal on disk, with its indexes")
        self.audit_chain_verified_seq = self._gauge("audit_chain_verified_seq", "Up to where all chains are verified")
        self.listener_reconnects = self._counter("listener_reconnects", "Bell sessions opened again")
        self.realtime_sockets = self._gauge("realtime_sockets", "Open sockets")
        self.realtime_topics = self._gauge("realtime_topics", "Followed topics", "family")
        self.realtime_frames = self._counter("realtime_frames", "Frames sent", "family")
        self.realtime_coalesced = self._counter("realtime_coalesced", "Versions left out for a newer one")
        self.realtime_resync = self._counter("realtime_resync", "Clients told to load anew", "reason")
        self.realtime_overflow = self._counter("realtime_overflow", "Queues that were full")
        self.realtime_lag_seconds = self._histogram("realtime_lag_seconds", "Commit to hand-out", REQUEST)
        self.realtime_queue_messages = self._gauge("realtime_queue_messages", "Messages that wait in all queues")
        self.poll_requests = self._counter("poll_requests", "Polls")
        self.log_gaps = self._counter("log_gaps", "Missing chunks of run logs")
        self.incidents_open = self._gauge("incidents_open", "Open incidents", "level")
        self.incident_writes_failed = self._counter("incident_writes_failed", "Incidents that could not be stored")
        self.redactions = self._counter("redactions", "Secrets kept back", "sink")
        self.build_info = self._gauge("build_info", "The release that runs", "version")
        self.build_info.labels(version).set(1)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace=PREFIX, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, namespace=PREFIX, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, namespace=PREFIX, registry=self.registry, buckets=buckets)

    def count_redactions(self, sink: str, count: int) -> None:
        """Note what a ``Redactor`` kept back: pass this as its ``on_redacted``."""
        self.redactions.labels(sink).inc(count)

    def exposition(self) -> tuple[str, bytes]:
        """Return the content type and text for Prometheus."""
        return CONTENT_TYPE_LATEST, generate_latest(self.registry)
