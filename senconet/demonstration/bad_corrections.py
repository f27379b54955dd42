"""Bad corrections: supersedes and voids that are refused by the stages of their target's type."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from senconet.demonstration.bad import Pools, Table, kind
from senconet.demonstration.bad_fields import SESSION, UUID
from senconet.demonstration.lives import DAY, Life
from senconet.demonstration.publishing import PLAIN
from senconet.demonstration.reference import COHORTS, LEAVER
from senconet.demonstration.wire import Event

CORRECTIONS: Table = {}


def _change(pools: Pools, life: Life, target: Event, **data: Any) -> Event:
    """A supersede of a fact with changed data."""
    right = target.again(target.kind, data=target.data | data)
    return pools.author(life).superseded(target, life.person.ended + DAY, right)


def _move(pools: Pools, life: Life, target: Event, by: timedelta) -> Event:
    """A supersede of a fact that moves it."""
    data = {name: value for name, value in target.data.items() if name != "time_precision"}
    right = target.again(target.kind, data=data, time=target.time + by)
    return pools.author(life).superseded(target, life.person.ended + DAY, right)


def _times(life: Life, fact: str) -> list[Event]:
    return [event for event in life.events if event.fact == fact]


def _last(life: Life, fact: str) -> Event:
    return _times(life, fact)[-1]


@kind(CORRECTIONS, "same_fact_exists")
def session_changed_to_another(pools: Pools, name: str) -> None:
    """A session superseded as another that stands."""
    life = pools.take("completed", lambda found: len(_times(found, "session.attended")) > 3)
    one, other = _times(life, "session.attended")[:2]
    pools.put(name, _change(pools, life, one, session_id=other.data["session_id"]), life)


@kind(CORRECTIONS, "while_deferred")
def session_moved_into_deferral(pools: Pools, name: str) -> None:
    """A session superseded to a day within a deferral."""
    life = pools.take("deferral", lambda found: bool(_times(found, "session.attended")))
    session = _last(life, "session.attended")
    by = life.first("deferred").time + 3 * DAY - session.time
    pools.put(name, _move(pools, life, session, by), life)


@kind(CORRECTIONS, "after_withdrawal")
def session_moved_past_withdrawal(pools: Pools, name: str) -> None:
    """A session superseded to a day after the withdrawal."""
    life = pools.take("withdrawn", lambda found: bool(_times(found, "session.attended")))
    session = _last(life, "session.attended")
    by = life.first("withdrew").time + 3 * DAY - session.time
    pools.put(name, _move(pools, life, session, by), life)


@kind(CORRECTIONS, "already_in_state")
def fact_voided_again(pools: Pools, name: str) -> None:
    """A second void of one fact."""
    life = pools.take("tell_again")
    void = next(event for event in life.events if event.fact.endswith(".voided"))
    pools.put(name, void.again(name, id=pools.studio.event_id()), life)


@kind(CORRECTIONS, "already_in_state")
def fact_changed_after_void(pools: Pools, name: str) -> None:
    """A supersede of a fact that was voided."""
    life = pools.take("tell_again")
    void = next(event for event in life.events if event.fact.endswith(".voided"))
    target = next(event for event in life.events if event.id == void.data["target_id"])
    pools.put(name, _change(pools, life, target), life)


@kind(CORRECTIONS, "id_conflict")
def id_again_with_what_superseded_it(pools: Pools, name: str) -> None:
    """A fact's id again, with what superseded it: a copy is compared with what was first sent."""
    life = pools.take("supersede", lambda found: _changed(found) is not None)
    target, right = _changed(life) or (life.events[0], {})
    pools.put(name, target.again(name, data=right), life)


def _changed(life: Life) -> tuple[Event, dict[str, Any]] | None:
    """A fact that was superseded by other data without being moved, and its replacement."""
    change = next(event for event in life.events if event.fact.endswith(".superseded"))
    target = next(event for event in life.events if event.id == change.data["target_id"])
    right = change.data["replacement"]
    return None if "replacement_time" in change.data or target.data == right else (target, right)


@kind(CORRECTIONS, "target_unknown", held=True)
def void_of_unknown_session(pools: Pools, name: str) -> None:
    """A void of a session that was never sent; it waits at mentoring."""
    life = pools.take("completed")
    data = {"target_id": pools.studio.event_id(), "cause": "entered_in_error"}
    pools.put(name, pools.author(life).event("session.attended.voided", life.person.ended, data), life)


@kind(CORRECTIONS, "target_unknown", held=True)
def session_voided_as_mentoring(pools: Pools, name: str) -> None:
    """A void of mentoring that names a session, and a copy while it waits."""
    life = pools.take("completed")
    void = pools.author(life).voided(life.first("session.attended"), life.person.ended)
    item = pools.put(name, void.again(name, fact="mentoring.held.voided"), life)
    pools.studio.add(item.topic, 1, item.publish, "copy_of_held", item.record)


@kind(CORRECTIONS, "target_unknown", held=True)
def change_of_unknown_withdrawal(pools: Pools, name: str) -> None:
    """A supersede of a withdrawal that was never sent."""
    life = pools.take("completed")
    lost = pools.author(life).withdrew(life.person.ended, "other")
    pools.put(name, _change(pools, life, lost), life)


