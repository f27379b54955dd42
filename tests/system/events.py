"""Builders of partners' records: the life of one trainee, as the partner that trains it would tell it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from senconet.demonstration.model import Record

COHORT = "2024-march"
SETTING = "canary-setting-urn"


def record(
    partner: str,
    fact: str,
    subject: str,
    time: str,
    data: Mapping[str, Any],
    *,
    id: str | None = None,
    **attributes: str,
) -> Record:
    """A record in binary mode; `attributes` replace the usual ones (`source`, `type`)."""
    usual = {
        "specversion": "1.0",
        "id": id or str(uuid.uuid4()),
        "source": f"/partners/{partner}/mis",
        "type": f"uk.eysenco.trainee.{fact}.v1",
        "subject": subject,
        "time": time,
    }
    headers = tuple((f"ce_{name}", value.encode()) for name, value in {**usual, **attributes}.items())
    return Record(subject.encode(), json.dumps(data).encode(), (*headers, ("content-type", b"application/json")))


def id_of(sent: Record) -> str:
    """The event's id."""
    return (dict(sent.headers)["ce_id"] or b"").decode()


@dataclass(frozen=True)
class Trainee:
    """An invented trainee with one registration at a partner."""

    partner: str
    registration: str = field(default_factory=lambda: str(uuid.uuid4()))
    trainee_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def partner_ref(self) -> str:
        """What the partner itself calls it."""
        return f"canary-ref-{self.registration[:18]}"

    def registered(self, *, id: str | None = None, **attributes: str) -> Record:
        """The first of all."""
        data = {
            "trainee_id": self.trainee_id,
            "partner_ref": self.partner_ref,
            "cohort_code": COHORT,
            "setting_urn": SETTING,
            "provider_type": "Childminders",
            "role": "senco",
            "level3_full_relevant": True,
            "places_allocation": "extension_2023",
        }
        return self._tell("registered", "2024-02-01T10:00:00Z", data, id, **attributes)

    def deferred(self, *, id: str | None = None) -> Record:
        """A pause in April."""
        return self._tell("deferred", "2024-04-02T10:00:00Z", {"reason": "career_break"}, id)

    def resumed(self, *, id: str | None = None) -> Record:
        """The return in May."""
        return self._tell("resumed", "2024-05-02T10:00:00Z", {}, id)

    def withdrew(self, *, id: str | None = None, reason: str = "workload_too_high") -> Record:
        """The end without completion, in June."""
        return self._tell("withdrew", "2024-06-03T10:00:00Z", {"reason": reason, "trigger": "trainee"}, id)

    def attended(self, day: str = "2024-03-12") -> Record:
        """A session on one day, known by that day."""
        data = {
            "session_id": f"session-{day}",
            "activity_type": "facilitated_session",
            "status": "attended",
            "minutes": 90,
            "mode": "online",
        }
        return self._tell("attended", f"{day}T10:00:00Z", data, None, type="uk.eysenco.session.attended.v1")

    def submitted(self, unit: str) -> Record:
        """The first attempt at a unit, in July."""
        data = {"unit_code": unit, "attempt": 1, "evidence_count": 3}
        return self._tell("submitted", "2024-07-01T10:00:00Z", data, None, type="uk.eysenco.portfolio.submitted.v1")

    def passed(self, unit: str) -> Record:
        """The decision on it, in August."""
        data = {"unit_code": unit, "attempt": 1, "outcome": "passed", "assessor_id": self.trainee_id}
        return self._tell("passed", "2024-08-01T10:00:00Z", data, None, type="uk.eysenco.assessment.decided.v1")

    def offered(self, transfer_id: str, to: str) -> Record:
        """The offer, on 10 May, to hand the trainee over ten days later."""
        data = {
            "transfer_id": transfer_id,
            "to_partner": to,
            "effective_on": "2024-05-20",
            "cause": "trainee_moved",
        }
        return self._tell("offered", "2024-05-10T10:00:00Z", data, None, type="uk.eysenco.transfer.offered.v1")

    def accepted(self, transfer_id: str) -> Record:
        """The answer of the partner to whom the trainee was offered, two days after."""
        data = {"transfer_id": transfer_id, "partner_ref": self.partner_ref}
        return self._tell("accepted", "2024-05-12T10:00:00Z", data, None, type="uk.eysenco.transfer.accepted.v1")

    def completed(self, *, id: str | None = None) -> Record:
        """The end of the course, in September."""
        return self._tell("completed", "2024-09-02T10:00:00Z", {}, id)

    def voided(self, target: Record) -> Record:
        """The fact was never true."""
        data = {"target_id": id_of(target), "cause": "entered_in_error"}
        kind = (dict(target.headers)["ce_type"] or b"").decode().replace(".v1", ".voided.v1")
        return self._tell("voided", "2024-10-01T10:00:00Z", data, None, type=kind)

    def _tell(self, fact: str, time: str, data: Mapping[str, Any], id: str | None, **attributes: str) -> Record:
        return record(self.partner, fact, self.registration, time, data, id=id, **attributes)


def batch_of_all_kinds(partner: str, size: int) -> list[Record]:
    """At least `size` records with answers of all kinds: accepted, handed on, duplicate, rejected."""
    records: list[Record] = []
    while len(records) < size:
        one, two = Trainee(partner), Trainee(partner)
        first = one.registered()
        records += [first, one.completed(), first, two.registered(), two.withdrew(), two.deferred()]
    return records
