"""Both processes on the real engines: facts in, views out, the same over HTTP, and a rebuild that proves it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from confluent_kafka import OFFSET_END
from confluent_kafka import TopicPartition as Place
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from senconet.local.engines import Engines
from senconet.local.ports import reserved_ports
from senconet.local.service import PROGRAMS, ServiceProcess, service_environment
from senconet.provision import add_partner as provision_partner
from services.reporting.access import add_partner, issue_token
from services.reporting.rebuild import rebuild
from services.reporting.scope import Scope
from services.reporting.store import PERIODS
from shared import topics
from shared.database import transaction
from shared.kafka import reading
from shared.records import RawRecord
from tests.reporting import told
from tests.reporting.serving import CANARY
from tests.reporting.told import IDENTITY, at

CODE = "reporting-test"
JANUARY, MARCH, JUNE = (at(f"2024-{month:02}-10T09:00:00Z") for month in (1, 3, 6))
PATIENCE = 90
FINAL_VERSION = 2
IDS = [f"00000000-0000-4000-8000-0000000001{n:02}" for n in range(20)]


def records() -> list[RawRecord]:
    """Twenty registrations: all named, half withdrawn, half completed; some states told again, and receipts."""
    found = []
    for n, id_ in enumerate(IDS):
        first = told.registered(JANUARY, partner=CODE)
        states = [told.status(1, first), told.status(2, first, told.period(MARCH, "withdrawn", partner=CODE))]
        identity = {**IDENTITY, "refs": {CODE: "ref"}}
        found += [told.record(identity, id_), told.record(states[0], id_, partner=CODE)]
        found.append(told.record(states[1] if n % 2 else told.completion(1, JUNE), id_))
        found += [told.record(states[0], id_, partner=CODE), told.receipt(CODE, n, "accepted")]
    return found


async def publish(options: Mapping[str, Any], messages: list[RawRecord]) -> None:
    producer = AIOKafkaProducer(**options)
    await producer.start()
    try:
        for message in messages:
            await producer.send(message.topic, message.value, key=message.key)
        await producer.flush()
    finally:
        await producer.stop()


@pytest.fixture
def processes(engines: Engines, migrated: str, tmp_path: Path) -> Iterator[dict[str, ServiceProcess]]:
    """The consumer and the server, started together, with the topics of one partner."""
    engines.provision()  # another test may have changed the services' passwords
    provision_partner(engines.kafka, CODE, "only-for-this-test")
    programs = [program for program in PROGRAMS if program.service == "reporting"]
    user, _ = engines.reach("reporting")
    with reserved_ports([None, None]) as ports:
        made = {
            program.name: ServiceProcess(program, tmp_path, name=program.name, port=port)
            for program, port in zip(programs, ports, strict=True)
        }
    settings = {"SENCONET_NOTICE": "Synthetic data", "SENCONET_PUBLISH_TIMEOUT_SECONDS": "5"}
    try:
        for process in made.values():
            process.launch(service_environment(user, migrated, process.port, settings))
        for process in made.values():
            process.await_ready()
        yield made
    finally:
        assert all([process.stop() for process in made.values()])


async def final_views(options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The views on the partner's topic, once each is complete. How many come before depends on batches."""
    found: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(PATIENCE), reading(options) as consumer:
        place = TopicPartition(topics.view(CODE), 0)
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        while len(found) < len(IDS) or not all(map(_is_final, found.values())):
            for records_ in (await consumer.getmany(place, timeout_ms=1000)).values():
                found |= {record.key.decode(): json.loads(record.value) for record in records_}
    return found


def _is_final(view: Mapping[str, Any]) -> bool:
    return view["version"] == FINAL_VERSION and "partner_ref" in view


async def test_facts_become_views_and_a_replay_agrees(
    engine: AsyncEngine, engines: Engines, migrated: str, processes: dict[str, ServiceProcess]
) -> None:
    await add_partner(engine, CODE, "Reporting Test")
    headers = {"Authorization": f"Bearer {await issue_token(engine, Scope.of_partner(CODE))}"}
    await publish(engines.kafka.client_options(), records())

    views = await final_views(engines.kafka.client_options())
    assert [view["state"] for _, view in sorted(views.items())] == ["completed", "withdrawn"] * 10
    url = processes["reporting-server"].url
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
        assert (await client.get("/v1/trainees")).json()["trainees"] == [views[id_] for id_ in IDS]
        assert await received(client) == (len(IDS), len(IDS), 0)

    reporting = engines.reach("reporting")[0].client_options()
    for seed in (0, 1):
        rebuilt = await rebuild(migrated, reporting, seed=seed)
        assert (rebuilt.compared >= len(IDS), rebuilt.receipts) == (True, len(IDS))
        assert rebuilt.differing == ()
    await plant(engine, IDS[3])
    assert (await rebuild(migrated, reporting)).differing == (IDS[3],)


async def received(client: httpx.AsyncClient) -> tuple[int, int, int]:
    """What the receipts come to in the end: received, facts and their difference."""
    async with asyncio.timeout(PATIENCE):
        while True:
            row = (await client.get("/v1/receipts")).json()["total"]
            if row["received"] >= len(IDS):
                return row["received"], row["facts"], row["difference"]
            await asyncio.sleep(0.2)


async def test_what_a_batch_fails_on_stands_in_no_log(engines: Engines, processes: dict[str, ServiceProcess]) -> None:
    """Of a place that is no number the database tells the value. It stops the reader, so it is taken away again: all
    tests share the topic.
    """
    await publish(engines.kafka.client_options(), [told.receipt(CODE, CANARY, "accepted")])
    try:
        shown = await log_of_failures(processes["reporting"].log)
        assert "a batch is given back after DataError\n  File" in shown
        assert CANARY not in shown
    finally:
        admin = engines.kafka.admin()
        for emptied in admin.delete_records([Place(topics.receipts(CODE), 0, OFFSET_END)]).values():
            emptied.result(PATIENCE)


async def log_of_failures(log: Path) -> str:
    """The log, once a batch has failed twice: all that is said of the first time has been said then."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if (shown := await asyncio.to_thread(log.read_text)).count("a batch is given back") > 1:
                return shown
            await asyncio.sleep(0.1)


async def plant(engine: AsyncEngine, registration: str) -> None:
    """Change one counted period behind the consumer's back."""
    async with transaction(engine) as tx:
        await tx.execute(update(PERIODS).where(PERIODS.c.registration_id == registration).values(cohort="another"))
