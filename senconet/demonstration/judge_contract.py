"""Stage 2: contract, code lists, sender, future (events.md 1 to 4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from senconet.demonstration.judge_fields import (
    DATA,
    IDENTIFIED,
    SUPERSEDED,
    VOIDED,
    Codes,
    closed,
    target_of,
    wire_type,
)
from senconet.demonstration.judge_history import midnight
from senconet.demonstration.judge_record import SOURCE, Envelope, moment_of
from senconet.demonstration.judge_rules import Rules, day_of
from senconet.demonstration.model import LEAD

TYPES = {wire_type(name): name for name in DATA}  # wire type -> fact
FUTURE = timedelta(minutes=5)
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


def _precision_codes(at: datetime | None, data: dict[str, Any]) -> Codes:
    """Day precision goes with 00:00 London."""
    day_only = at is not None and data.get("time_precision") == "day"
    return {"schema_invalid"} if day_only and at is not None and at != midnight(at) else set()


def _resubmit_codes(fact: str, data: dict[str, Any]) -> Codes:
    """A date to resubmit by goes with a referral only."""
    wrong = fact == "assessment.decided" and "resubmit_by" in data and data.get("outcome") != "referred"
    return {"schema_invalid"} if wrong else set()


def _owner(source: Any) -> str | None:
    found = SOURCE.fullmatch(source) if isinstance(source, str) else None
    return None if found is None else found.group(1)


def _sender_codes(event: Envelope, fact: str | None, partner: str) -> Codes:
    """The source under the topic's partner; a correction's target under it too, but for the lead."""
    codes: Codes = set()
    if _owner(event.source) != partner:
        codes.add("source_not_yours")
    correction = fact is not None and fact.endswith((VOIDED, SUPERSEDED))
    if correction and partner != LEAD and _owner(event.data.get("target_source")) not in (None, partner):
        codes.add("target_not_yours")
    return codes


def _replacement_codes(rules: Rules, event: Envelope, fact: str, received: datetime) -> Codes:
    """The replacement as data of the target's type, at its new time or, for code lists, the correction's."""
    replacement, text = event.data.get("replacement"), event.data.get("replacement_time")
    at = moment_of(text) if isinstance(text, str) else None
    codes: Codes = {"time_in_future"} if at is not None and at > received + FUTURE else set()
    if not isinstance(replacement, dict):
        return codes
    target = target_of(fact)
    return codes.union(
        closed(replacement, DATA[target]),
        _list_codes(rules, target, replacement, day_of(at or event.time)),
        _precision_codes(at, replacement),
        _resubmit_codes(target, replacement),
    )


def contract(rules: Rules, event: Envelope, partner: str, received: datetime) -> frozenset[str]:
    """All codes of stage 2."""
    fact = TYPES.get(event.type)
    codes = _sender_codes(event, fact, partner)
    if event.time > received + FUTURE:
        codes.add("time_in_future")
    if fact is None:
        return frozenset(codes | {"type_unknown"})
    parts: Iterable[Codes] = (
        closed(event.data, DATA[fact]),
        _list_codes(rules, fact, event.data, day_of(event.time)),
        _precision_codes(event.time, event.data),
        _resubmit_codes(fact, event.data),
    )
    if fact.endswith(SUPERSEDED):
        codes |= _replacement_codes(rules, event, fact, received)
    return frozenset(codes.union(*parts))