@kind(CORRECTIONS, "target_unknown", held=True)
def change_unregistered(pools: Pools, name: str) -> None:
    """A supersede for a registration that there is not."""
    target = {"target_id": pools.studio.event_id(), "cause": "entered_in_error"}
    pools.put(name, pools.stray("session.attended.superseded", target | {"replacement": SESSION}))


@kind(CORRECTIONS, "would_invalidate")
def submission_voided_under_decision(pools: Pools, name: str) -> None:
    """The void of a submission on which a decision stands."""
    life = pools.take("completed")
    pools.put(name, pools.author(life).voided(life.first("portfolio.submitted"), life.person.ended), life)


@kind(CORRECTIONS, "would_invalidate")
def decision_voided_under_completion(pools: Pools, name: str) -> None:
    """The void of a decision on which a completion stands."""
    life = pools.take("completed")
    pools.put(name, pools.author(life).voided(_last(life, "assessment.decided"), life.person.ended), life)


@kind(CORRECTIONS, "would_invalidate")
def decision_changed_under_completion(pools: Pools, name: str) -> None:
    """A decision superseded as a referral, under a completion."""
    life = pools.take("completed", lambda found: found.person.passes)
    last = next(event for event in life.events if event.data.get("outcome") == "passed")
    pools.put(name, _change(pools, life, last, outcome="referred", attempt=last.data["attempt"]), life)


@kind(CORRECTIONS, "attempt_out_of_order")
def submission_changed_to_later_attempt(pools: Pools, name: str) -> None:
    """A first submission superseded as one that was not due."""
    life = pools.take("completed")
    pools.put(name, _change(pools, life, life.first("portfolio.submitted"), attempt=9), life)


@kind(CORRECTIONS, "code_not_in_list")
def submission_changed_to_unknown_unit(pools: Pools, name: str) -> None:
    """A submission superseded as one for a unit that the cohort does not have."""
    life = pools.take("completed")
    pools.put(name, _change(pools, life, life.first("portfolio.submitted"), unit_code="unit-9"), life)


@kind(CORRECTIONS, "would_invalidate")
def deferral_moved_past_resumption(pools: Pools, name: str) -> None:
    """A deferral superseded to after the resumption."""
    life = pools.take("deferral")
    first = life.first("deferred")
    pools.put(name, _move(pools, life, first, life.first("resumed").time + 2 * DAY - first.time), life)


@kind(CORRECTIONS, "would_invalidate")
def registration_moved_past_withdrawal(pools: Pools, name: str) -> None:
    """A registration superseded to after the withdrawal."""
    life = pools.take(
        "withdrawn",
        lambda found: (
            found.person.ended + 3 * DAY < COHORTS[found.person.cohort].closes and found.person.partner != LEAVER
        ),
    )
    first = life.first("registered")
    by = life.first("withdrew").time + 2 * DAY - first.time
    pools.put(name, _move(pools, life, first, by), life)


@kind(CORRECTIONS, "cohort_closed")
def registration_moved_past_closing(pools: Pools, name: str) -> None:
    """A registration superseded to after the cohort's registration closed."""
    life = pools.take("completed", lambda found: found.person.partner != LEAVER)
    first = life.first("registered")
    days = COHORTS[life.person.cohort].closes + 5 * DAY - life.person.registered
    pools.put(name, _move(pools, life, first, days), life)


@kind(CORRECTIONS, "not_eligible")
def registration_changed_to_ineligible(pools: Pools, name: str) -> None:
    """A registration superseded as one without Level 3."""
    life = pools.take("completed")
    pools.put(name, _change(pools, life, life.first("registered"), level3_full_relevant=False), life)


@kind(CORRECTIONS, "same_fact_exists")
def registration_changed_to_taken_reference(pools: Pools, name: str) -> None:
    """A registration superseded with the reference of another of the same cohort."""
    shared = Counter((life.person.partner, life.person.cohort) for life in pools.every if life.kind in PLAIN)
    life = pools.take("completed", lambda found: shared[found.person.partner, found.person.cohort] > 1)
    person = life.person
    other = pools.beside(
        life, lambda found: (found.person.partner, found.person.cohort) == (person.partner, person.cohort)
    )
    taken = other.first("registered").data["partner_ref"]
    pools.put(name, _change(pools, life, life.first("registered"), partner_ref=taken), life)


@kind(CORRECTIONS, "registration_voided")
def registration_changed_after_void(pools: Pools, name: str) -> None:
    """A supersede of a voided registration."""
    life = pools.take("duplicate")
    pools.put(name, _change(pools, life, life.first("registered"), role="senco"), life)


@kind(CORRECTIONS, "already_in_state")
def mentor_changed_to_beside(pools: Pools, name: str) -> None:
    """A mentor who ended the first, superseded as one who does not."""
    life = pools.take("completed")
    author, day = pools.author(life), life.person.ended - DAY
    second = author.mentor(day, UUID, ends_previous=True)
    pools.put("mentor.assigned", second, life)
    pools.put(name, _change(pools, life, second, ends_previous=False), life)
