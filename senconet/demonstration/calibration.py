"""The calibrated plan of registrations: who, when, where, how it ends (figures.md a4).

Margins are exact at full scale: cohorts, partners, regions, provider types, withdrawals and their reasons,
withdrawals before the start, settings, and the pinned cells of two local authorities at 30 June 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import TypeVar

from senconet.demonstration.reference import (
    CHILDMINDERS,
    COHORTS,
    LEAVER,
    LEAVER_COHORTS,
    LEAVES_ON,
    PARTNERS,
    PRIVATE,
    UNCLASSIFIED,
    VOLUNTARY,
    Authority,
    authorities,
)

T = TypeVar("T")

REGISTERED, WITHDRAWN, BEFORE_START, SETTINGS, NOT_PASSED = 7064, 1554, 343, 6779, 72
REGIONS = (
    ("North East", 212),
    ("North West", 706),
    ("Yorkshire and The Humber", 636),
    ("East Midlands", 671),
    ("West Midlands", 742),
    ("East of England", 883),
    ("London", 1130),
    ("South East", 1307),
    ("South West", 777),
)
TYPES = ((PRIVATE, 4239), (VOLUNTARY, 1766), (CHILDMINDERS, 706), (UNCLASSIFIED, 353))
REASONS = (
    (("workload_too_high", "no_time_in_working_hours"), 518),
    (("staffing_in_setting",), 311),
    (("health_or_pregnancy", "family_or_other_personal", "priorities_changed"), 295),
    (("left_setting_or_role", "left_sector"), 202),
    (("content", "structure", "facilitation", "not_right_for_role", "commitment_unclear"), 93),
    (("stopped_responding",), 88),
    (("access_or_technical",), 47),
)
HOMES = {
    "brackwater": "South West",
    "dunmarrow": "East Midlands",
    "fennhollow": "North East",
    "stavering": "West Midlands",
}  # invented councils, in the regions of those that they stand for
AT_HOME = 0.75
DURATIONS = (((107, 123), 45), ((124, 184), 40), ((185, 300), 15))  # days from the start, per cent
PIN_DAY, LAST_COMPLETION, LAST_WITHDRAWAL = date(2024, 6, 30), date(2024, 11, 29), date(2024, 11, 20)


@dataclass(frozen=True, slots=True)
class Pin:
    """A local authority with published cells at 30 June 2024."""

    code: str
    registrations: int
    settings: int
    completed: int
    withdrawn: int


PINS = (Pin("E09000002", 14, 13, 3, 4), Pin("E09000003", 35, 34, 13, 6))


@dataclass(slots=True)
class Person:
    """One planned registration; dates in London; `ended`: of the withdrawal or completion, `passes`: of the latter."""

    number: int
    cohort: int
    partner: str
    reason: str | None
    registered: date
    ended: date
    provider_type: str = ""
    authority: Authority | None = None
    setting: str = ""
    passes: bool = True

    @property
    def completes(self) -> bool:
        """Whether it ends with a completion."""
        return self.reason is None

    @property
    def starts(self) -> date:
        """The start of its cohort."""
        return COHORTS[self.cohort].starts


def shares(weights: Sequence[float], total: int) -> list[int]:
    """Whole numbers in proportion to the weights, with the given total (largest remainders)."""
    exact = [weight * total / sum(weights) for weight in weights]
    whole = [int(value) for value in exact]
    order = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    for i in order[: total - sum(whole)]:
        whole[i] += 1
    return whole


def spread(margin: Sequence[tuple[T, int]], total: int) -> list[T]:
    """Each key as often as its share of the total."""
    counts = shares([weight for _, weight in margin], total)
    return [key for (key, _), count in zip(margin, counts, strict=True) for _ in range(count)]


def shuffled(rng: Random, items: Sequence[T]) -> list[T]:
    """The items in a random order."""
    return rng.sample(list(items), len(items))


def _partners(rng: Random, cohorts: Sequence[int]) -> list[str]:
    """A partner for each cohort given; the leaver's lie in its own cohorts."""
    codes = spread([(partner.code, size) for partner, size in PARTNERS], len(cohorts))
    early = [i for i, cohort in enumerate(cohorts) if cohort < LEAVER_COHORTS]
    chosen = set(rng.sample(early, codes.count(LEAVER)))
    others = iter(shuffled(rng, [code for code in codes if code != LEAVER]))
    return [LEAVER if i in chosen else next(others) for i in range(len(cohorts))]


def _reasons(rng: Random, total: int) -> list[str | None]:
    withdrawn = round(total * WITHDRAWN / REGISTERED)
    reasons: list[str | None] = [rng.choice(codes) for codes in spread(REASONS, withdrawn)]
    return shuffled(rng, [*reasons, *([None] * (total - withdrawn))])


