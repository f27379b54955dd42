"""What cohort and partnership ask of a registration and of a return (reference: events 4.3, stages 4 and 6). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from shared import clock
from shared.events.codes import Problem
from shared.history import Fact, Rejected, reject
from shared.reference import Cohort, Rules


def closed(rules: Rules, cohort_code: str, received: datetime) -> Rejected | None:
    """A cohort takes facts until the end of `late_until`, by received time."""
    cohort = rules.cohort(cohort_code)
    if cohort is None or received <= clock.end_of_day(cohort.late_until):
        return None
    return reject("cohort_closed", "ce_time", date=cohort.late_until.isoformat())


def ineligible(registered: Fact, rules: Rules, path: str) -> Iterator[Problem]:
    """All that speaks against a registration; `path` is where its data stand in the record."""
    cohort = rules.cohort(registered.data["cohort_code"])
    yield from _not_open(registered, registered.data["cohort_code"], rules, path)
    if cohort is None:
        return
    if registered.data["provider_type"] not in cohort.eligible_provider_types:
        yield Problem("not_eligible", f"{path}.provider_type", {"rule": "type of provider"})
    if cohort.level3_required and not registered.data["level3_full_relevant"]:
        yield Problem("not_eligible", f"{path}.level3_full_relevant", {"rule": "a full and relevant level 3"})


def no_return(resumed: Fact, cohort_before: str, rules: Rules, path: str) -> Iterator[Problem]:
    """All that speaks against a return: into another cohort than before, it needs that open and the partnership."""
    code = resumed.data.get("cohort_code", cohort_before)
    if code != cohort_before:
        yield from _not_open(resumed, code, rules, path)


def _not_open(fact: Fact, cohort_code: str, rules: Rules, path: str) -> Iterator[Problem]:
    """The partnership and the cohort's windows, on the day of the fact."""
    cohort, day = rules.cohort(cohort_code), clock.london_day(fact.moment.time)
    if cohort is None or not rules.partnership(fact.sender, cohort_code, day):
        yield Problem("partnership_not_active", f"{path}.cohort_code", {"date": day.isoformat()})
    if cohort is not None:
        yield from _outside(cohort, day)


def _outside(cohort: Cohort, day: date) -> Iterator[Problem]:
    if day < cohort.opens:
        yield Problem("time_before_cohort", "ce_time", {"date": cohort.opens.isoformat()})
    if day > cohort.registration_closes:
        yield Problem("cohort_closed", "ce_time", {"date": cohort.registration_closes.isoformat()})
