"""What registrations claim, on a real database: one batch after another, and two instances at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event, wire
from services.enrolment.store import move_places
from services.enrolment.tables import IdentityRow, PersonRow, WithheldRow
from shared import contract, loading, store, topics
from shared.absorb import absorb
from shared.database import table, transaction
from shared.judging import Writes
from shared.messages import encode
from shared.pipeline import Deciding, process
from shared.records import RawRecord
from shared.reference import Setting, Version, Versions
from shared.status import Status
from tests.enrolment.doing import NEXT_TRANSFER, OTHER, PLACES, accepted, offered
from tests.support.histories import OURS, THEIRS
from tests.support.memory import NOW
from tests.support.owning import supersede
from tests.support.telling import REFERENCE, TRAINEE, told, void

REGISTERED = told("registered", "2023-01-03T09:00")
SECOND = told("registered", "2023-01-03T10:00", "second", of=OTHER, partner_ref="Q-2")
OFFER, ACCEPTED = offered("2023-02-01T10:00", "2023-03-01"), accepted("2023-02-02T10:00", partner_ref="T-1")
THIRD = OTHER[:-1] + "3"


@dataclass
class Programme:
    """The door with its reference data, and what was published to it."""

    door: Deciding
    offsets: Counter[str] = field(default_factory=Counter)

    async def learn(self, kind: str, versions: Sequence[Versions]) -> None:
        """Reference data of one kind is published."""
        records = [
            RawRecord(topics.reference(kind), 0, self._next(kind), NOW, v.versions[-1].body.key.encode(), _told(v), ())
            for v in versions
        ]
        await absorb(self.door.engine, records, move_places)

    async def tell(self, *events: Event) -> list[str]:
        """One batch of records, and the outcome or codes of each."""
        records = self.published(*events)
        await process(self.door, records)
        return [await self.answer(record) for record in records]

    def published(self, *events: Event) -> list[RawRecord]:
        """Records as they stand at the end of their topics."""
        return [self._appended(event) for event in events]

    def _appended(self, event: Event) -> RawRecord:
        topic, record = topics.events(event.topic), wire(event)
        return RawRecord(topic, 0, self._next(topic), NOW, record.key, record.value, record.headers)

    def _next(self, topic: str) -> int:
        self.offsets[topic] += 1
        return self.offsets[topic] - 1

    async def answer(self, record: RawRecord) -> str:
        """The outcome or the codes of a record."""
        place, c = contract.position_of(record), store.JOURNAL.c
        statement = select(c.outcome, c.codes).where(c.topic == place.topic, c.position == place.offset)
        async with transaction(self.door.engine) as tx:
            (row,) = await tx.execute(statement)
        return " ".join(row.codes) or str(row.outcome)

    async def rows(self, model: Any) -> list[Any]:
        """All rows of a table."""
        async with transaction(self.door.engine) as tx:
            return list(await tx.execute(select(table(model))))

    async def claims(self) -> set[tuple[str, str, str]]:
        """What is claimed now: partner, reference and cohort."""
        return {(row.partner, row.partner_ref, row.cohort_code) for row in await self.rows(IdentityRow) if row.live}

    async def status(self) -> Status:
        """The status of the trainee as it is kept."""
        async with transaction(self.door.engine) as tx:
            ledgers = await loading.lock_ledgers(tx, [TRAINEE])
        found = ledgers[TRAINEE].status
        assert found is not None
        return found


def _told(versions: Versions) -> bytes:
    return encode(versions.model_dump(mode="json"))


def setting(urn: str, like: str) -> Versions:
    """A setting that lies where another does."""
    body = Setting(setting_urn=urn, periods=list(PLACES[like]))
    return Versions(versions=[Version(holds_from=NOW.replace(year=1970), ruleversion="r1", body=body)])


@pytest.fixture
async def programme(door: Deciding) -> Programme:
    """The demonstration's rules, and two settings."""
    made = Programme(door)
    for kind, versions in REFERENCE.kinds.items():
        await made.learn(kind, list(versions.values()))
    await made.learn("settings", [setting(urn, urn) for urn in PLACES])
    return made


