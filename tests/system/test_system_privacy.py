"""Direct identifiers, unknown values and passwords stay where they belong: not in logs, metrics, facts or receipts."""

from __future__ import annotations

import json

from aiokafka import TopicPartition

from senconet.demonstration.model import Record
from shared import topics
from shared.kafka import read_to, reading
from tests.system.events import SETTING, Trainee, record
from tests.system.invariants import quiet
from tests.system.support import Partner, Stage

UNKNOWN_VALUE = "canary-free-text Jane Doe"
SERVICES = ("enrolment", "assessment", "reporting", "reporting-server")


def with_free_text(trainee: Trainee) -> Record:
    """A registration with a field that is not in the contract, and a value that nobody may repeat."""
    told = trainee.registered()
    data = json.loads(told.value or b"{}")
    return record(
        trainee.partner, "registered", trainee.registration, "2024-02-01T10:00:00Z", {**data, "note": UNKNOWN_VALUE}
    )


async def told_on(stage: Stage, *names: str) -> bytes:
    """All that lies on topics: keys, headers, values."""
    places = [TopicPartition(n, p) for n in names for p in range(12 if n.endswith((".facts", ".requests")) else 1)]
    found = b""
    async with reading(stage.kafka_options) as consumer:
        async for batch in read_to(consumer, await consumer.end_offsets(places)):
            found += b"\n".join(b"%r %r %r" % (r.key, r.value, r.headers) for r in batch)
    return found


async def test_direct_identifiers_are_told_to_the_partner_and_to_nobody_else(stage: Stage):
    partner = await stage.partner("private")
    trainee = Trainee(partner.code)
    await partner.send(
        trainee.registered(), trainee.completed(), trainee.withdrew(reason="health_or_pregnancy"),
        with_free_text(Trainee(partner.code)),
    )  # fmt: skip
    await quiet(stage)
    canaries = (trainee.partner_ref, trainee.trainee_id, SETTING, UNKNOWN_VALUE, "Jane")
    passwords = (partner.access.password, partner.token, stage.local.engines.kafka.password)
    logs = "".join(stage.local.services[name].log.read_text() for name in SERVICES)
    shown = "".join(stage.metrics(name) for name in SERVICES)
    passed_on = await told_on(
        stage, *(topics.facts(s) for s in topics.DECIDING_SERVICES), topics.requests("assessment"),
        *(topics.progress(s) for s in topics.DECIDING_SERVICES), topics.receipts(partner.code),
    )  # fmt: skip
    assert trainee.registration.encode() in passed_on
    for secret in (*canaries, *passwords):
        assert secret not in logs
        assert secret not in shown
        assert secret.encode() not in passed_on
    assert trainee.registration not in logs + shown
    assert b"health_or_pregnancy" not in passed_on
    assert trainee.partner_ref.encode() in await told_on(stage, topics.IDENTITY)
    assert trainee.partner_ref.encode() in await told_on(stage, topics.view(partner.code))
    assert kept_outside_identity(stage, partner, trainee) == []


def kept_outside_identity(stage: Stage, partner: Partner, trainee: Trainee) -> list[str]:
    """Tables of the deciding services, other than those for identity, in which a direct identifier stands."""
    found = []
    for service in topics.DECIDING_SERVICES:
        tables = stage.rows(service, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in tables:
            for secret in (trainee.partner_ref, trainee.trainee_id):
                pattern = f"%{secret}%"
                if stage.rows(service, f"SELECT 1 FROM {table} AS row WHERE row::text LIKE %s LIMIT 1", pattern):
                    found.append(table)
    return [table for table in found if table not in {"identity", "persons"}]
