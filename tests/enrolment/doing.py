"""The door alone, in memory: what records are answered one after another, and what it tells to whom."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from senconet.demonstration.wire import Event
from services.enrolment.directory import Directory
from services.enrolment.judge import EnrolmentJudge
from shared import topics
from shared.contract import Position
from shared.messages import Message
from shared.reference import Reference, SettingPeriod
from shared.status import Status
from tests.support.histories import OURS, THEIRS
from tests.support.memory import NOW, Deciding
from tests.support.telling import REFERENCE, TRAINEE, read, told

A_THIRD: Final = "tarnwick"
LEFT: Final = "lindlemere"
"""A partner whose partnerships ended on 27 June 2023."""

OTHER: Final = "22222222-2222-4222-8222-222222222222"
TRANSFER, NEXT_TRANSFER = "bbbbbbbb-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
AFTER_LATE_UNTIL: Final = datetime(2031, 1, 1, tzinfo=UTC)


def _lies_in(la_code: str) -> tuple[SettingPeriod, ...]:
    region = {"region_code": "E12000001", "region_name": "North East"}
    since = date(2020, 1, 1)
    period = SettingPeriod(valid_from=since, la_code=la_code, la_name="-", provider_type="Childminders", **region)
    return (period,)


PLACES: Final = {"SY1": _lies_in("E06000047"), "SY2": _lies_in("E06000005")}
"""The settings that are known."""


@dataclass
class Door:
    """Enrolment, with what it has been told."""

    reference: Reference = REFERENCE
    service: Deciding = field(init=False)
    sent: list[Position] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = Deciding(EnrolmentJudge(self.reference, Directory(places=PLACES)))

    def tell(self, *events: Event, received: datetime = NOW) -> list[str]:
        """Answers in short: the outcome, the codes of a refusal, `held` with them, or `handed on`."""
        for event in events:
            number = len(self.sent)
            record = read(event, number, received + number * timedelta(milliseconds=1))
            self.sent.append(record.position)
            self.service.take([record])
        return [self.answer(position) for position in self.sent[-len(events) :]]

    def answers(self) -> list[str]:
        """What all that was sent is answered by now."""
        return [self.answer(position) for position in self.sent]

    def answer(self, position: Position) -> str:
        """What one record is answered by now."""
        holds = [hold for waiting in self.service.world.holds.values() for hold in waiting]
        for hold in holds:
            if hold.event.position == position:
                return " ".join(["held", *sorted({problem.code for problem in hold.problems})])
        found = [body for body in self._receipts() if Position(**body["position"]) == position]
        assert len(found) < 2
        return _short(found[0]) if found else "handed on"

    def error(self) -> dict[str, Any]:
        """The only error of the last answer."""
        (error,) = self._receipts()[-1]["errors"]
        found: dict[str, Any] = error
        return found

    def warnings(self) -> list[str]:
        """Of the last answer."""
        found: list[str] = self._receipts()[-1]["warnings"]
        return found

    def status(self, registration: str = TRAINEE) -> Status:
        """The newest status of a trainee."""
        status = self.service.world.ledgers[registration].status
        assert status is not None
        return status

    def course(self) -> list[tuple[str, str, str]]:
        """The periods of the trainee: the day on which each begins (in Greenwich), its state and partner."""
        return [(f"{p.begins:%Y-%m-%d}", p.state, p.partner) for p in self.status().periods]

    def notices(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Of each notice: to whom, its name, what it says."""
        return [
            (topics.partner_of(message.topic), name.split(".")[3], body)
            for message, name, body in self._published(".receipts")
            if ".notice." in name
        ]

    def identity(self) -> dict[str, Any]:
        """What was last told of identifiers."""
        values = [m.value for m in self.service.published if m.topic == topics.IDENTITY]
        found: dict[str, Any] = json.loads(values[-1] or b"")
        return found

    def withheld(self) -> dict[str, str]:
        """The reasons that stay here, by the id of the event that told them."""
        judge = self.service.judge
        assert isinstance(judge, EnrolmentJudge)
        return {id_: reason for _, (_, id_), reason in judge.directory.withheld}

    def facts(self) -> list[dict[str, Any]]:
        """The bodies of all facts published."""
        return [body for _, _, body in self._published(".facts")]

    def _receipts(self) -> list[dict[str, Any]]:
        return [body for _, _, body in self._published(".receipts") if "position" in body]

    def _published(self, suffix: str) -> list[tuple[Message, str, dict[str, Any]]]:
        return [
            (message, dict(message.headers)["ce_type"], json.loads(message.value or b""))
            for message in self.service.published
            if message.topic.endswith(suffix)
        ]


def _short(receipt: dict[str, Any]) -> str:
    return " ".join(sorted({error["code"] for error in receipt["errors"]})) or receipt["outcome"]


def after(*events: Event) -> Door:
    """A door that has accepted all of this."""
    door = Door()
    assert set(door.tell(*events)) <= {"accepted"}
    return door


def offered(
    when: str = "2023-02-01T10:00",
    on: str = "2023-03-01",
    *,
    to: str = THEIRS,
    by: str = OURS,
    transfer: str = TRANSFER,
    id_: str = "",
    **more: Any,
) -> Event:
    """An offer to take the trainee over from a day on."""
    data = {"transfer_id": transfer, "to_partner": to, "effective_on": on, "cause": "trainee_moved", **more}
    return told("transfer.offered", when, id_ or f"offer-{transfer[-1]}", by=by, **data)


def accepted(
    when: str = "2023-02-02T10:00", *, by: str = THEIRS, transfer: str = TRANSFER, id_: str = "", **more: Any
) -> Event:
    """The trainee is taken over."""
    return told("transfer.accepted", when, id_ or f"take-{transfer[-1]}", by=by, transfer_id=transfer, **more)


def declined(when: str = "2023-02-02T10:00", *, by: str = THEIRS, transfer: str = TRANSFER) -> Event:
    """The trainee is not taken over."""
    return told("transfer.declined", when, f"no-{transfer[-1]}", by=by, transfer_id=transfer, reason="no_capacity")


def cancelled(when: str = "2023-02-02T10:00", *, by: str = OURS, transfer: str = TRANSFER) -> Event:
    """The offer is taken back."""
    return told("transfer.cancelled", when, f"back-{transfer[-1]}", by=by, transfer_id=transfer)
