"""The fields of each type's data (events.md 2, 3 and 7): what is required, and what each may hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias

from senconet.demonstration.judge_record import IDENTIFIER, SOURCE, UUID, moment_of

Codes: TypeAlias = set[str]
Check: TypeAlias = Callable[[Any], Codes]
Fields: TypeAlias = dict[str, tuple[bool, Check]]  # name -> required, check

PROVIDER_TYPES = frozenset(
    {
        "Private group-based providers",
        "Voluntary group-based providers",
        "Childminders",
        "School, college, LA and other unclassified group-based providers",
    }
)
PRIOR = frozenset(
    {
        "la_senco_training",
        "professional_development_programme",
        "experts_and_mentors",
        "none",
        "not_known",
    }
)
NONE: Codes = set()


def _valid(test: Callable[[Any], bool]) -> Check:
    return lambda value: NONE if test(value) else {"schema_invalid"}


def _one_of(*allowed: str) -> Check:
    return _valid(lambda value: isinstance(value, str) and value in allowed)


def _whole(least: int, most: int) -> Check:
    return _valid(lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most)


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or len(value) != 10 or not value.isascii():
        return False
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_hours(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value <= 40


def _is_prior(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item in PRIOR for item in value)


IDENTIFIED = _valid(lambda value: isinstance(value, str) and IDENTIFIER.fullmatch(value) is not None)
UNIQUE = _valid(lambda value: isinstance(value, str) and UUID.fullmatch(value) is not None)
BOOLEAN = _valid(lambda value: isinstance(value, bool))
DATE = _valid(_is_date)


def closed(value: Any, fields: Fields) -> Codes:
    """A closed object: every required field, no unknown one, each field by its own check."""
    if not isinstance(value, dict):
        return {"schema_invalid"}
    codes: Codes = set()
    if any(required and name not in value for name, (required, _) in fields.items()):
        codes.add("schema_invalid")
    for name, item in value.items():
        codes |= fields[name][1](item) if name in fields else {"field_unknown"}
    return codes


CAPACITY: Fields = {
    "protected_time_hours_per_week": (True, _valid(_is_hours)),
    "training_in_working_hours": (True, BOOLEAN),
    "cover_available": (True, BOOLEAN),
}
COMMON: Fields = {"time_precision": (False, _one_of("day"))}
ATTEMPT: Fields = {"unit_code": (True, IDENTIFIED), "attempt": (True, _whole(1, 99))}
MINUTES: Fields = {"minutes": (True, _whole(0, 1440))}
TRANSFER: Fields = {"transfer_id": (True, UNIQUE)}
FACTS: dict[str, Fields] = {
    "registered": {
        "trainee_id": (True, UNIQUE),
        "partner_ref": (True, IDENTIFIED),
        "cohort_code": (True, IDENTIFIED),
        "setting_urn": (True, IDENTIFIED),
        "provider_type": (True, _one_of(*PROVIDER_TYPES)),
        "role": (True, _one_of("senco", "senco_designate")),
        "level3_full_relevant": (True, BOOLEAN),
        "places_allocation": (True, _one_of("contract_2022", "extension_2023", "places_2025")),
        "capacity": (False, lambda value: closed(value, CAPACITY)),
        "prior_training": (False, _valid(_is_prior)),
    },
    "deferred": {
        "reason": (True, IDENTIFIED),
        "expected_return": (False, DATE),
        "code_list": (False, IDENTIFIED),
    },
    "resumed": {"cohort_code": (False, IDENTIFIED)},
    "withdrew": {
        "reason": (True, IDENTIFIED),
        "trigger": (True, _one_of("trainee", "partner", "setting")),
        "last_engaged_on": (False, DATE),
        "code_list": (False, IDENTIFIED),
    },
    "completed": {"final_decision_id": (False, IDENTIFIED)},
    "session.attended": MINUTES
    | {
        "session_id": (True, IDENTIFIED),
        "activity_type": (
            True,
            _one_of("facilitated_session", "self_guided_study", "enrichment", "community_of_practice"),
        ),
        "status": (True, _one_of("attended", "part_attended", "absent_notified", "absent")),
        "mode": (True, _one_of("online", "in_person")),
    },
    "mentor.assigned": {"mentor_id": (True, UNIQUE), "ends_previous": (True, BOOLEAN)},
    "mentoring.held": MINUTES
    | {
        "mentoring_id": (True, IDENTIFIED),
        "mentor_id": (True, UNIQUE),
        "status": (True, _one_of("held", "trainee_absent", "mentor_absent", "cancelled")),
        "mode": (True, _one_of("video", "phone", "in_person")),
    },
    "portfolio.submitted": ATTEMPT | {"evidence_count": (True, _whole(0, 10_000))},
    "assessment.decided": ATTEMPT
    | {
        "outcome": (True, _one_of("passed", "referred", "not_passed")),
        "assessor_id": (True, UNIQUE),
        "resubmit_by": (False, DATE),
    },
}
HANDSHAKE: dict[str, Fields] = {
    "transfer.offered": TRANSFER
    | {
        "to_partner": (True, IDENTIFIED),
        "effective_on": (True, DATE),
        "cause": (
            True,
            _one_of("trainee_moved", "partner_capacity", "partner_left_programme", "setting_choice"),
        ),
    },
    "transfer.accepted": TRANSFER | {"partner_ref": (False, IDENTIFIED)},
    "transfer.declined": TRANSFER | {"reason": (True, _one_of("not_ours", "no_capacity", "cohort_mismatch"))},
    "transfer.cancelled": TRANSFER,
}
VOID: Fields = {
    "target_source": (False, _valid(lambda value: isinstance(value, str) and SOURCE.fullmatch(value) is not None)),
    "target_id": (True, IDENTIFIED),
    "cause": (True, _one_of("entered_in_error", "duplicate", "wrong_trainee", "evidence_withdrawn")),
}
SUPERSEDE: Fields = VOID | {
    "replacement": (True, _valid(lambda value: isinstance(value, dict))),
    "replacement_time": (False, _valid(lambda value: isinstance(value, str) and moment_of(value) is not None)),
}
VOIDED, SUPERSEDED = ".voided", ".superseded"
DATA: dict[str, Fields] = {
    **{name: fields | COMMON for name, fields in (FACTS | HANDSHAKE).items()},
    **{name + VOIDED: VOID | COMMON for name in FACTS},
    **{name + SUPERSEDED: SUPERSEDE | COMMON for name in FACTS},
}
OWNERS = {
    "session.attended": "mentoring",
    "mentor.assigned": "mentoring",
    "mentoring.held": "mentoring",
    "portfolio.submitted": "assessment",
    "assessment.decided": "assessment",
    "completed": "assessment",
}  # all others are enrolment's


@cache
def target_of(name: str) -> str:
    """The fact that a correction corrects; of a fact, itself."""
    return name.removesuffix(VOIDED).removesuffix(SUPERSEDED)


@cache
def owner_of(name: str) -> str:
    """The service that answers a fact or its corrections."""
    return OWNERS.get(target_of(name), "enrolment")


def wire_type(name: str) -> str:
    """The type on the wire; the subject `trainee` is left out of the short names."""
    bare = target_of(name)
    return f"uk.eysenco.{name if '.' in bare else f'trainee.{name}'}.v1"
