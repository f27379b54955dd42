"""The lives of registrations: what each partner sends of a trainee, in the order in which it sends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from senconet.demonstration.calibration import Person
from senconet.demonstration.model import LEAD
from senconet.demonstration.reference import COHORTS, DEFERRALS, WITHDRAWALS
from senconet.demonstration.wire import Event, Studio

DAY = timedelta(days=1)


@dataclass(slots=True)
class Life:
    """One registration: its events in order of publication. `burst`: all published within hours."""

    kind: str
    person: Person
    subject: str
    events: list[Event] = field(default_factory=list)
    burst: bool = False
    last_publish: datetime | None = None

    def first(self, fact: str) -> Event:
        """The first event of a fact."""
        return next(event for event in self.events if event.fact == fact)


@dataclass(slots=True)
class Author:
    """Writes events of one person's registration."""

    studio: Studio
    person: Person
    subject: str
    trainee: str

    def registered(self, day: date, cohort: int, ref: str = "", setting: str = "") -> Event:
        """The registration itself."""
        rng, person = self.studio.rng, self.person
        data: dict[str, Any] = {
            "trainee_id": self.trainee,
            "partner_ref": ref or f"{person.partner[:3].upper()}-{person.number:05d}",
            "cohort_code": COHORTS[cohort].code,
            "setting_urn": setting or person.setting,
            "provider_type": person.provider_type,
            "role": rng.choice(("senco", "senco", "senco_designate")),
            "level3_full_relevant": True,
            "places_allocation": "contract_2022" if cohort < 5 else "extension_2023",
        }
        if rng.random() < 0.3:
            data["capacity"] = {
                "protected_time_hours_per_week": rng.choice((0, 1, 2, 2.5, 4)),
                "training_in_working_hours": rng.random() < 0.6,
                "cover_available": rng.random() < 0.5,
            }
        if rng.random() < 0.3:
            data["prior_training"] = [rng.choice(("la_senco_training", "experts_and_mentors", "none"))]
        return self.event("registered", day, data)

    def event(self, fact: str, when: date | datetime, data: dict[str, Any], **more: Any) -> Event:
        """Any fact of this registration, from its own partner unless said otherwise."""
        topic = more.pop("topic", self.person.partner)
        return self.studio.event(topic, self.subject, fact, when, data, **more)

    def withdrew(self, day: date, reason: str | None = None) -> Event:
        """A withdrawal for the person's reason, or the one given."""
        data: dict[str, Any] = {
            "reason": reason or self.person.reason or "staffing_in_setting",
            "trigger": self.studio.rng.choice(("trainee", "partner", "setting")),
        }
        if self.studio.rng.random() < 0.4:
            data["last_engaged_on"] = (day - 7 * DAY).isoformat()
        if self.studio.rng.random() < 0.3:
            data["code_list"] = WITHDRAWALS
        return self.event("withdrew", day, data)

    def deferred(self, day: date, until: date) -> Event:
        """A deferral, some with the expected return."""
        reasons = ("parental_leave", "long_term_sickness", "staffing_in_setting", "career_break")
        data: dict[str, Any] = {"reason": self.studio.rng.choice(reasons)}
        if self.studio.rng.random() < 0.6:
            data["expected_return"] = until.isoformat()
        if self.studio.rng.random() < 0.3:
            data["code_list"] = DEFERRALS
        return self.event("deferred", day, data)

    def resumed(self, day: date, cohort: str | None = None) -> Event:
        """A resumption, perhaps into another cohort."""
        return self.event("resumed", day, {} if cohort is None else {"cohort_code": cohort})

    def completed(self, day: date) -> Event:
        """A completion."""
        return self.event("completed", day, {})

    def voided(self, target: Event, day: date, cause: str = "entered_in_error") -> Event:
        """The sender's void of one of its facts."""
        data = {"target_id": target.id, "cause": cause}
        if self.studio.rng.random() < 0.5:
            data["target_source"] = target.source
        return self.event(f"{target.fact}.voided", day, data, system=target.system)

    def voided_by_lead(self, target: Event, day: date, cause: str = "entered_in_error") -> Event:
        """The lead's void of a partner's fact, in the second phase."""
        data = {"target_source": target.source, "target_id": target.id, "cause": cause}
        return self.event(f"{target.fact}.voided", day, data, topic=LEAD, phase=2, kind="lead_void")


def author_of(studio: Studio, person: Person) -> Author:
    """An author for a new registration of a person."""
    return Author(studio, person, studio.uuid(), studio.uuid())


def start(author: Author, kind: str, *, burst: bool = False) -> Life:
    """A life that begins with the planned registration."""
    life = Life(kind, author.person, author.subject, burst=burst)
    life.events.append(author.registered(author.person.registered, author.person.cohort))
    return life


def end(author: Author, life: Life) -> Life:
    """Adds the planned end."""
    person = author.person
    life.events.append(author.completed(person.ended) if person.completes else author.withdrew(person.ended))
    return life


def plain(author: Author) -> Life:
    """Registered, then withdrawn or completed."""
    return end(author, start(author, "completed" if author.person.completes else "withdrawn"))


def _lag(studio: Studio) -> timedelta:
    """How long after the event the partner sends it: mostly hours, sometimes months."""
    chance = studio.rng.random()
    if chance < 0.7:
        return studio.minutes(5, 60 * 48)
    return studio.minutes(60 * 48, 60 * 24 * 9) if chance < 0.96 else studio.minutes(60 * 24 * 31, 60 * 24 * 160)


def publish(studio: Studio, life: Life) -> None:
    """Publishes a life's events in their order, none before it happened."""
    latest = max(event.time for event in life.events)
    last = latest + studio.minutes(5, 2000) if life.burst else None
    for event in life.events:
        if life.burst and last is not None:
            at = last + studio.minutes(1, 60)
        else:
            at = event.time + _lag(studio)
            at = at if last is None else max(at, last + studio.minutes(1, 600))
        studio.publish(event, at)
        last = at if event.phase == 1 else last
    life.last_publish = last
