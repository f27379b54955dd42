"""Every metric of a service: name, meaning, labels. No label is ever a person, a registration or an event."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_PREFIX: Final = "senconet_"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """The metrics of one service process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter("received", "Records read for the first time", "topic")
        self.decided = self._counter("decided", "Records judged, by outcome", "type", "outcome")
        self.rejected = self._counter("rejected", "Codes answered in rejections", "code")
        self.published = self._counter("published", "Messages that the relay has published")
        self.restarts = self._counter("batch_failures", "Batches given back after a failure", "error")
        self.sweep_failures = self._counter(
            "sweep_failures", "Parts of the regular work that failed and are tried again", "step"
        )
        self.held = self._gauge("held", "Records that wait for their other half")
        self.hold_overdue = self._gauge("hold_overdue_seconds", "Time since the earliest deadline of what waits, or 0")
        self.last_received = self._gauge(
            "last_received_timestamp_seconds",
            "Append time of the last of a partner's records that this service has answered, as Unix time",
            "partner",
        )
        self.quarantined = self._gauge("quarantined", "Records that failed or stand behind one that did")
        self.outbox_oldest = self._gauge("outbox_oldest_seconds", "Age of the oldest message not yet published")
        self.behind = self._gauge(
            "behind_seconds", "Now less the append time of the first record not yet read", "topic"
        )
        self.paused = self._gauge("paused_partitions", "Partitions whose stored position the log does not hold")
        self.batch = Histogram(
            f"{_PREFIX}batch_seconds",
            "Time that a batch takes, from lock to commit",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"{_PREFIX}{name}", meaning, labels, registry=self.registry)
