"""The operator's first screen: what runs, how far behind it is, what waits, and how each partner fares today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx
import psycopg
from prometheus_client.parser import text_string_to_metric_families

_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One process. A number that the process does not tell is None; times are in seconds."""

    name: str
    url: str
    ready: bool
    behind: float | None = None
    held: int | None = None
    quarantined: int | None = None
    outbox_oldest: float | None = None


@dataclass(frozen=True, slots=True)
class PartnerStatus:
    """One partner's records: the last one received, and what was answered since midnight UTC."""

    code: str
    last_received: datetime | None
    answered: int
    rejected: int


def service_status(name: str, url: str) -> ServiceStatus:
    """Ask a process for its health and metrics; one that does not answer is not ready."""
    try:
        with httpx.Client(trust_env=False, verify=False, timeout=_SECONDS) as client:
            ready = client.get(f"{url}/health/ready").status_code == httpx.codes.OK
            metrics = _largest(client.get(f"{url}/metrics", follow_redirects=True).text)
    except httpx.TransportError:
        return ServiceStatus(name, url, ready=False)
    return ServiceStatus(
        name,
        url,
        ready,
        metrics.get("senconet_behind_seconds"),
        _whole(metrics.get("senconet_held")),
        _whole(metrics.get("senconet_quarantined")),
        metrics.get("senconet_outbox_oldest_seconds"),
    )


def _largest(text: str) -> dict[str, float]:
    """Each metric by its largest sample: the topic that is furthest behind speaks for its service."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = max(found.get(sample.name, sample.value), sample.value)
    return found


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


_BY_PARTNER: Final = """
    SELECT partner, max(receivedtime),
           count(*) FILTER (WHERE decidedtime >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'),
           count(*) FILTER (WHERE decidedtime >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
                            AND outcome = 'rejected')
    FROM journal GROUP BY partner
"""


def partner_status(codes: tuple[str, ...], journals: Mapping[str, psycopg.Connection]) -> list[PartnerStatus]:
    """Every partner, from the journals of the services that answer; one that never sent stands there too."""
    found = {code: PartnerStatus(code, None, 0, 0) for code in codes}
    for journal in journals.values():
        for code, last, answered, rejected in journal.execute(_BY_PARTNER):
            before = found.get(code, PartnerStatus(code, None, 0, 0))
            latest = max(filter(None, (before.last_received, last)), default=None)
            found[code] = PartnerStatus(code, latest, before.answered + answered, before.rejected + rejected)
    return [found[code] for code in sorted(found)]
