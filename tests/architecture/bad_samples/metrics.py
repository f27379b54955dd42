"""Metrics under names of their own."""

from collections import Counter as Count

from prometheus_client import Counter, Gauge

_PREFIX = "senconet_"
seen = Counter("seen", "Records seen")  # found
held = Gauge(f"{_PREFIX}held", "Records that wait")
words = Count(["a"])


def counted(registry):
    return Counter("other_total", "Others", registry=registry)  # found
