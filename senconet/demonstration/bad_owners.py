"""Bad records that mentoring and assessment refuse, or the door for them."""

from __future__ import annotations

from datetime import timedelta

from senconet.demonstration.bad import Pools, Table, kind
from senconet.demonstration.bad_fields import DECIDED, MENTORING, SESSION, SUBMITTED, UUID
from senconet.demonstration.course import day_of
from senconet.demonstration.lives import DAY, Life
from senconet.demonstration.reference import Session
from senconet.demonstration.wire import Event

OWNERS: Table = {}
EXTRA = "extra"  # a session beside the course


def extra(pools: Pools, life: Life, days: int) -> Event:
    """A session beside the course, so many days after the end."""
    day = life.person.ended + days * DAY
    return pools.author(life).session(day, Session(EXTRA, "enrichment", day))


def began(life: Life) -> bool:
    """Whether the course went on for weeks, without an assessment."""
    facts = {event.fact for event in life.events}
    return "mentor.assigned" in facts and "portfolio.submitted" not in facts and _weeks(life) > 3


def _weeks(life: Life) -> float:
    return (life.person.ended - life.person.starts).days / 7


def _single(life: Life) -> bool:
    """Whether every unit was passed at the first attempt."""
    return sum(event.fact == "portfolio.submitted" for event in life.events) == 2 and life.person.passes


def _within(life: Life) -> timedelta:
    """Halfway between the first decision and the completion."""
    first = life.first("assessment.decided")
    return (life.first("completed").time - first.time) / 2


def _new(pools: Pools, event: Event, **changes: object) -> Event:
    return event.again(event.kind, id=pools.studio.event_id(), **changes)


@kind(OWNERS, "same_fact_exists")
def session_again(pools: Pools, name: str) -> None:
    """A session under another event id."""
    life = pools.take("completed")
    pools.put(name, _new(pools, life.first("session.attended")), life)


@kind(OWNERS, "same_fact_exists")
def mentoring_again(pools: Pools, name: str) -> None:
    """A mentoring session under another event id."""
    life = pools.take("completed")
    pools.put(name, _new(pools, life.first("mentoring.held")), life)


@kind(OWNERS, "id_conflict")
def id_again_session(pools: Pools, name: str) -> None:
    """A session's id again, with other minutes."""
    life = pools.take("completed")
    first = life.first("session.attended")
    pools.put(name, first.again(name, data=first.data | {"minutes": first.data["minutes"] + 1}), life)


@kind(OWNERS, "id_conflict")
def id_again_other_fact_of_mentoring(pools: Pools, name: str) -> None:
    """A mentor's id again, for a session."""
    life = pools.take("completed")
    first = life.first("mentor.assigned")
    pools.put(name, extra(pools, life, -2).again(name, id=first.id, system=first.system), life)


@kind(OWNERS, "id_conflict")
def id_again_other_fact_of_assessment(pools: Pools, name: str) -> None:
    """A submission's id again, for a decision."""
    life = pools.take("completed")
    first = life.first("portfolio.submitted")
    again = life.first("assessment.decided").again(name, id=first.id, system=first.system)
    pools.put(name, again, life)


@kind(OWNERS, "after_withdrawal")
def session_after_withdrawal(pools: Pools, name: str) -> None:
    """A session after the withdrawal."""
    life = pools.take("withdrawn")
    pools.put(name, extra(pools, life, 3), life)


@kind(OWNERS, "after_withdrawal")
def mentoring_after_withdrawal(pools: Pools, name: str) -> None:
    """Mentoring after the withdrawal."""
    life = pools.take("withdrawn")
    pools.put(name, pools.author(life).mentoring(life.person.ended + 3 * DAY, UUID, 20), life)


@kind(OWNERS, "after_withdrawal")
def mentor_after_withdrawal(pools: Pools, name: str) -> None:
    """A mentor after the withdrawal."""
    life = pools.take("withdrawn")
    pools.put(name, pools.author(life).mentor(life.person.ended + 3 * DAY, UUID, ends_previous=True), life)


