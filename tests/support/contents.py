"""What random events say: partners, registrations, days, and data of every type that nothing speaks against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final, Protocol, TypeVar

from senconet.demonstration.wire import LONDON

T = TypeVar("T")


class Choose(Protocol):
    """Picks one of several."""

    def __call__(self, options: Sequence[T], /) -> T: ...


OURS: Final = "quillmarsh"
THEIRS: Final = "emberfold"
THIRD: Final = "tarnwick"
PARTNERS: Final = (OURS, THEIRS, THIRD)
SUBJECTS: Final = {
    "11111111-1111-4111-8111-111111111111": OURS,
    "22222222-2222-4222-8222-222222222222": OURS,
    "33333333-3333-4333-8333-333333333333": THEIRS,
}
"""Registrations, each with the partner that has it first."""

DAYS: Final = tuple(
    date.fromisoformat(day)
    for day in (
        *("2022-12-20", "2023-01-03", "2023-01-05", "2023-01-10", "2023-01-16", "2023-01-24", "2023-02-01"),
        *("2023-02-08", "2023-02-14", "2023-02-27", "2023-03-10", "2023-03-25", "2023-03-26", "2023-04-11"),
        *("2023-05-02", "2023-06-01", "2023-10-29"),
    )
)
"""With both changes of the clocks, days on which no cohort registers, and returns too late."""

CLOCKS: Final = ("day", "day", "first", "ten", "ten", "eleven", "last")
MENTORS: Final = ("aaaaaaaa-1111-4111-8111-111111111111", "bbbbbbbb-2222-4222-8222-222222222222")
ASSESSOR: Final = "cccccccc-3333-4333-8333-333333333333"
REASONS: Final = {
    "withdrew": ("workload_too_high", "health_or_pregnancy", "left_sector", "lost_interest", "started-in-error"),
    "deferred": ("bereavement", "staffing_in_setting", "other"),
}
UNITS: Final = (*("unit-1", "unit-2") * 8, "unit-3")
"""One of them is no unit of any cohort."""


def placed(day: date, clock: str) -> tuple[datetime, dict[str, str]]:
    """A time of a London day, and what the data say of its precision."""
    if clock == "last":
        return datetime.combine(day, time.max, LONDON).astimezone(UTC), {}
    hour = {"ten": 10, "eleven": 11}.get(clock, 0)
    at = datetime.combine(day, time(hour), LONDON).astimezone(UTC)
    return at, {"time_precision": "day"} if clock == "day" else {}


def registration(subject: str, reference: str = "1", cohort: str = "2023-january") -> dict[str, Any]:
    """The data of a registration that nothing speaks against."""
    return {
        "trainee_id": f"4444444{subject[0]}-4444-4444-8444-444444444444",
        "partner_ref": f"Q-{reference}",
        "cohort_code": cohort,
        "setting_urn": "SY1",
        "provider_type": "Childminders",
        "role": "senco",
        "level3_full_relevant": True,
        "places_allocation": "contract_2022",
    }


FOLLOWS: Final = {
    "registered": ("deferred", "deferred", "withdrew"),
    "deferred": ("resumed", "resumed", "withdrew"),
    "resumed": ("deferred", "withdrew"),
    "withdrew": ("resumed",),
}
ENROLMENT: Final = ("deferred", "resumed", "withdrew", "withdrew")
MENTORING: Final = ("session.attended", "session.attended", "mentoring.held", "mentor.assigned")
ASSESSED: Final = ("portfolio.submitted", "assessment.decided")
FACTS: Final = (*ENROLMENT, *MENTORING, *ASSESSED, "completed")
SHORT: Final[Mapping[str, str]] = {
    **{"registered": "r", "deferred": "f", "resumed": "u", "withdrew": "w", "completed": "c"},
    **{"session.attended": "s", "mentor.assigned": "m", "mentoring.held": "h"},
    **{"portfolio.submitted": "p", "assessment.decided": "d"},
    **{"transfer.offered": "o", "transfer.accepted": "a", "transfer.declined": "n", "transfer.cancelled": "x"},
}
# What a history is made of, by weight: enough goes right that there is something to go wrong.
WEIGHTS: Final = (
    *(("enrolment",) * 5 + ("mentoring",) * 6 + ("assessment",) * 9 + ("transfer",) * 5),
    *(("void",) * 5 + ("supersede",) * 4 + ("registered", "copy", "conflict", "retry", "overtaken")),
)


def drawn(choose: Choose, fact: str, **known: Any) -> dict[str, Any]:
    """Data of a type; `known` fields are given, the others drawn."""
    return {**_DRAWN.get(fact, _nothing)(choose), **known}


def _nothing(choose: Choose) -> dict[str, Any]:
    return {}


def _withdrew(choose: Choose) -> dict[str, Any]:
    return {"reason": choose(REASONS["withdrew"] + REASONS["withdrew"][:3] * 4), "trigger": "trainee"}


def _deferred(choose: Choose) -> dict[str, Any]:
    return {"reason": choose(REASONS["deferred"])}


def _resumed(choose: Choose) -> dict[str, Any]:
    return choose(({}, {}, {}, {"cohort_code": "2023-march"}, {"cohort_code": "2022-october"}))


def _session(choose: Choose) -> dict[str, Any]:
    return {
        "session_id": f"session-{choose('123456')}",
        "activity_type": choose(("facilitated_session", "enrichment")),
        "status": choose(("attended", "part_attended", "absent", "absent_notified")),
        "minutes": choose((0, 60, 90)),
        "mode": "online",
    }


def _mentor(choose: Choose) -> dict[str, Any]:
    return {"mentor_id": choose(MENTORS), "ends_previous": choose((True, False))}


def _mentoring(choose: Choose) -> dict[str, Any]:
    return {
        "mentoring_id": f"mentoring-{choose('123456')}",
        "mentor_id": choose(MENTORS),
        "status": choose(("held", "held", "trainee_absent", "cancelled")),
        "minutes": choose((5, 45)),
        "mode": "video",
    }


def _submitted(choose: Choose) -> dict[str, Any]:
    return {"unit_code": choose(UNITS), "attempt": choose((1, 1, 2, 3, 4)), "evidence_count": choose((0, 4))}


def _decided(choose: Choose) -> dict[str, Any]:
    outcome = choose(("passed", "passed", "referred", "referred", "not_passed"))
    return {"unit_code": choose(UNITS), "attempt": choose((1, 1, 2, 3)), "outcome": outcome, "assessor_id": ASSESSOR}


_DRAWN: Final[Mapping[str, Any]] = {
    "withdrew": _withdrew,
    "deferred": _deferred,
    "resumed": _resumed,
    "session.attended": _session,
    "mentor.assigned": _mentor,
    "mentoring.held": _mentoring,
    "portfolio.submitted": _submitted,
    "assessment.decided": _decided,
}
