"""One owner alone: it is handed records and statuses as the door hands them on, and what it makes of them is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final

from senconet.demonstration.model import LEAD
from senconet.demonstration.reference import reference
from senconet.demonstration.wire import Event, type_of
from services.assessment.judge import assessment_judge
from services.mentoring.judge import mentoring_judge
from shared import clock, contract, handover, topics
from shared.events.catalogue import TYPE_PREFIX
from shared.events.codes import CODES
from shared.handover import StatusChange
from shared.judging import Judge
from shared.messages import Message
from shared.reference import Reference
from shared.status import Period, State, Status
from tests.support.contents import OURS
from tests.support.memory import NOW, Deciding, carried, reference_of
from tests.support.telling import TRAINEE, read, told

COHORT: Final = "2023-january"
GIVEN: Final = reference([])
ORDERS: Final[Mapping[str, int]] = {"registered": 0, "deferred": 7, "withdrawn": 16, "voided": 16, "moved": -1}


def rules(**changes: Any) -> Reference:
    """The demonstration's reference data, with every cohort's rules changed."""
    return _rules(json.dumps(changes))


@cache
def _rules(changes: str) -> Reference:
    changed = tuple({**body, **json.loads(changes)} for body in GIVEN.cohorts)
    return reference_of(replace(GIVEN, cohorts=changed))[0]


def course(*periods: str, version: int = 0, capacity: bool = True) -> Status:
    """A status with a period a line: when it begins (Greenwich), its state, and its partner and cohort if not ours.

    `moved` is a period of a trainee who comes to another partner. Different statuses need different versions.
    """
    found: list[Period] = []
    for number, line in enumerate(periods):
        when, told_state, *more = line.split()
        state: State = "registered" if told_state == "moved" else told_state  # type: ignore[assignment]
        found.append(
            Period(
                begins=_instant(when),
                order=8 if number and told_state == "registered" else ORDERS[told_state],
                state=state,
                partner=more[0] if more else OURS,
                cohort=more[1] if len(more) > 1 else COHORT,
                setting_key="s",
                provider_type="Childminders",
            )
        )
    return Status(version=version or len(periods), periods=tuple(found), capacity_declared=capacity)


def _instant(when: str) -> datetime:
    return (
        datetime.fromisoformat(when).replace(tzinfo=UTC)
        if "T" in when
        else clock.start_of_day(date.fromisoformat(when))
    )


REGISTERED: Final = course("2023-01-03 registered")
DEFERRED: Final = course("2023-01-03 registered", "2023-02-01T10:00 deferred")
WITHDRAWN: Final = course("2023-01-03 registered", "2023-02-01T10:00 withdrawn", version=3)
VOIDED: Final = course("2023-01-03 voided", version=9)


@dataclass
class Alone:
    """An owner, with the status that is attached to what it is handed next."""

    service: Deciding
    attached: Status = REGISTERED
    handed: list[contract.Position] = field(default_factory=list)

    def tell(self, *events: Event, attached: Status | None = None) -> list[str]:
        """Hand on records, under the present status or another; what each is answered, or `held` while it waits."""
        for event in events:
            offset = len(self.handed)
            record = read(event, offset, NOW + offset * timedelta(milliseconds=1))
            self.handed.append(record.position)
            self.service.take([handover.read(carried(handover.request_message(record, attached or self.attached)))])
        return self.answers()[-len(events) :]

    def learn(self, status: Status, cause: Event | None = None) -> Alone:
        """Hand on a change of status; its cause is ours unless another is named."""
        event = cause or told("withdrew", "2023-02-01T10:00")
        kind = type_of(event.fact).removeprefix(TYPE_PREFIX).removesuffix(".v1")
        named = {"type": kind, "partner": event.topic, "source": event.source, "id": event.id}
        received = NOW + len(self.handed) * timedelta(milliseconds=1)
        self.service.take([StatusChange(TRAINEE, status, named, received)])
        self.attached = status
        return self

    def end(self) -> list[str]:
        """End all that waits; what each record was answered."""
        self.service.end_holds()
        return self.answers()

    def answers(self) -> list[str]:
        """The codes of a refusal, else the outcome, of each record in the order of handing on."""
        found = self.receipts()
        return [_short(found[position]) if position in found else "held" for position in self.handed]

    def receipts(self) -> dict[contract.Position, dict[str, Any]]:
        """The final answer to each record."""
        bodies = [body for _, body in self.told(".receipts") if "position" in body]
        return {contract.Position(**{**body["position"]}): body for body in bodies}

    def last(self) -> dict[str, Any]:
        """The answer to the record handed on last."""
        return self.receipts()[self.handed[-1]]

    def notices(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        """Of each notice: to whom, what it says, of which fact, and the cause."""
        return [
            (topics.partner_of(message.topic), name.split(".")[3], body["event_id"], body["cause"])
            for message, (name, body) in zip(self._on(".receipts"), self.told(".receipts"), strict=True)
            if ".notice." in name
        ]

    def facts(self) -> list[tuple[str, dict[str, Any]]]:
        """Type, without prefix and version, and body of all that it has published."""
        return [(name.removeprefix(TYPE_PREFIX).removesuffix(".v1"), body) for name, body in self.told(".facts")]

    def state(self) -> dict[str, Any]:
        """The state that it has published last."""
        state: dict[str, Any] = self.facts()[-1][1]["state"]
        return state

    def told(self, suffix: str) -> list[tuple[str, dict[str, Any]]]:
        """Type and body of what it has published on topics of one kind."""
        return [(dict(m.headers)["ce_type"], json.loads(m.value or b"{}")) for m in self._on(suffix)]

    def _on(self, suffix: str) -> list[Message]:
        return [message for message in self.service.published if message.topic.endswith(suffix)]


def _short(receipt: Mapping[str, Any]) -> str:
    codes = sorted({error["code"] for error in receipt["errors"]})
    assert set(codes) <= set(CODES)
    return " ".join(codes) or receipt["outcome"]


def alone(judge: Judge, status: Status = REGISTERED) -> Alone:
    """An owner that has learned a status."""
    return Alone(Deciding(judge)).learn(status, told("registered"))


def assessing(status: Status = REGISTERED, **changes: Any) -> Alone:
    """Assessment, under the demonstration's rules or changed ones."""
    return alone(assessment_judge(rules(**changes)), status)


