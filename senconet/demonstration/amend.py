"""Lives told with faults that are put right: facts superseded, voided and told again, set aside, out of order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias

from senconet.demonstration.course import day_of
from senconet.demonstration.lives import DAY, Author, Life
from senconet.demonstration.model import LEAD
from senconet.demonstration.reference import COHORTS, LEAVER, LEAVER_COHORTS, PROVIDER_TYPES, sessions
from senconet.demonstration.wire import Event

Data: TypeAlias = dict[str, Any]
Wrong: TypeAlias = Callable[[Author, Event], Event]  # the fact as it was first told, from what it should say
UNKNOWN_URN = "SY998"


def _minutes(author: Author, event: Event) -> Event:
    return event.again(
        event.kind, data=event.data | {"minutes": event.data["minutes"] + author.studio.rng.randint(1, 9)}
    )


def _absent(author: Author, event: Event) -> Event:
    return event.again(event.kind, data=event.data | {"status": "absent", "minutes": 0})


def _not_held(author: Author, event: Event) -> Event:
    return event.again(event.kind, data=event.data | {"status": "cancelled", "minutes": 0})


def _later(author: Author, event: Event) -> Event:
    """At another time: a known day becomes a time, and a time one an hour and a half later."""
    data = {name: value for name, value in event.data.items() if name != "time_precision"}
    hours = 9 if "time_precision" in event.data else 1.5
    return event.again(event.kind, data=data, time=event.time + timedelta(hours=hours))


def _other_mentor(author: Author, event: Event) -> Event:
    mentor = author.studio.member(event.topic, "former mentor", 0)
    return event.again(event.kind, data=event.data | {"mentor_id": mentor})


def _less_evidence(author: Author, event: Event) -> Event:
    return event.again(event.kind, data=event.data | {"evidence_count": 1})


def _other_outcome(author: Author, event: Event) -> Event:
    data = {name: value for name, value in event.data.items() if name != "resubmit_by"}
    outcome = "not_passed" if data["outcome"] == "passed" else "passed"
    return event.again(event.kind, data=data | {"outcome": outcome})


def _other_reason(author: Author, event: Event) -> Event:
    data = {name: value for name, value in event.data.items() if name != "code_list"}
    return event.again(event.kind, data=data | {"reason": "other"})


def _other_setting(author: Author, event: Event) -> Event:
    return event.again(event.kind, data=event.data | {"setting_urn": f"{UNKNOWN_URN}{author.person.number:05d}"})


def _other_type(author: Author, event: Event) -> Event:
    kind = next(name for name in PROVIDER_TYPES if name != event.data["provider_type"])
    return event.again(event.kind, data=event.data | {"provider_type": kind})


def _other_reference(author: Author, event: Event) -> Event:
    return event.again(event.kind, data=event.data | {"partner_ref": f"{event.data['partner_ref']}-w"})


def _other_cohort(author: Author, event: Event) -> Event:
    """A cohort that is open on the day, or the right one in another role."""
    day, own = day_of(event), event.data["cohort_code"]
    plans = COHORTS[:LEAVER_COHORTS] if event.topic == LEAVER else COHORTS
    codes = [plan.code for plan in plans if plan.opens <= day <= plan.closes and plan.code != own]
    data = (
        {"cohort_code": codes[0]}
        if codes
        else {"role": "senco" if event.data["role"] != "senco" else "senco_designate"}
    )
    return event.again(event.kind, data=event.data | data)


WRONGS: dict[str, tuple[Wrong, ...]] = {
    "session.attended": (_minutes, _absent, _later),
    "mentoring.held": (_minutes, _not_held, _later),
    "mentor.assigned": (_other_mentor, _later),
    "portfolio.submitted": (_less_evidence, _later),
    "assessment.decided": (_other_outcome, _later),
    "withdrew": (_other_reason,),
    "deferred": (_other_reason,),
    "resumed": (_later,),
    "completed": (_later,),
    "registered": (_other_setting, _other_type, _other_reference, _other_cohort),
}


def _pick(author: Author, life: Life, *facts: str) -> int | None:
    """The number of a random event of these facts."""
    found = [i for i, event in enumerate(life.events) if event.fact in facts and event.kind == event.fact]
    return author.studio.rng.choice(found) if found else None


def supersede(author: Author, life: Life, fact: str) -> None:
    """Tells a fact wrong, and then right; some corrections come first, some copies of the wrong one after."""
    rng, number = author.studio.rng, _pick(author, life, fact)
    if number is None:
        return
    right = life.events[number]
    wrong = rng.choice(WRONGS[fact])(author, right)
    correction = author.superseded(wrong, max(day_of(right), day_of(wrong)) + rng.randint(1, 6) * DAY, right)
    told = [wrong, correction]
    chance = rng.random()
    if chance < 0.1:
        told = [correction.again("held"), replace(wrong, soon=True)]
    elif chance < 0.25:
        told.append(wrong.again("copy_of_superseded"))
    life.events[number : number + 1] = told


def supersede_by_lead(author: Author, life: Life, fact: str) -> None:
    """The lead tells a fact right, in the second phase."""
    number = _pick(author, life, fact)
    if number is None:
        return
    right = life.events[number]
    wrong = WRONGS[fact][0](author, right)
    correction = author.superseded(wrong, day_of(right) + 30 * DAY, right)
    data = correction.data | {"target_source": wrong.source}
    life.events[number] = wrong
    life.events.append(correction.again("lead_supersede", topic=LEAD, phase=2, data=data, system="mis"))


def tell_again(author: Author, life: Life, fact: str) -> None:
    """Tells a fact wrong, voids it, and tells it right under another id."""
    rng, number = author.studio.rng, _pick(author, life, fact)
    if number is None:
        return
    right = life.events[number]
    wrong = rng.choice(WRONGS[fact])(author, right).again(fact, id=author.studio.event_id())
    void = author.voided(wrong, max(day_of(right), day_of(wrong)) + DAY)
    life.events[number : number + 1] = [wrong, void, right]


def decide_early(author: Author, life: Life, fact: str) -> None:
    """Sends a decision ahead of its submission: it waits at its owner."""
    number = _pick(author, life, fact)
    if number is None:
        return
    event = life.events.pop(number)
    unit = (event.data["unit_code"], event.data["attempt"])
    told = [(e.fact, e.data.get("unit_code"), e.data.get("attempt")) for e in life.events]
    i = told.index(("portfolio.submitted", *unit))
    life.events[i : i + 1] = [event.again("held"), replace(life.events[i], soon=True)]


def complete_early(author: Author, life: Life, fact: str) -> None:
    """Sends a completion ahead of the last decision: it waits at its owner, and a copy meets it there."""
    numbers = [i for i, event in enumerate(life.events) if event.fact == "assessment.decided"]
    number = _pick(author, life, fact)
    if number is None or not numbers:
        return
    event = life.events.pop(number)
    last = life.events[numbers[-1]]
    copy = replace(event.again("copy_of_held"), soon=True)
    life.events[numbers[-1] : numbers[-1] + 1] = [event.again("held"), copy, replace(last, soon=True)]


def withdraw_late(author: Author, life: Life, fact: str) -> None:
    """Sends a withdrawal late: sessions after it, already told, are set aside, and a copy of one is refused."""
    number, day = _pick(author, life, fact), author.person.ended
    if number is None:
        return
    used = {event.data.get("session_id") for event in life.events}
    free = [session for session in sessions(COHORTS[author.person.cohort]) if session.code not in used][:3]
    extra = [author.session(day + (i + 1) * DAY, session) for i, session in enumerate(free)]
    extra.append(author.mentoring(day + 5 * DAY, author.studio.member(author.person.partner, "mentor", 1), 9))
    extra += [author.submitted(day + 6 * DAY, "unit-2"), author.decided(day + 9 * DAY, "unit-2")]
    copy = extra[0].again("copy_of_set_aside")
    life.events[number : number + 1] = [*extra, life.events[number], copy]


def withdraw_in_error(author: Author, life: Life, fact: str) -> None:
    """Sends, shortly before the completion, an old withdrawal and its void: what it set aside is restored."""
    number = _pick(author, life, fact)
    if number is None:
        return
    day = author.person.starts + timedelta(days=author.studio.rng.randint(30, 80))
    wrong = author.withdrew(day, "other")
    void = author.voided(wrong, max(day, author.person.ended - 2 * DAY))
    life.events[number:number] = [wrong, replace(void, soon=True)]


Change: TypeAlias = Callable[[Author, Life, str], None]
CHANGES: tuple[tuple[float, str, Change], ...] = (
    (0.006, "session.attended", supersede),
    (0.003, "mentoring.held", supersede),
    (0.002, "mentor.assigned", supersede),
    (0.003, "portfolio.submitted", supersede),
    (0.003, "assessment.decided", supersede),
    (0.003, "withdrew", supersede),
    (0.003, "completed", supersede),
    (0.004, "registered", supersede),
    (0.001, "session.attended", supersede_by_lead),
    (0.001, "portfolio.submitted", supersede_by_lead),
    (0.001, "registered", supersede_by_lead),
    (0.003, "session.attended", tell_again),
    (0.002, "mentoring.held", tell_again),
    (0.002, "mentor.assigned", tell_again),
    (0.002, "portfolio.submitted", tell_again),
    (0.002, "assessment.decided", tell_again),
    (0.006, "assessment.decided", decide_early),
    (0.006, "completed", complete_early),
    (0.004, "withdrew", withdraw_late),
    (0.0006, "completed", withdraw_in_error),
)  # share of registrations, fact, change; of lives that are plain otherwise


def fits(life: Life, fact: str) -> bool:
    """Whether a life has such a fact."""
    return any(event.fact == fact for event in life.events)


def amend(author: Author, life: Life, change: Change, fact: str) -> None:
    """Changes how a plain life is told."""
    life.kind = change.__name__
    change(author, life, fact)
