"""Histories of one registration in words, and the answers to them in short."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from senconet.demonstration.judge import judge
from senconet.demonstration.model import Answer, Key, Record, Reference
from senconet.demonstration.reference import reference
from senconet.demonstration.wire import type_of

LARGER = 0.1  # of the full data set
RECEIVED = datetime(2026, 6, 1, 12, tzinfo=UTC)
DECIDED = reference([])  # completions ask for decisions
UNDECIDED = replace(DECIDED, cohorts=tuple(body | {"completion_requires": "none"} for body in DECIDED.cohorts))
PARTNERS = {"Q": "quillmarsh", "E": "emberfold", "T": "tarnwick", "L": "lead"}
SUBJECT = "11111111-1111-4111-8111-111111111111"
ONE, TWO = "44444444-4444-4444-8444-444444444444", "55555555-5555-4555-8555-555555555555"
REGISTERED = {
    "trainee_id": "33333333-3333-4333-8333-333333333333",
    "partner_ref": "Q-1",
    "cohort_code": "2023-january",
    "setting_urn": "SY1",
    "provider_type": "Childminders",
    "role": "senco",
    "level3_full_relevant": True,
    "places_allocation": "contract_2022",
}
NAMES = {
    "session": "session.attended",
    "mentor": "mentor.assigned",
    "mentoring": "mentoring.held",
    "submitted": "portfolio.submitted",
    "decided": "assessment.decided",
    "offered": "transfer.offered",
    "accepted": "transfer.accepted",
    "declined": "transfer.declined",
    "cancelled": "transfer.cancelled",
}
DATA: dict[str, dict[str, Any]] = {
    "registered": REGISTERED,
    "deferred": {"reason": "bereavement"},
    "resumed": {},
    "withdrew": {"reason": "other", "trigger": "trainee"},
    "completed": {},
    "session": {
        "session_id": "s",
        "activity_type": "enrichment",
        "status": "attended",
        "minutes": 60,
        "mode": "online",
    },
    "mentor": {"mentor_id": ONE, "ends_previous": False},
    "mentoring": {"mentoring_id": "m", "mentor_id": ONE, "status": "held", "minutes": 45, "mode": "video"},
    "submitted": {"unit_code": "unit-1", "attempt": 1, "evidence_count": 4},
    "decided": {"unit_code": "unit-1", "attempt": 1, "outcome": "passed", "assessor_id": TWO},
    "offered": {
        "transfer_id": ONE,
        "to_partner": "emberfold",
        "effective_on": "2023-02-20",
        "cause": "trainee_moved",
    },
    "accepted": {"transfer_id": ONE},
    "declined": {"transfer_id": ONE, "reason": "no_capacity"},
    "cancelled": {"transfer_id": ONE},
}
SHORT = {"unit": "unit_code", "to": "to_partner", "on": "effective_on", "ref": "partner_ref", "cohort": "cohort_code"}


def record(
    fact: str,
    time: str,
    event: str = "",
    *,
    data: dict[str, Any] | None = None,
    partner: str = "quillmarsh",
    subject: str = SUBJECT,
) -> Record:
    """A record as a partner would send it; a bare date is an event known to the day (London winter)."""
    content = DATA[fact] if data is None else data
    base, dot, correction = fact.partition(".")
    if len(time) == 10:
        time, content = f"{time}T00:00:00Z", content | {"time_precision": "day"}
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event or f"{fact}-{time}",
        "ce_source": f"/partners/{partner}/mis",
        "ce_type": type_of(NAMES.get(base, base) + dot + correction),
        "ce_subject": subject,
        "ce_time": time if time.endswith("Z") else f"{time}Z",
        "content-type": "application/json",
    }
    pairs = tuple((name, value.encode()) for name, value in headers.items())
    return Record(subject.encode(), json.dumps(content).encode(), pairs)


def at(month: int, day: int, hour: int = 10) -> str:
    """A time in 2023."""
    return f"2023-{month:02}-{day:02}T{hour:02}:00:00"


def _value(text: str) -> Any:
    return text if not text.isdigit() and text not in ("true", "false") else json.loads(text)


def _told(line: str) -> tuple[str, Record]:
    """`[Q:]fact M/D [id] [day] [field=value ...]`, `void fact target [id]`, `change fact target [M/D] [field=...]`."""
    who, _, rest = line.partition(":") if line[1:2] == ":" else ("Q", "", line)
    words = [word for word in rest.split() if "=" not in word]
    more = {SHORT.get(n, n): _value(v) for n, _, v in (word.partition("=") for word in rest.split() if "=" in word)}
    partner = PARTNERS[who]
    if words[0] == "R":
        return partner, record("registered", at(1, 3), "r", data=REGISTERED | more, partner=partner)
    if words[0] in ("void", "change"):
        return partner, _correction(words, more, partner)
    month, day = (int(part) for part in words[1].split("/"))
    whole = "day" in words
    time = at(month, day)[:10] if whole else at(month, day, int(more.pop("hour", 10)))
    ids = [word for word in words[2:] if word != "day"]
    return partner, record(words[0], time, "".join(ids), data=DATA[words[0]] | more, partner=partner)


def _correction(words: list[str], more: dict[str, Any], partner: str) -> Record:
    """A correction; its own time plays a part only between several of one fact (`own=hour`)."""
    fact, target, *rest = words[1:]
    data: dict[str, Any] = {"target_id": target, "cause": "entered_in_error"}
    owner, hour = more.pop("owner", None), int(more.pop("own", 10))
    if owner is not None:
        data["target_source"] = f"/partners/{PARTNERS[owner]}/mis"
    name, event = f"{fact}.voided", f"void-{target}"
    if words[0] == "change":
        name, event = f"{fact}.superseded", f"change-{target}"
        data["replacement"] = DATA[fact] | more
        if rest and "/" in rest[0]:
            month, day = (int(part) for part in rest.pop(0).split("/"))
            data["replacement_time"] = f"{at(month, day)}Z"
    return record(name, f"2024-01-05T{hour:02}:00:00", rest[0] if rest else event, data=data, partner=partner)


def short(answer: Answer) -> str:
    """a for accepted, d for duplicate, codes for rejected; ~ before what waits."""
    return ("~" if answer.waits else "") + (",".join(sorted(answer.codes)) or answer.outcome[0])


def told(text: str, given: Reference = DECIDED) -> tuple[str, Key]:
    """The answers to a history, in its order, and the key."""
    lines = [_told(line) for line in text.split("; ")]
    key = judge(given, [{partner: (found,)} for partner, found in lines], received=RECEIVED)
    offsets: Counter[str] = Counter()
    answers = []
    for partner, _ in lines:
        answers.append(short(key.answers[partner][offsets[partner]]))
        offsets[partner] += 1
    return " ".join(answers), key
