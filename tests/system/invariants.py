"""What must hold whenever the system is quiet, whatever has been done to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import TopicPartition

from senconet.demo.check import check_states
from senconet.demo.traffic import view_by_topic
from senconet.demonstration import judge
from services.enrolment.life import periods_of
from services.reporting.projection import READ
from services.reporting.rebuild import rebuild
from shared import topics
from shared.database import make_engine, transaction
from shared.kafka import read_to, reading
from shared.loading import lock_ledgers
from shared.pipeline import ReferenceShelf
from shared.records import RawRecord
from tests.system.support import Partner, Stage, until

DOOR: Final = "enrolment"
OWNERS: Final = tuple(service for service in topics.DECIDING_SERVICES if service != DOOR)
Place = tuple[str, int]
"""Topic and offset of a partner's record."""


@dataclass
class Published:
    """What lies on the services' topics: final answers by the record they answer, and the names of facts."""

    answers: dict[Place, set[tuple[str, str, tuple[str, ...]]]] = field(default_factory=dict)
    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    facts: set[tuple[str, str, str]] = field(default_factory=set)
    versions: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Of each registration's states that a service has published: in the order in which they first came."""


async def invariants(stage: Stage) -> None:
    """Assert all of them. Records in quarantine count as not answered yet; holds must have ended."""
    await quiet(stage)
    journal = _journal(stage)
    _each_record_has_one_answer(stage, journal)
    await _answers_are_published(stage, journal)
    await _state_is_the_fold_of_the_journal(stage)
    _owners_have_the_status_of_enrolment(stage)
    await _rebuilt_is_live(stage)


async def quiet(stage: Stage) -> None:
    """Wait until nothing is under way: all records answered or in quarantine, all messages out and read."""
    for partner in stage.partners.values():
        await until(lambda partner=partner: _done(stage, partner), f"{partner.code} is answered")
    for service in topics.SERVICES:
        await until(lambda service=service: not stage.count(service, "outbox"), f"{service} has published")
        await until(lambda service=service: _read_to_the_end(stage, service), f"{service} has read all")
    await until(lambda: not stage.count("reporting", "outbox"), "views are published")


def _done(stage: Stage, partner: Partner) -> bool:
    quarantined = sum(stage.count(service, "quarantine", partner) for service in topics.DECIDING_SERVICES)
    return stage.answered(partner) + quarantined + len(partner.lost) == len(partner.sent)


async def _read_to_the_end(stage: Stage, service: str) -> bool:
    inputs = {"reporting": list(READ)} | {owner: [topics.requests(owner)] for owner in OWNERS}
    stored = {(t, p): o for t, p, o in stage.rows(service, 'SELECT topic, "partition", next_offset FROM positions')}
    ends = await ends_of(stage, inputs.get(service, []))
    return all(stored.get((place.topic, place.partition), 0) >= end for place, end in ends.items())


async def ends_of(stage: Stage, names: Sequence[str]) -> dict[TopicPartition, int]:
    """Where the partitions of topics end."""
    async with reading(stage.kafka_options) as consumer:
        return dict(await consumer.end_offsets(_places(names)))


def _places(names: Sequence[str]) -> list[TopicPartition]:
    """All partitions of topics; a partner's topics have one each."""
    partitions = {topic.name: topic.partitions for topic in topics.service_topics()}
    return [TopicPartition(name, partition) for name in names for partition in range(partitions.get(name, 1))]


def _journal(stage: Stage) -> dict[Place, list[tuple[str, str, tuple[str, ...]]]]:
    """Answers as the services have decided them: service, outcome and codes by the record."""
    found: dict[Place, list[tuple[str, str, tuple[str, ...]]]] = {}
    for service in topics.DECIDING_SERVICES:
        for topic, offset, outcome, codes in stage.rows(service, "SELECT topic, position, outcome, codes FROM journal"):
            found.setdefault((topic, offset), []).append((service, outcome, tuple(codes)))
    return found


def _each_record_has_one_answer(stage: Stage, journal: dict[Place, list[Any]]) -> None:
    """Accepted, rejected and duplicate together are the records of each topic, each once."""
    assert [place for place, answers in journal.items() if len(answers) != 1] == []
    waiting = {
        (topic, offset)
        for service in topics.DECIDING_SERVICES
        for topic, offset in stage.rows(service, "SELECT topic, position FROM quarantine")
    }
    sent = {
        (partner.topic, offset)
        for partner in stage.partners.values()
        for offset in range(len(partner.sent))
        if offset not in partner.lost
    }
    assert journal.keys() & waiting == set()
    assert journal.keys() | waiting == sent