def _between(rng: Random, first: date, last: date) -> date:
    return first + timedelta(days=rng.randint(0, max(0, (last - first).days)))


def registration_day(rng: Random, cohort: int, partner: str, last: date | None = None) -> date:
    """A day in the cohort's window on which the partner delivers it."""
    plan = COHORTS[cohort]
    end = min(plan.closes, LEAVES_ON) if partner == LEAVER else plan.closes
    return _between(rng, plan.opens, min(end, last or end))


def _completion_days(rng: Random, people: Sequence[Person]) -> None:
    """Completion days by the assumed durations; the very first on the 107th day of the first cohort."""
    done = [person for person in people if person.completes]
    spans = shuffled(rng, spread(DURATIONS, len(done)))
    for person, (low, high) in zip(done, spans, strict=True):
        day = person.starts + timedelta(days=rng.randint(low, high))
        person.ended = min(day, LAST_COMPLETION - timedelta(days=rng.randint(0, 9)))
    for person in rng.sample(done, round(len(people) * NOT_PASSED / REGISTERED)):
        person.passes = False
    first = next(person for person in done if person.cohort == 0)
    first.ended = first.starts + timedelta(days=107)


def _withdrawal_days(rng: Random, people: Sequence[Person]) -> None:
    left = shuffled(rng, [person for person in people if not person.completes])
    before = round(len(people) * BEFORE_START / REGISTERED)
    for i, person in enumerate(left):
        if i < before:
            day = timedelta(days=1)
            latest = person.starts - timedelta(days=20)
            person.registered = registration_day(rng, person.cohort, person.partner, latest)
            person.ended = _between(rng, person.registered + day, person.starts - day)
        else:
            first = person.starts + timedelta(days=8)
            person.ended = _between(rng, first, min(first + timedelta(days=165), LAST_WITHDRAWAL))


def _pin(rng: Random, people: Sequence[Person], places: dict[int, Authority]) -> None:
    """Gives the pinned authorities people whose ends make the published cells exact."""
    late = [p for p in people if p.completes and p.ended > PIN_DAY]
    early = [p for p in people if p.completes and p.ended <= PIN_DAY]
    left = [p for p in people if not p.completes]
    pools = {"early": shuffled(rng, early), "late": shuffled(rng, late), "left": shuffled(rng, left)}
    by_code = {authority.code: authority for authority in authorities()}
    for pin in PINS:
        sizes = {"early": pin.completed, "left": pin.withdrawn}
        sizes["late"] = pin.registrations - sum(sizes.values())
        for name, size in sizes.items():
            for _ in range(size):
                places[pools[name].pop().number] = by_code[pin.code]


def _places(rng: Random, people: Sequence[Person], *, pinned: bool) -> None:
    """Regions exact, authorities within a region by random weights, the pinned ones first."""
    places: dict[int, Authority] = {}
    if pinned:
        _pin(rng, people, places)
    counts = dict(zip([name for name, _ in REGIONS], shares([n for _, n in REGIONS], len(people)), strict=True))
    free: dict[str, list[Authority]] = {}
    for region, count in counts.items():
        taken = sum(1 for place in places.values() if place.region == region)
        inside = [a for a in authorities() if a.region == region and not any(a.code == p.code for p in PINS)]
        sizes = shares([rng.uniform(0.4, 2.0) for _ in inside], count - taken)
        free[region] = [place for place, size in zip(inside, sizes, strict=True) for _ in range(size)]
    _assign(rng, people, places, free)


def _assign(
    rng: Random, people: Sequence[Person], places: dict[int, Authority], free: dict[str, list[Authority]]
) -> None:
    """Most of a council's people are at home; the rest lie anywhere."""
    for person in people:
        home = free.get(HOMES.get(person.partner, ""), [])
        if person.number not in places and home and rng.random() < AT_HOME:
            places[person.number] = home.pop(rng.randrange(len(home)))
    rest = iter(shuffled(rng, [place for inside in free.values() for place in inside]))
    for person in people:
        person.authority = places.get(person.number) or next(rest)


def plan(rng: Random, scale: float) -> list[Person]:
    """The planned registrations; at scale 1 with every calibrated figure exact."""
    total = round(REGISTERED * scale)
    cohorts = shuffled(rng, spread([(i, c.registrations) for i, c in enumerate(COHORTS)], total))
    partners = _partners(rng, cohorts)
    people = [
        Person(number, cohort, partner, reason, registration_day(rng, cohort, partner), COHORTS[cohort].starts)
        for number, (cohort, partner, reason) in enumerate(zip(cohorts, partners, _reasons(rng, total), strict=True))
    ]
    _completion_days(rng, people)
    _withdrawal_days(rng, people)
    _places(rng, people, pinned=total == REGISTERED)
    for person, provider_type in zip(people, shuffled(rng, spread(TYPES, total)), strict=True):
        person.provider_type = provider_type
    return people
