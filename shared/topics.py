"""The topic table: each topic once, with its key, partitions, retention and the principals that may use it.

Provisioning, ACLs, subscribers, tests and documents are made from here; no other module spells a topic's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000
REQUEST_PARTITIONS: Final = 12
PARTNER_BYTES: Final = 4 * 1024**3
"""So much of what a partner sends, and of its answers, is kept: some forty times what the whole programme has sent. Who
sends without an end loses its own oldest records, where it would fill the disk of all."""
LEAD: Final = "lead"

DECIDING_SERVICES: Final = ("enrolment", "mentoring", "assessment")
SERVICES: Final = (*DECIDING_SERVICES, "reporting")
REFERENCE_KINDS: Final = ("cohorts", "partnerships", "settings", "code-lists")
OPERATOR: Final = "operator"

EVENTS_PATTERN: Final = r"^partners\.[a-z0-9-]+\.events$"
RECEIPTS_PATTERN: Final = r"^partners\.[a-z0-9-]+\.receipts$"
RECEIPTS_GROUP: Final = "reporting.receipts"
"""The consumer group in which reporting reads receipts, beside the one in which it reads facts."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its name, shape, retention (milliseconds; None = for ever) and who may write and read it."""

    name: str
    partitions: int
    config: tuple[tuple[str, str], ...]
    writers: tuple[str, ...]
    readers: tuple[str, ...]


def events(partner: str) -> str:
    """The topic that a partner publishes its events on."""
    return f"partners.{partner}.events"


def receipts(partner: str) -> str:
    """The topic that carries the answers and notices for a partner."""
    return f"partners.{partner}.receipts"


def view(partner: str) -> str:
    """The compacted topic that carries a partner's own trainees."""
    return f"partners.{partner}.view"


def requests(service: str) -> str:
    """What the door hands on to the service that owns a type, with the registration's status attached."""
    return f"{service}.requests"


def facts(service: str) -> str:
    """The facts that a service has accepted."""
    return f"{service}.facts"


def progress(service: str) -> str:
    """How far a service has published and decided."""
    return f"{service}.progress"


def reference(kind: str) -> str:
    """One kind of reference data; the value holds all versions and periods of its key."""
    return f"reference.{kind}"


IDENTITY: Final = "enrolment.identity"


def compacted(topic: str) -> bool:
    """Whether offsets may be missing from a topic because later values of their keys stand further on."""
    return topic == IDENTITY or topic.startswith(reference(""))


def learning_group(service: str) -> str:
    """The consumer group in which a service reads reference data and progress.

    It is not the group in which it answers: a rebalance of the one would wait for the members of the other.
    """
    return f"{service}.learning"


def partner_of(topic: str) -> str:
    """The partner whose topic this is: the topic, never the payload, says who sent a record."""
    return topic.split(".")[1]


def is_of_a_partner(topic: str) -> bool:
    """Whether a topic belongs to one partner alone."""
    return topic.startswith("partners.")


def principal_of(partner: str) -> str:
    """The SCRAM user of a partner."""
    return f"partners.{partner}"


# What services send is not packed, and read whole; of what is packed, large values are not (`shared.record_batches`).
_AS_SENT: Final = ("compression.type", "producer")


def _deleted_after(days: int, **more: str) -> tuple[tuple[str, str], ...]:
    return (_AS_SENT, ("cleanup.policy", "delete"), ("retention.ms", str(days * DAY_MS)), *_named(more))


def _named(more: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name.replace("_", "."), value) for name, value in more.items())


# What is erased goes within a week: a compacted topic may keep neither an old value nor a tombstone longer.
_COMPACTED: Final = (
    _AS_SENT,
    ("cleanup.policy", "compact"),
    ("max.compaction.lag.ms", str(7 * DAY_MS)),
    ("delete.retention.ms", str(7 * DAY_MS)),
)
_KEPT: Final = (_AS_SENT, ("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "-1"))


def partner_topics(partner: str) -> tuple[Topic, ...]:
    """The three topics of a partner. `.events` takes 1 MiB, so that what is over 64 KiB can be answered."""
    user, bounded = principal_of(partner), {"retention_bytes": str(PARTNER_BYTES)}
    inbound = {"message_timestamp_type": "LogAppendTime", "max_message_bytes": str(1024 * 1024), **bounded}
    return (
        Topic(events(partner), 1, _deleted_after(14, **inbound), (user,), ("enrolment",)),
        Topic(receipts(partner), 1, _deleted_after(400, **bounded), DECIDING_SERVICES, (user, "reporting")),
        Topic(view(partner), 1, _COMPACTED, ("reporting",), (user,)),
    )


def service_topics() -> tuple[Topic, ...]:
    """All topics that do not belong to a partner."""
    owners = tuple(s for s in DECIDING_SERVICES if s != "enrolment")
    return (
        *(Topic(requests(s), REQUEST_PARTITIONS, _deleted_after(14), ("enrolment",), (s,)) for s in owners),
        *(Topic(facts(s), REQUEST_PARTITIONS, _KEPT, (s,), ("reporting",)) for s in DECIDING_SERVICES),
        *(Topic(progress(s), 1, _deleted_after(1), (s,), (*owners, "reporting")) for s in DECIDING_SERVICES),
        *(Topic(reference(k), 1, _COMPACTED, (OPERATOR,), DECIDING_SERVICES) for k in REFERENCE_KINDS),
        Topic(IDENTITY, 1, _COMPACTED, ("enrolment",), ("reporting",)),
    )