async def _answers_are_published(stage: Stage, journal: dict[Place, list[Any]]) -> None:
    """What was decided is what partners and reporting can read: nothing else, nothing less, nothing twice."""
    published = await _published(stage)
    assert published.answers == {place: set(answers) for place, answers in journal.items()}
    assert [id_ for id_, bodies in published.bodies.items() if len(bodies) != 1] == []
    accepted = {
        (service, source, id_)
        for service in topics.DECIDING_SERVICES
        for source, id_ in stage.rows(service, "SELECT source, event_id FROM journal WHERE outcome = 'accepted'")
    }
    assert published.facts == accepted
    assert [place for place, versions in published.versions.items() if versions != sorted(versions)] == []


async def _published(stage: Stage) -> Published:
    names = [topics.receipts(code) for code in stage.partners]
    names += [topics.facts(service) for service in topics.DECIDING_SERVICES]
    published = Published()
    async with reading(stage.kafka_options) as consumer:
        ends = await consumer.end_offsets(_places(names))
        async for batch in read_to(consumer, ends):
            for record in batch:
                _note(published, record)
    return published


def _note(published: Published, record: RawRecord) -> None:
    headers = {name: (value or b"").decode() for name, value in record.headers}
    service = headers["ce_source"].removeprefix("/senconet/")
    if not record.topic.endswith(".receipts"):
        versions = published.versions.setdefault((record.topic, headers["ce_subject"]), [])
        if int(headers["ce_version"]) not in versions:
            versions.append(int(headers["ce_version"]))
        if headers["ce_source"].startswith("/partners/"):
            published.facts.add((record.topic.split(".")[0], headers["ce_source"], headers["ce_id"]))
        return
    published.bodies.setdefault(headers["ce_id"], set()).add(record.value or b"")
    body = json.loads(record.value or b"{}")
    if "position" in body and body["outcome"] != "held":
        codes = tuple(dict.fromkeys(error["code"] for error in body["errors"]))
        place = (body["position"]["topic"], body["position"]["offset"])
        published.answers.setdefault(place, set()).add((service, body["outcome"], codes))


async def _state_is_the_fold_of_the_journal(stage: Stage) -> None:
    """Each registration's status is the pure fold of the facts that its journal holds."""
    ids = [id_ for (id_,) in stage.rows(DOOR, "SELECT registration_id FROM registrations")]
    engine = make_engine(stage.url(DOOR))
    try:
        async with transaction(engine) as tx:
            reference = await ReferenceShelf().at(tx)
            ledgers = await lock_ledgers(tx, ids)
    finally:
        await engine.dispose()
    told = {id_: ledger.history for id_, ledger in ledgers.items() if ledger.history.accepted}
    folded = {id_: periods_of(told[id_], reference) if id_ in told else () for id_ in ledgers}
    kept = {id_: ledger.status.periods if ledger.status else () for id_, ledger in ledgers.items()}
    assert kept == folded


def _owners_have_the_status_of_enrolment(stage: Stage) -> None:
    statement = "SELECT registration_id, status FROM registrations WHERE status IS NOT NULL"
    for owner in OWNERS:
        assert dict(stage.rows(owner, statement)) == dict(stage.rows(DOOR, statement))


async def _rebuilt_is_live(stage: Stage) -> None:
    kafka, url = stage.local.engines.reach("reporting")
    rebuilt = await rebuild(url, kafka.client_options(), seed=1)
    assert rebuilt.differing == ()
    assert rebuilt.compared == stage.count("reporting", "trainees")


async def view_is_complete(stage: Stage, partner: Partner) -> None:
    """A partner that shares no trainee with another sees each of its own, in the state that the answer key tells."""
    key = judge.judge(stage.data.reference, ({partner.code: tuple(partner.sent)},), received=datetime.now(UTC))
    seen = await view_by_topic(partner.access, partner.code)
    assert check_states(key.states, {(partner.code, id_): row for id_, row in seen.items()}).differences == ()


def outcomes(stage: Stage, partner: Partner) -> Counter[str]:
    """How a partner's records were answered."""
    return Counter(
        outcome
        for service in topics.DECIDING_SERVICES
        for (outcome,) in stage.rows(service, "SELECT outcome FROM journal WHERE topic = %s", partner.topic)
    )