@kind(OWNERS, "after_withdrawal")
def submitted_after_withdrawal(pools: Pools, name: str) -> None:
    """A portfolio after the withdrawal."""
    life = pools.take("withdrawn")
    pools.put(name, pools.author(life).submitted(life.person.ended + 3 * DAY, "unit-2"), life)


@kind(OWNERS, "while_deferred")
def session_while_deferred(pools: Pools, name: str) -> None:
    """A session within a deferral."""
    life = pools.take("deferral")
    day = day_of(life.first("deferred")) + 3 * DAY
    pools.put(name, pools.author(life).session(day, Session(EXTRA, "enrichment", day)), life)


@kind(OWNERS, "while_deferred")
def submitted_while_deferred(pools: Pools, name: str) -> None:
    """A portfolio within a deferral."""
    life = pools.take("deferral")
    pools.put(name, pools.author(life).submitted(day_of(life.first("deferred")) + 3 * DAY, "unit-1", 2), life)


@kind(OWNERS, "registration_unknown", held=True)
def session_unregistered(pools: Pools, name: str) -> None:
    """A session without a registration, and a copy while it waits."""
    item = pools.put(name, pools.stray("session.attended", SESSION))
    pools.studio.add(item.topic, 1, item.publish, "copy_of_held", item.record)


@kind(OWNERS, "registration_unknown", held=True)
def course_unregistered(pools: Pools, name: str) -> None:
    """A mentor, mentoring, a portfolio and a decision without a registration."""
    base = pools.stray("mentor.assigned", {"mentor_id": UUID, "ends_previous": False})
    pools.put(name, base)
    rest = {"mentoring.held": MENTORING, "portfolio.submitted": SUBMITTED, "assessment.decided": DECIDED}
    for fact, data in rest.items():
        pools.put(name, _new(pools, base, fact=fact, data=dict(data), time=base.time + timedelta(hours=1)))


@kind(OWNERS, "registration_unknown", held=True)
def session_before_registration(pools: Pools, name: str) -> None:
    """A session before the registration's own moment."""
    life = pools.take("completed")
    day = life.person.registered - 20 * DAY
    pools.put(name, pools.author(life).session(day, Session(EXTRA, "enrichment", day)), life)


@kind(OWNERS, "registration_voided")
def session_of_voided(pools: Pools, name: str) -> None:
    """A session of a voided registration."""
    life = pools.take("duplicate")
    pools.put(name, extra(pools, life, -1), life)


@kind(OWNERS, "registration_voided")
def decided_of_voided(pools: Pools, name: str) -> None:
    """A decision on a voided registration."""
    life = pools.take("duplicate")
    pools.put(name, pools.author(life).decided(life.person.ended, "unit-1"), life)


@kind(OWNERS, "already_in_state")
def mentor_beside_mentor(pools: Pools, name: str) -> None:
    """A second mentor who does not end the first."""
    life = pools.take("completed")
    pools.put(name, pools.author(life).mentor(life.person.ended - DAY, UUID), life)


@kind(OWNERS, "would_invalidate")
def mentor_before_mentor(pools: Pools, name: str) -> None:
    """A mentor before the first one, who ends none."""
    early = 10 * DAY
    life = pools.take("completed", lambda found: found.person.registered < found.person.starts - early)
    pools.put(name, pools.author(life).mentor(life.person.starts - 5 * DAY, UUID), life)


@kind(OWNERS, "attempt_out_of_order")
def submitted_after_pass(pools: Pools, name: str) -> None:
    """A second attempt at a unit that was passed."""
    life = pools.take("completed", _single)
    first = life.first("assessment.decided")
    when = first.time + _within(life)
    again = pools.author(life).event("portfolio.submitted", when, SUBMITTED | {"attempt": 2})
    pools.put(name, again.again(name, data=again.data | {"unit_code": first.data["unit_code"]}), life)