async def test_references_are_exchanged_by_corrections_of_one_batch(programme: Programme) -> None:
    await programme.tell(REGISTERED, SECOND)
    steps = (
        supersede(REGISTERED, "1", partner_ref="Q-0"),
        supersede(SECOND, "2", partner_ref="Q-1"),
        supersede(REGISTERED, "3", partner_ref="Q-2", when="2024-01-06T10:00"),
    )
    assert await programme.tell(*steps) == ["accepted"] * 3
    rows = {row.registration_id: row.partner_ref for row in await programme.rows(IdentityRow)}
    assert rows == {TRAINEE: "Q-2", OTHER: "Q-1"}


async def test_what_a_correction_frees_is_claimed_in_a_later_batch(programme: Programme) -> None:
    await programme.tell(REGISTERED, SECOND)
    assert await programme.tell(supersede(REGISTERED, "1", partner_ref="Q-2")) == ["same_fact_exists"]
    assert await programme.tell(supersede(REGISTERED, "2", partner_ref="Q-3")) == ["accepted"]
    assert await programme.tell(supersede(SECOND, "3", partner_ref="Q-1")) == ["accepted"]


async def test_the_gaining_partners_reference_is_taken_once(programme: Programme) -> None:
    theirs = told("registered", "2023-01-04", "theirs", by=THEIRS, of=OTHER, partner_ref="T-9")
    await programme.tell(REGISTERED, theirs, OFFER)
    assert await programme.tell(accepted(partner_ref="T-9", id_="no")) == ["same_fact_exists"]
    assert await programme.tell(ACCEPTED) == ["accepted"]
    again = told("registered", "2023-01-05", "again", by=THEIRS, of=THIRD, partner_ref="T-1")
    assert await programme.tell(again) == ["same_fact_exists"]
    assert await programme.tell(void(REGISTERED), again) == ["accepted", "accepted"]


async def test_a_partner_that_has_the_trainee_again_has_both_its_references(programme: Programme) -> None:
    back = offered("2023-03-10T10:00", "2023-04-01", to=OURS, by=THEIRS, transfer=NEXT_TRANSFER)
    returned = accepted("2023-03-11T10:00", by=OURS, transfer=NEXT_TRANSFER, partner_ref="Q-7")
    assert await programme.tell(REGISTERED, OFFER, ACCEPTED, back) == ["accepted"] * 4
    assert await programme.tell(returned) == ["accepted"]
    names = {(OURS, "Q-1"), (OURS, "Q-7"), (THEIRS, "T-1")}
    assert await programme.claims() == {(*name, "2023-january") for name in names}


async def test_a_partner_that_has_the_trainee_again_may_name_the_reference_that_it_had(programme: Programme) -> None:
    back = offered("2023-03-10T10:00", "2023-04-01", to=OURS, by=THEIRS, transfer=NEXT_TRANSFER)
    returned = accepted("2023-03-11T10:00", by=OURS, transfer=NEXT_TRANSFER, partner_ref="Q-1")
    assert await programme.tell(REGISTERED, OFFER, ACCEPTED, back) == ["accepted"] * 4
    assert await programme.tell(returned) == ["accepted"]
    assert await programme.tell(supersede(REGISTERED, setting_urn="SY2")) == ["accepted"]
    assert await programme.claims() == {(OURS, "Q-1", "2023-january"), (THEIRS, "T-1", "2023-january")}
    again = told("registered", "2023-01-05", "again", of=THIRD)
    assert await programme.tell(again) == ["same_fact_exists"]
    assert await programme.tell(void(REGISTERED), again) == ["accepted", "accepted"]


async def test_a_corrected_person_and_setting_are_those_of_every_partners_row(programme: Programme) -> None:
    person = "44444449-4444-4444-8444-444444444444"
    await programme.tell(REGISTERED, OFFER, ACCEPTED)
    assert await programme.tell(supersede(REGISTERED, trainee_id=person, setting_urn="SY2")) == ["accepted"]
    assert {(row.trainee_id, row.setting_urn) for row in await programme.rows(IdentityRow)} == {(person, "SY2")}
    assert person in {row.trainee_id for row in await programme.rows(PersonRow)}


