"""Bad records of the second phase: about another partner's registrations, and the lead's."""

from __future__ import annotations

from typing import Any

from senconet.demonstration.bad import Pools, Table, kind
from senconet.demonstration.lives import DAY, Life
from senconet.demonstration.model import LEAD, Record
from senconet.demonstration.reference import LEAVER, PARTNERS
from senconet.demonstration.wire import Event, header, wire

OTHERS: Table = {}


def _other(pools: Pools, life: Life) -> str:
    codes = [found.code for found, _ in PARTNERS if found.code not in (LEAVER, life.person.partner)]
    return pools.studio.rng.choice(codes)


def _theirs(pools: Pools, name: str, fact: str, data: dict[str, Any]) -> None:
    """A fact about a registration that is with another partner."""
    life = pools.take("completed")
    day = life.person.starts + 20 * DAY
    event = pools.author(life).event(fact, day, data, topic=_other(pools, life), phase=2)
    pools.put(name, event)


@kind(OTHERS, "not_your_trainee")
def registered_of_another(pools: Pools, name: str) -> None:
    """A registration under an id that another partner has registered: refused at once."""
    life = pools.take("completed")
    first = life.first("registered")
    changes = {"topic": _other(pools, life), "id": pools.studio.event_id(), "system": "mis", "phase": 2}
    pools.put(name, first.again(name, **changes))


@kind(OTHERS, "not_your_trainee", held=True)
def withdrew_of_another(pools: Pools, name: str) -> None:
    """A withdrawal of another partner's trainee."""
    _theirs(pools, name, "withdrew", {"reason": "other", "trigger": "partner"})


@kind(OTHERS, "not_your_trainee", held=True)
def deferred_of_another(pools: Pools, name: str) -> None:
    """A deferral of another partner's trainee."""
    _theirs(pools, name, "deferred", {"reason": "other"})


@kind(OTHERS, "not_your_trainee", held=True)
def completed_of_another(pools: Pools, name: str) -> None:
    """A completion of another partner's trainee."""
    _theirs(pools, name, "completed", {})


@kind(OTHERS, "target_unknown", held=True)
def void_of_another(pools: Pools, name: str) -> None:
    """A void of another's fact as if it were one's own: under one's own source there is none."""
    life = pools.take("completed")
    target = life.first("registered")
    data = {"target_id": target.id, "cause": "wrong_trainee"}
    topic = _other(pools, life)
    pools.put(name, pools.author(life).event("registered.voided", life.person.ended, data, topic=topic, phase=2))


def _lead(pools: Pools, life: Life, target: Event, **changes: Any) -> Event:
    void = pools.author(life).voided_by_lead(target, life.person.ended + 30 * DAY)
    return void.again(void.kind, data=void.data | changes)


@kind(OTHERS, "target_unknown", held=True)
def lead_void_of_unknown_id(pools: Pools, name: str) -> None:
    """The lead's void of a withdrawal that there is not."""
    life = pools.take("withdrawn")
    pools.put(name, _lead(pools, life, life.first("withdrew"), target_id=pools.studio.event_id()))


@kind(OTHERS, "target_unknown", held=True)
def lead_void_without_source(pools: Pools, name: str) -> None:
    """The lead's void that leaves out whose event it means."""
    life = pools.take("withdrawn")
    void = _lead(pools, life, life.first("withdrew"))
    data = {key: value for key, value in void.data.items() if key != "target_source"}
    pools.put(name, void.again(name, data=data))


@kind(OTHERS, "already_in_state")
def lead_void_again(pools: Pools, name: str) -> None:
    """The lead's void of a registration that its sender has voided."""
    life = pools.take("duplicate")
    pools.put(name, _lead(pools, life, life.first("registered")))


@kind(OTHERS, "would_invalidate")
def lead_void_under_resumption(pools: Pools, name: str) -> None:
    """The lead's void of a deferral from which a resumption came back."""
    life = pools.take("deferral")
    pools.put(name, _lead(pools, life, life.first("deferred")))


@kind(OTHERS, "not_your_trainee", held=True)
def lead_withdraws(pools: Pools, name: str) -> None:
    """The lead cannot withdraw a partner's trainee."""
    life = pools.take("completed")
    data = {"reason": "other", "trigger": "partner"}
    day = life.person.starts + 20 * DAY
    pools.put(name, pools.author(life).event("withdrew", day, data, topic=LEAD, phase=2))


@kind(OTHERS, "partnership_not_active")
def lead_registers(pools: Pools, name: str) -> None:
    """The lead delivers no cohort."""
    pools.put(name, pools.fresh().again(name, topic=LEAD, system="mis", phase=2))


@kind(OTHERS, "source_not_yours")
def lead_under_partner_source(pools: Pools, name: str) -> None:
    """The lead's topic, a partner's source."""
    life = pools.take("completed")
    void = _lead(pools, life, life.first("registered"))
    source = life.first("registered").source.encode()
    pools.put(name, void, record=header(wire(void), "ce_source", source))


@kind(OTHERS, "type_unknown")
def lead_merges(pools: Pools, name: str) -> None:
    """A type of the lead's that is not there yet."""
    void = pools.fresh().again(name, topic=LEAD, phase=2, data={})
    record: Record = header(wire(void), "ce_type", b"uk.eysenco.trainee.merged.v1")
    pools.put(name, void, record=record)
