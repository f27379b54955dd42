"""The lives of registrations: what each partner sends of a trainee, in the order in which it sends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from senconet.demonstration.calibration import Person
from senconet.demonstration.model import LEAD
from senconet.demonstration.reference import COHORTS, DEFERRALS, WITHDRAWALS, Session
from senconet.demonstration.wire import Event, Studio

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer: the losing partner's author, the days of its offer and of the change."""

    loser: Author
    offered: date
    effective: date


@dataclass(slots=True)
class Life:
    """One registration: its events in order of publication. `burst`: all published within hours.

    After a transfer the person's partner is the gaining one; `moves` says when, and who writes before it.
    """

    kind: str
    person: Person
    subject: str
    events: list[Event] = field(default_factory=list)
    burst: bool = False
    last_publish: datetime | None = None
    last_in_second: datetime | None = None  # phase
    moves: Move | None = None

    def first(self, fact: str) -> Event:
        """The first event of a fact."""
        return next(event for event in self.events if event.fact == fact)


@dataclass(slots=True)
class Author:
    """Writes events of one person's registration, for its partner."""

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

    def session(self, day: date, found: Session, status: str = "attended") -> Event:
        """A session of the course, attended or not."""
        rng = self.studio.rng
        data = {
            "session_id": found.code,
            "activity_type": found.activity,
            "status": status,
            "minutes": {"attended": rng.choice((60, 90, 120)), "part_attended": rng.randint(15, 55)}.get(status, 0),
            "mode": "in_person" if rng.random() < 0.1 else "online",
        }
        return self.event("session.attended", day, data)

    def mentor(self, day: date, mentor: str, *, ends_previous: bool = False) -> Event:
        """A mentor for the trainee."""
        return self.event("mentor.assigned", day, {"mentor_id": mentor, "ends_previous": ends_previous})

    def mentoring(self, day: date, mentor: str, number: int, status: str = "held") -> Event:
        """A mentoring session, held or not."""
        rng = self.studio.rng
        data = {
            "mentoring_id": f"{self.person.partner[:3]}-{self.person.number:05d}-m{number}",
            "mentor_id": mentor,
            "status": status,
            "minutes": rng.choice((30, 45, 45, 60)) if status == "held" else 0,
            "mode": rng.choice(("video", "video", "phone", "in_person")),
        }
        return self.event("mentoring.held", day, data)

    def submitted(self, day: date, unit: str, attempt: int = 1) -> Event:
        """A portfolio for a unit."""
        evidence = self.studio.rng.randint(3, 14)
        data = {"unit_code": unit, "attempt": attempt, "evidence_count": evidence}
        return self.event("portfolio.submitted", day, data)

    def decided(self, day: date, unit: str, attempt: int = 1, outcome: str = "passed") -> Event:
        """A decision on a portfolio, some referrals with a day to resubmit by."""
        assessor = self.studio.member(self.person.partner, "assessor", self.person.number % 7)
        data = {"unit_code": unit, "attempt": attempt, "outcome": outcome, "assessor_id": assessor}
        if outcome == "referred" and self.studio.rng.random() < 0.5:
            data["resubmit_by"] = (day + 28 * DAY).isoformat()
        return self.event("assessment.decided", day, data)

    def offered(self, day: date, to: str, effective: date, transfer: str = "", cause: str = "trainee_moved") -> Event:
        """An offer of the trainee to another partner."""
        data = {
            "transfer_id": transfer or self.studio.uuid(),
            "to_partner": to,
            "effective_on": effective.isoformat(),
            "cause": cause,
        }
        return self.event("transfer.offered", day, data)

    def answer(self, fact: str, day: date | datetime, offer: Event, **data: Any) -> Event:
        """An answer to an offer (`accepted`, `declined`, `cancelled`), in the second phase."""
        content = {"transfer_id": offer.data["transfer_id"]} | data
        return self.event(f"transfer.{fact}", day, content, phase=2)

    def voided(self, target: Event, day: date, cause: str = "entered_in_error") -> Event:
        """The sender's void of one of its facts."""
        data = {"target_id": target.id, "cause": cause}
        if self.studio.rng.random() < 0.5:
            data["target_source"] = target.source
        return self.event(f"{target.fact}.voided", day, data, system=target.system)

    def superseded(self, target: Event, day: date, right: Event, **more: Any) -> Event:
        """The sender's correction of a fact to what another event says, and to its time if that differs."""
        data: dict[str, Any] = {"target_id": target.id, "cause": "entered_in_error", "replacement": right.data}
        if right.time != target.time:
            data["replacement_time"] = right.time.isoformat()
        return self.event(f"{target.fact}.superseded", day, data, system=target.system, **more)

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