async def test_a_registration_of_several_partners_is_placed_anew_once(programme: Programme) -> None:
    await programme.tell(REGISTERED, OFFER, ACCEPTED)
    before = (await programme.status()).version
    await programme.learn("settings", [setting("SY1", "SY2")])
    status = await programme.status()
    assert ([place.la_code for place in status.places], status.version) == (["E06000005"], before + 1)
    await programme.tell(supersede(REGISTERED, setting_urn="SY2"))
    await programme.learn("settings", [setting("SY1", "SY1")])
    assert [place.la_code for place in (await programme.status()).places] == ["E06000005"]


async def test_corrections_of_earlier_batches_are_part_of_the_history(programme: Programme) -> None:
    deferred = told("deferred", "2023-02-01T10:00")
    await programme.tell(REGISTERED, deferred)
    await programme.tell(supersede(deferred, at="2023-02-10T10:00"))
    assert await programme.tell(told("resumed", "2023-02-05T10:00", "early")) == ["already_in_state"]
    assert await programme.tell(void(deferred)) == ["accepted"]
    assert await programme.tell(told("resumed", "2023-02-15T10:00", "late")) == ["already_in_state"]


async def test_personal_reasons_are_kept_in_their_own_table_alone(programme: Programme) -> None:
    withdrew = told("withdrew", "2023-02-01T10:00", reason="health_or_pregnancy")
    await programme.tell(REGISTERED, withdrew)
    await programme.tell(supersede(withdrew, "new", reason="family_or_other_personal"))
    kept = {row.event_id: (row.registration_id, row.reason) for row in await programme.rows(WithheldRow)}
    assert kept == {"withdrew": (TRAINEE, "health_or_pregnancy"), "new": (TRAINEE, "family_or_other_personal")}
    async with transaction(programme.door.engine) as tx:
        bodies = [bytes(value) for value in (await tx.execute(select(store.OUTBOX.c.value))).scalars()]
        kept_data = str(list((await tx.execute(select(store.JOURNAL.c.data))).scalars()))
    assert not any(row.reason.encode() in body for row in await programme.rows(WithheldRow) for body in bodies)
    assert "health_or_pregnancy" not in kept_data
    assert "family_or_other_personal" not in kept_data


async def at_once(programme: Programme, monkeypatch: pytest.MonkeyPatch, late: Event, early: Event) -> list[str]:
    """One instance has judged by what it saw when another answers first, of another topic: it judges again."""
    slow, fast = programme.published(late, early)
    judged, answered, saves, save = asyncio.Event(), asyncio.Event(), 0, store.save

    async def when_the_other_has_answered(tx: AsyncConnection, writes: Writes, *rest: Any) -> None:
        nonlocal saves
        if writes.answers[0].answer.position == contract.position_of(slow):
            judged.set()
            saves += 1
            await answered.wait()
        await save(tx, writes, *rest)

    monkeypatch.setattr(store, "save", when_the_other_has_answered)
    async with asyncio.timeout(60), asyncio.TaskGroup() as both:
        both.create_task(process(programme.door, [slow]))
        await judged.wait()
        await process(programme.door, [fast])
        answered.set()
    assert saves == 2
    return [await programme.answer(record) for record in (slow, fast)]


async def test_of_two_instances_that_claim_one_reference_the_first_has_it(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    await programme.tell(REGISTERED)
    by_the_lead = supersede(REGISTERED, by=LEAD, partner_ref="Q-2")
    assert await at_once(programme, monkeypatch, by_the_lead, SECOND) == ["same_fact_exists", "accepted"]
    assert await programme.claims() == {(OURS, name, "2023-january") for name in ("Q-1", "Q-2")}


async def test_a_person_whom_two_instances_meet_first_has_one_key(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = told("registered", "2023-01-04", "theirs", by=THEIRS, of=OTHER, partner_ref="T-9")
    assert await at_once(programme, monkeypatch, theirs, REGISTERED) == ["accepted", "accepted"]
    async with transaction(programme.door.engine) as tx:
        data = list((await tx.execute(select(store.JOURNAL.c.data))).scalars())
    assert len({each["person_key"] for each in data}) == 1
    assert len(data) == 2
