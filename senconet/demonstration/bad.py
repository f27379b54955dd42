"""Bad records: every kind a named function in one table, with the codes that it must be answered with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from senconet.demonstration.lives import DAY, Author, Life
from senconet.demonstration.model import Record
from senconet.demonstration.publishing import PLAIN
from senconet.demonstration.reference import COHORTS, LEAVER, LEAVER_COHORTS, PARTNERS, PROVIDER_TYPES
from senconet.demonstration.wire import Event, Item, Studio, wire


@dataclass(slots=True)
class Pools:
    """Lives by kind; each is used for one bad record only, so that none spoils another."""

    studio: Studio
    lives: defaultdict[str, list[Life]] = field(default_factory=lambda: defaultdict(list))
    every: list[Life] = field(default_factory=list)

    def beside(self, life: Life, test: Callable[[Life], bool]) -> Life:
        """Another plain life that passes the test, taken or not; nothing of it is touched."""
        return next(found for found in self.every if found is not life and found.kind in PLAIN and test(found))

    def take(self, kind: str, test: Callable[[Life], bool] = lambda life: True) -> Life:
        """A life of the kind that passes the test, not taken before."""
        for i, life in enumerate(self.lives[kind]):
            if test(life):
                return self.lives[kind].pop(i)
        raise LookupError(f"no life left of kind {kind}")

    def fresh(self, cohort: int | None = None, partner: str = "", day: date | None = None) -> Event:
        """A registration, faultless but for what is asked, of a trainee who appears nowhere else."""
        studio, rng = self.studio, self.studio.rng
        number = rng.randint(0, LEAVER_COHORTS - 1) if cohort is None else cohort
        codes = [found.code for found, _ in PARTNERS if found.code != LEAVER]
        topic = partner or rng.choice(codes)
        plan = COHORTS[number]
        studio.refs += 1
        data = {
            "trainee_id": studio.uuid(),
            "partner_ref": f"{topic[:3].upper()}-B{studio.refs:06d}",
            "cohort_code": plan.code,
            "setting_urn": rng.choice(self.lives["completed"]).person.setting,
            "provider_type": rng.choice(PROVIDER_TYPES),
            "role": "senco",
            "level3_full_relevant": True,
            "places_allocation": "contract_2022",
        }
        when = day or plan.opens + timedelta(days=rng.randint(1, (plan.starts - plan.opens).days))
        return studio.event(topic, studio.uuid(), "registered", studio.at(when), data)

    def stray(self, fact: str, data: dict[str, Any]) -> Event:
        """A fact about a registration that nobody has sent."""
        base = self.fresh()
        return self.studio.event(base.topic, base.subject, fact, base.time + 30 * DAY, data)

    def author(self, life: Life) -> Author:
        """An author who goes on with a life."""
        trainee = life.first("registered").data["trainee_id"]
        return Author(self.studio, life.person, life.subject, trainee)

    def put(self, kind: str, event: Event, life: Life | None = None, record: Record | None = None) -> Item:
        """Publishes a bad record: after all that the partner sent of the life, or when it happened."""
        studio = self.studio
        at = event.time + studio.minutes(10, 3000)
        if event.time.year > 2024:
            at = datetime(2023, 6, 1, tzinfo=event.time.tzinfo) + studio.minutes(0, 500_000)
        if life is not None and event.phase == 2:
            at = life.last_in_second = (life.last_in_second or at) + studio.minutes(30, 9000)
        elif life is not None and life.last_publish is not None:
            at = life.last_publish + studio.minutes(30, 9000)
            life.last_publish = at
        return studio.add(event.topic, event.phase, at, kind, record or wire(event), event)


Make: TypeAlias = Callable[[Pools, str], object]


@dataclass(frozen=True, slots=True)
class Bad:
    """A kind of bad record: the codes it is answered with, and what makes one."""

    codes: frozenset[str]
    make: Make
    held: bool = False


Table: TypeAlias = dict[str, Bad]


def kind(table: Table, *codes: str, held: bool = False) -> Callable[[Make], Make]:
    """Enters a function into the table under its own name."""

    def enter(make: Make) -> Make:
        table[getattr(make, "__name__", "")] = Bad(frozenset(codes), make, held)
        return make

    return enter


def spoiled(table: Table, *codes: str) -> Callable[[Callable[[Record], Record]], Callable[[Record], Record]]:
    """Enters a kind that spoils the record of a faultless registration."""

    def enter(spoil: Callable[[Record], Record]) -> Callable[[Record], Record]:
        def make(pools: Pools, name: str) -> Item:
            event = pools.fresh()
            return pools.put(name, event, record=spoil(wire(event)))

        table[spoil.__name__] = Bad(frozenset(codes), make)
        return spoil

    return enter


def make_all(table: Table, pools: Pools, names: Iterable[str], times: int) -> None:
    """Puts every kind into the topics, so many times."""
    for name in names:
        for _ in range(times):
            table[name].make(pools, name)