@kind(OWNERS, "attempt_out_of_order")
def submitted_second_first(pools: Pools, name: str) -> None:
    """A second attempt without a first."""
    life = pools.take("withdrawn", began)
    pools.put(name, pools.author(life).submitted(life.person.ended - 3 * DAY, "unit-1", 2), life)


@kind(OWNERS, "attempt_out_of_order")
def submitted_while_undecided(pools: Pools, name: str) -> None:
    """A second attempt while the first is undecided."""
    life = pools.take("withdrawn", began)
    author, day = pools.author(life), life.person.ended - 6 * DAY
    pools.put("portfolio.submitted", author.submitted(day, "unit-1"), life)
    pools.put(name, author.submitted(day + 3 * DAY, "unit-1", 2), life)


@kind(OWNERS, "attempts_exhausted")
def submitted_a_fourth_time(pools: Pools, name: str) -> None:
    """A fourth attempt after three referrals."""
    life = pools.take("withdrawn", began)
    author, day = pools.author(life), life.person.ended - 8 * DAY
    for attempt in (1, 2, 3):
        pools.put("portfolio.submitted", author.submitted(day, "unit-1", attempt), life)
        pools.put("assessment.decided", author.decided(day + DAY, "unit-1", attempt, "referred"), life)
        day += 2 * DAY
    pools.put(name, author.submitted(day, "unit-1", 4), life)


@kind(OWNERS, "submission_missing", held=True)
def decided_without_submission(pools: Pools, name: str) -> None:
    """A decision without a submission, and a copy while it waits."""
    life = pools.take("withdrawn", began)
    item = pools.put(name, pools.author(life).decided(life.person.ended - 3 * DAY, "unit-1"), life)
    pools.studio.add(item.topic, 1, item.publish, "copy_of_held", item.record)


@kind(OWNERS, "submission_missing", held=True)
def decided_other_attempt(pools: Pools, name: str) -> None:
    """A decision on an attempt that was not submitted."""
    life = pools.take("withdrawn", began)
    author, day = pools.author(life), life.person.ended - 6 * DAY
    pools.put("portfolio.submitted", author.submitted(day, "unit-1"), life)
    pools.put(name, author.decided(day + 3 * DAY, "unit-1", 2), life)


@kind(OWNERS, "after_completion")
def submitted_after_completion(pools: Pools, name: str) -> None:
    """A portfolio after the completion."""
    life = pools.take("completed", _single)
    pools.put(name, pools.author(life).submitted(life.person.ended + 3 * DAY, "unit-1", 2), life)


@kind(OWNERS, "after_completion")
def decided_after_completion(pools: Pools, name: str) -> None:
    """A decision after the completion."""
    life = pools.take("completed", _single)
    pools.put(name, pools.author(life).decided(life.person.ended + 3 * DAY, "unit-1", 2), life)


@kind(OWNERS, "same_fact_exists")
def submitted_again(pools: Pools, name: str) -> None:
    """A submission under another event id."""
    life = pools.take("completed")
    pools.put(name, _new(pools, life.first("portfolio.submitted")), life)


@kind(OWNERS, "same_fact_exists")
def decided_again(pools: Pools, name: str) -> None:
    """A decision under another event id."""
    life = pools.take("completed")
    pools.put(name, _new(pools, life.first("assessment.decided")), life)


@kind(OWNERS, "code_not_in_list")
def unit_not_of_cohort(pools: Pools, name: str) -> None:
    """A unit that the cohort does not have."""
    life = pools.take("completed")
    pools.put(name, pools.author(life).submitted(life.person.ended - 3 * DAY, "unit-9"), life)


@kind(OWNERS, "decision_missing", held=True)
def completed_undecided(pools: Pools, name: str) -> None:
    """A completion without decisions."""
    life = pools.take("withdrawn", began)
    pools.put(name, pools.author(life).completed(life.person.ended - 2 * DAY), life)
