"""Stage 2: contract, code lists, sender, future (events.md 1 to 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from senconet.demonstration.judge_record import IDENTIFIER, SOURCE, UUID, Envelope
from senconet.demonstration.judge_rules import LONDON, Rules, day_of
from senconet.demonstration.model import LEAD

Codes: TypeAlias = set[str]
Check: TypeAlias = Callable[[Any], Codes]

FACTS = ("registered", "deferred", "resumed", "withdrew", "completed")
TYPES = {
    f"uk.eysenco.trainee.{name}.v1": name for fact in FACTS for name in (fact, f"{fact}.voided")
}  # wire type -> fact
HANDED_ON = frozenset({"completed", "completed.voided"})
FUTURE = timedelta(minutes=5)
PROVIDER_TYPES = frozenset(
    {
        "Private group-based providers",
        "Voluntary group-based providers",
        "Childminders",
        "School, college, LA and other unclassified group-based providers",
    }
)


def _valid(test: Callable[[Any], bool]) -> Check:
    return lambda value: set() if test(value) else {"schema_invalid"}


def _one_of(*allowed: str) -> Check:
    return _valid(lambda value: isinstance(value, str) and value in allowed)


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or len(value) != 10 or not value.isascii():
        return False
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_hours(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value <= 40


IDENTIFIED = _valid(lambda value: isinstance(value, str) and IDENTIFIER.fullmatch(value) is not None)
BOOLEAN = _valid(lambda value: isinstance(value, bool))
DATE = _valid(_is_date)
Fields: TypeAlias = dict[str, tuple[bool, Check]]  # name -> required, check


def _closed(value: Any, fields: Fields) -> Codes:
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
PRIOR = frozenset(
    {
        "la_senco_training",
        "professional_development_programme",
        "experts_and_mentors",
        "none",
        "not_known",
    }
)


def _is_prior(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item in PRIOR for item in value)


def _is_source(value: Any) -> bool:
    return isinstance(value, str) and SOURCE.fullmatch(value) is not None


VOID: Fields = {
    "target_source": (False, _valid(_is_source)),
    "target_id": (True, IDENTIFIED),
    "cause": (True, _one_of("entered_in_error", "duplicate", "wrong_trainee", "evidence_withdrawn")),
}
CONTRACT: dict[str, Fields] = {
    "registered": {
        "trainee_id": (True, _valid(lambda v: isinstance(v, str) and UUID.fullmatch(v) is not None)),
        "partner_ref": (True, IDENTIFIED),
        "cohort_code": (True, IDENTIFIED),
        "setting_urn": (True, IDENTIFIED),
        "provider_type": (True, _one_of(*PROVIDER_TYPES)),
        "role": (True, _one_of("senco", "senco_designate")),
        "level3_full_relevant": (True, BOOLEAN),
        "places_allocation": (True, _one_of("contract_2022", "extension_2023", "places_2025")),
        "capacity": (False, lambda value: _closed(value, CAPACITY)),
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
} | {f"{fact}.voided": VOID for fact in FACTS}
COMMON: Fields = {"time_precision": (False, _one_of("day"))}
LIST_KINDS = {"withdrew": "withdrawal", "deferred": "deferral"}


def _list_codes(rules: Rules, fact: str, data: dict[str, Any], day: date) -> Codes:
    """The reason against the lists of its kind on the day of the event."""
    reason, named = data.get("reason"), data.get("code_list")
    if fact not in LIST_KINDS or not isinstance(reason, str):
        return set()
    lists = [
        found
        for name, found in rules.lists.items()
        if found.kind == LIST_KINDS[fact] and (named == name or not isinstance(named, str))
    ]
    for found in lists:
        if reason in found.refused:
            return {found.refused[reason]}
    known = any(reason in found.items and found.items[reason].covers(day) for found in lists)
    return set() if known or IDENTIFIED(reason) else {"code_not_in_list"}


def _precision_codes(event: Envelope) -> Codes:
    midnight = datetime.combine(day_of(event.time), time(0), LONDON).astimezone(UTC)
    day_only = event.data.get("time_precision") == "day"
    return {"schema_invalid"} if day_only and event.time != midnight else set()


def _owner(source: Any) -> str | None:
    found = SOURCE.fullmatch(source) if isinstance(source, str) else None
    return None if found is None else found.group(1)


def _sender_codes(event: Envelope, fact: str | None, partner: str) -> Codes:
    """The source under the topic's partner; a correction's target under it too, but for the lead."""
    codes: Codes = set()
    if _owner(event.source) != partner:
        codes.add("source_not_yours")
    target = _owner(event.data.get("target_source"))
    if fact is not None and fact.endswith(".voided") and partner != LEAD and target not in (None, partner):
        codes.add("target_not_yours")
    return codes


def contract(rules: Rules, event: Envelope, partner: str, received: datetime) -> frozenset[str]:
    """All codes of stage 2."""
    fact = TYPES.get(event.type)
    codes = _sender_codes(event, fact, partner)
    if event.time > received + FUTURE:
        codes.add("time_in_future")
    if fact is None:
        return frozenset(codes | {"type_unknown"})
    parts: Iterable[Codes] = (
        _closed(event.data, CONTRACT[fact] | COMMON),
        _list_codes(rules, fact, event.data, day_of(event.time)),
        _precision_codes(event),
    )
    return frozenset(codes.union(*parts))
