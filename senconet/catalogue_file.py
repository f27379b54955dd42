"""`python -m senconet.catalogue_file`: `docs/catalogue.md`, made from the code that reads, answers and counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry

from services.reporting.identities import ReportingMetrics
from services.reporting.web import HttpMetrics
from shared import topics
from shared.events.catalogue import BY_NAME, SUPERSEDED, VOIDED, EventType
from shared.events.codes import CODES, Code
from shared.metrics import Metrics
from shared.topics import DAY_MS, Topic

PAGE: Final = Path(__file__).parents[1] / "docs" / "catalogue.md"
METRICS: Final[Mapping[str, type[Metrics] | type[HttpMetrics]]] = {
    "every service": Metrics,
    "reporting": ReportingMetrics,
    "reporting's server": HttpMetrics,
}
"""Who tells which metrics; what a later one has from an earlier one is shown once."""

_HEAD: Final = """\
# Catalogue

Made from the code by `make schemas`; a test compares the two. How records, answers and corrections go
together is in [the contract](contract.md); what to do about a metric is in [the runbook](runbook.md).
"""
_TYPES: Final = """\
Facts of one moment stand in the order of this table. `day`: where in its London day a fact stands of which only the day
is known. One fact: of what a registration has one fact at most; it has one `trainee.registered` whatever it says, and a
partner's reference is claimed once in a cohort, by a registration or by the acceptance of a transfer.
"""
_CODES: Final = """\
Stage: what the record was looked at for. All errors of a stage come at once, a later stage is looked at only when the
earlier ones found nothing. Again: the same record may be sent again once something later has cured the cause.
"""
_METRICS: Final = """\
As they are named at `/metrics`. No label is ever a person, a registration or an event.
"""
_TOPICS: Final = """\
`{code}` is a partner's code. Nobody else may write or read a topic, but for the operator.
"""


def page() -> str:
    """The text of the page."""
    kinds = sorted((kind for kind in BY_NAME.values() if kind.corrects is None), key=lambda kind: kind.order)
    partners = (*topics.partner_topics("{code}"), *topics.service_topics())
    return "\n".join(
        (
            _HEAD,
            *_section("Event types", _TYPES, "Type|Answered by|Day|One fact|Corrections", map(_type, kinds)),
            *_section("Codes of rejections", _CODES, "Code|Stage|Again|What it says", map(_code, CODES.values())),
            *_section("Metrics", _METRICS, "Metric|Type|Labels|Told by|What it says", _metrics()),
            *_section("Topics", _TOPICS, "Topic|Partitions|Kept|Written by|Read by", map(_topic, partners)),
        )
    )


def _section(title: str, text: str, heads: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    names = heads.split("|")
    yield f"## {title}\n\n{text}"
    yield _row(names)
    yield "|" + "---|" * len(names)
    yield from map(_row, rows)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code_of(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "-"


def _type(kind: EventType) -> tuple[str, ...]:
    once = "-" if kind.once_by is None else _code_of(kind.once_by) if kind.once_by else "of the registration"
    corrections = (suffix for suffix in (VOIDED, SUPERSEDED) if kind.name + suffix in BY_NAME)
    return f"`{kind.wire}`", kind.owner, kind.day, once, _code_of(corrections)


def _code(code: Code) -> tuple[str, ...]:
    return f"`{code.name}`", ", ".join(code.stages), "yes" if code.retryable else "no", code.message


def _metrics() -> Iterator[tuple[str, ...]]:
    shown = set[str]()
    for who, made in METRICS.items():
        for collector in _collectors(made().registry):
            (family,) = collector.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            if name not in shown:
                yield f"`{name}`", family.type, _code_of(collector._labelnames), who, f"{family.documentation}."
            shown.add(name)


def _collectors(registry: CollectorRegistry) -> list[Any]:
    """The metrics of a registry in the order in which they were made; the library tells labels in no other way."""
    return list(registry._collector_to_names)


def _topic(topic: Topic) -> tuple[str, ...]:
    return (
        f"`{topic.name}`",
        str(topic.partitions),
        _kept(dict(topic.config)),
        *map(_who, (topic.writers, topic.readers)),
    )


def _kept(config: Mapping[str, str]) -> str:
    if config["cleanup.policy"] == "compact":
        return "the newest of a key"
    days, gib = int(config["retention.ms"]) // DAY_MS, int(config.get("retention.bytes", -1)) // 1024**3
    if days < 0:
        return "for ever"
    return f"{days} day{'s' if days > 1 else ''}{f', at most {gib} GiB' if gib > 0 else ''}"


def _who(principals: Iterable[str]) -> str:
    return ", ".join("the partner" if name == topics.principal_of("{code}") else name for name in principals)


def write(path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(page(), "utf-8")


if __name__ == "__main__":
    write()