def mentoring(status: Status = REGISTERED, **changes: Any) -> Alone:
    """Mentoring, under the demonstration's rules or changed ones."""
    return alone(mentoring_judge(rules(**changes)), status)


MENTOR, OTHER_MENTOR = "aaaaaaaa-1111-4111-8111-111111111111", "bbbbbbbb-2222-4222-8222-222222222222"
ASSESSOR: Final = "cccccccc-3333-4333-8333-333333333333"


def session(name: str, when: str, status: str = "attended", *, by: str = OURS, id_: str = "", **more: Any) -> Event:
    """A session, by its id."""
    data = {"activity_type": "facilitated_session", "status": status, "minutes": 90, "mode": "online"} | more
    return told("session.attended", when, id_ or name, by=by, session_id=name, **data)


def mentored(name: str, when: str, status: str = "held", *, by: str = OURS, id_: str = "", **more: Any) -> Event:
    """A mentoring, by its id."""
    data = {"mentor_id": MENTOR, "status": status, "minutes": 45, "mode": "video"} | more
    return told("mentoring.held", when, id_ or name, by=by, mentoring_id=name, **data)


def assigned(id_: str, when: str, mentor: str = MENTOR, *, by: str = OURS, ends_previous: bool = False) -> Event:
    """A mentor for the trainee."""
    return told("mentor.assigned", when, id_, by=by, mentor_id=mentor, ends_previous=ends_previous)


def submitted(attempt: int, when: str, unit: str = "unit-1", *, by: str = OURS, id_: str = "", **more: Any) -> Event:
    """A submission of a unit."""
    name = id_ or f"s{attempt}-{unit}"
    data = {"unit_code": unit, "attempt": attempt, "evidence_count": 4, **more}
    return told("portfolio.submitted", when, name, by=by, **data)


def decided(
    attempt: int, when: str, outcome: str = "passed", unit: str = "unit-1", *, by: str = OURS, id_: str = ""
) -> Event:
    """A decision on an attempt at a unit."""
    data = {"unit_code": unit, "attempt": attempt, "outcome": outcome, "assessor_id": ASSESSOR}
    return told("assessment.decided", when, id_ or f"d{attempt}-{unit}", by=by, **data)


def completed(when: str, id_: str = "completed", **more: Any) -> Event:
    """The completion."""
    return told("completed", when, id_, **more)


def supersede(
    target: Event, id_: str = "", *, by: str = "", at: str = "", when: str = "2024-01-05T10:00", **changes: Any
) -> Event:
    """What tells a fact anew: with changed data, and at another time if one is given."""
    sender = by or target.topic
    data: dict[str, Any] = {
        "target_id": target.id,
        "cause": "entered_in_error",
        "replacement": {name: value for name, value in {**target.data, **changes}.items() if value is not None},
    }
    if sender == LEAD:
        data["target_source"] = target.source
    if at:
        data["replacement_time"] = clock.render(_instant(at))
    return told(f"{target.fact}.superseded", when, id_ or f"new-{target.id}", by=sender, of=target.subject, **data)
