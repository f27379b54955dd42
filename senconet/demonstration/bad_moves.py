"""Bad offers, answers to none, and what is dated in another partner's time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from senconet.demonstration.bad import Pools, Table, kind
from senconet.demonstration.bad_fields import OFFERED
from senconet.demonstration.course import day_of
from senconet.demonstration.lives import DAY, Life
from senconet.demonstration.model import LEAD
from senconet.demonstration.moves import another
from senconet.demonstration.reference import LEAVER, LEAVER_COHORTS, Session
from senconet.demonstration.wire import Event

MOVES: Table = {}


def _day(life: Life) -> date:
    return life.person.starts + 30 * DAY


def _offered(pools: Pools, life: Life, to: str = "") -> Event:
    """A faultless offer of a life, dated well within it."""
    author = pools.author(life)
    offer = author.offered(_day(life), to or another(author), _day(life) + 20 * DAY)
    pools.put("transfer.offered", offer, life)
    return offer


def _answer(pools: Pools, life: Life, fact: str, offer: Event, topic: str, **data: str) -> Event:
    found = pools.author(life).answer(fact, _day(life) + 4 * DAY, offer, **data)
    return replace(found, topic=topic, system="mis")


@kind(MOVES, "transfer_partner_invalid")
def offered_to_itself(pools: Pools, name: str) -> None:
    """An offer to the partner whose trainee it is."""
    life = pools.take("completed")
    pools.put(name, pools.author(life).offered(_day(life), life.person.partner, _day(life) + 9 * DAY), life)


@kind(MOVES, "transfer_partner_invalid")
def offered_to_nobody(pools: Pools, name: str) -> None:
    """An offer to a partner that there is not."""
    life = pools.take("completed")
    pools.put(name, pools.author(life).offered(_day(life), "nobody-here", _day(life) + 9 * DAY), life)


@kind(MOVES, "transfer_partner_invalid")
def offered_to_the_leaver(pools: Pools, name: str) -> None:
    """An offer to a partner that does not deliver the cohort."""
    life = pools.take("completed", lambda found: found.person.cohort >= LEAVER_COHORTS)
    pools.put(name, pools.author(life).offered(_day(life), LEAVER, _day(life) + 9 * DAY), life)


@kind(MOVES, "transfer_date_conflict")
def offered_for_the_past(pools: Pools, name: str) -> None:
    """An offer for a day before it."""
    life = pools.take("completed", lambda found: found.person.partner != LEAVER)
    author = pools.author(life)
    pools.put(name, author.offered(_day(life), another(author), _day(life) - DAY), life)


@kind(MOVES, "transfer_pending")
def offered_while_open(pools: Pools, name: str) -> None:
    """A second offer while the first is open."""
    life = pools.take("completed")
    _offered(pools, life)
    author = pools.author(life)
    pools.put(name, author.offered(_day(life) + 5 * DAY, another(author), _day(life) + 30 * DAY), life)


@kind(MOVES, "same_fact_exists")
def offered_under_the_same_id(pools: Pools, name: str) -> None:
    """A second offer under the transfer id of one that lapsed."""
    life = pools.take("completed")
    first = _offered(pools, life)
    author, day = pools.author(life), _day(life) + 20 * DAY
    pools.put(name, author.offered(day, another(author), day + 9 * DAY, first.data["transfer_id"]), life)


@kind(MOVES, "after_withdrawal")
def offered_after_withdrawal(pools: Pools, name: str) -> None:
    """An offer of somebody who withdrew."""
    life = pools.take("withdrawn")
    author, day = pools.author(life), life.person.ended + 3 * DAY
    pools.put(name, author.offered(day, another(author), day + 9 * DAY), life)


@kind(MOVES, "registration_unknown", held=True)
def offered_unregistered(pools: Pools, name: str) -> None:
    """An offer of nobody, and a copy while it waits."""
    item = pools.put(name, pools.stray("transfer.offered", OFFERED))
    pools.studio.add(item.topic, 1, item.publish, "copy_of_held", item.record)


@kind(MOVES, "not_your_trainee", held=True)
def offered_by_another(pools: Pools, name: str) -> None:
    """An offer of another partner's trainee."""
    life = pools.take("completed")
    author = pools.author(life)
    other = another(author)
    offer = author.offered(_day(life), another(author, other), _day(life) + 9 * DAY)
    pools.put(name, replace(offer, topic=other, system="mis", phase=2), life)


@kind(MOVES, "transfer_not_offered", held=True)
def accepted_without_offer(pools: Pools, name: str) -> None:
    """An acceptance of nothing, and a copy while it waits."""
    life = pools.take("completed")
    author = pools.author(life)
    lost = author.offered(_day(life), another(author), _day(life) + 9 * DAY)
    answer = _answer(pools, life, "accepted", lost, lost.data["to_partner"])
    item = pools.put(name, answer, life)
    pools.studio.add(item.topic, 2, item.publish, "copy_of_held", item.record)


@kind(MOVES, "transfer_not_offered", held=True)
def accepted_by_a_stranger(pools: Pools, name: str) -> None:
    """An acceptance by a partner to which nothing was offered."""
    life = pools.take("completed")
    offer = _offered(pools, life)
    stranger = another(pools.author(life), offer.data["to_partner"])
    pools.put(name, _answer(pools, life, "accepted", offer, stranger), life)


@kind(MOVES, "transfer_not_offered", held=True)
def accepted_by_the_lead(pools: Pools, name: str) -> None:
    """The lead may offer and cancel for anyone, but not accept."""
    life = pools.take("completed")
    offer = _offered(pools, life)
    pools.put(name, _answer(pools, life, "accepted", offer, LEAD), life)


@kind(MOVES, "transfer_not_offered", held=True)
def cancelled_by_the_gaining(pools: Pools, name: str) -> None:
    """The gaining partner can decline, not cancel."""
    life = pools.take("completed")
    offer = _offered(pools, life)
    pools.put(name, _answer(pools, life, "cancelled", offer, offer.data["to_partner"]), life)


@kind(MOVES, "same_fact_exists")
def accepted_under_a_taken_reference(pools: Pools, name: str) -> None:
    """An acceptance that names the gaining partner's reference of another trainee."""
    life = pools.take("completed")
    mine, cohort = life.person.partner, life.person.cohort
    other = pools.beside(
        life, lambda found: found.person.cohort == cohort and found.person.partner not in (LEAVER, mine)
    )
    gaining = other.person.partner
    offer = _offered(pools, life, gaining)
    taken = other.first("registered").data["partner_ref"]
    pools.put(name, _answer(pools, life, "accepted", offer, gaining, partner_ref=taken), life)


@kind(MOVES, "transfer_not_offered", held=True)
def accepted_twice(pools: Pools, name: str) -> None:
    """A second acceptance of one offer."""
    life = pools.take("transferred")
    first = life.first("transfer.accepted")
    pools.put(name, first.again(name, id=pools.studio.event_id(), time=first.time + DAY), life)


@kind(MOVES, "not_your_trainee", held=True)
def session_before_the_transfer(pools: Pools, name: str) -> None:
    """The gaining partner's session in the losing one's time."""
    life = pools.take("transferred")
    day = day_of(life.first("transfer.offered")) + DAY
    session = pools.author(life).session(day, Session("extra", "enrichment", day))
    pools.put(name, replace(session, phase=2), life)


@kind(MOVES, "same_fact_exists")
def session_again_after_the_transfer(pools: Pools, name: str) -> None:
    """A session that the losing partner has told, told by the gaining one."""
    life = pools.take("transferred", lambda found: found.first("session.attended").phase == 1)
    first = life.first("session.attended")
    session = pools.author(life).event("session.attended", life.person.ended - DAY, first.data | {}, phase=2)
    data = {name: value for name, value in session.data.items() if name != "time_precision"}
    time = life.first("completed").time - DAY
    pools.put(name, session.again(name, data=data, time=time), life)


@kind(MOVES, "already_in_state")
def mentor_beside_mentor_after_the_transfer(pools: Pools, name: str) -> None:
    """A transfer ends the mentor, but not the gaining partner's own."""
    life = pools.take("transferred", _mentored)
    mentor = pools.author(life).mentor(life.person.ended - DAY, pools.studio.uuid())
    pools.put(name, replace(mentor, phase=2), life)


def _mentored(life: Life) -> bool:
    return any(event.fact == "mentor.assigned" and event.phase == 2 for event in life.events)
