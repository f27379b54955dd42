"""Invented settings for the planned registrations: fewer than registrations, since some share one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from random import Random

from senconet.demonstration.calibration import PINS, REGISTERED, SETTINGS, Person
from senconet.demonstration.reference import CHILDMINDERS, Authority, SettingPlan

ALWAYS = date(2020, 1, 1)
LATE_KNOWN_SHARE = 0.0012  # of registrations: their setting enters the reference data only later


def _sharers(rng: Random, people: Sequence[Person], count: int) -> dict[int, Person]:
    """People (by number) who share another's setting: same authority, same type, never childminders."""
    groups: defaultdict[tuple[str, str], list[Person]] = defaultdict(list)
    for person in people:
        if person.provider_type != CHILDMINDERS and person.authority is not None:
            groups[person.authority.code, person.provider_type].append(person)
    found: dict[int, Person] = {}
    for pin in PINS:
        pinned = [group for (code, _), group in groups.items() if code == pin.code and len(group) > 1]
        for group in pinned[: pin.registrations - pin.settings]:
            found[_not_completed(group).number] = next(p for p in group if p is not _not_completed(group))
    pins = {pin.code for pin in PINS}
    others = [(person, group) for (code, _), group in groups.items() if code not in pins for person in group[1:]]
    for person, group in rng.sample(others, count - len(found)):
        found[person.number] = group[0]
    return found


def _not_completed(group: Sequence[Person]) -> Person:
    """A sharer who withdrew if there is one, so that completions lie in distinct settings."""
    return max(group, key=lambda person: (not person.completes, person.ended, person.number))


def _plan(urn: int, person: Person, authority: Authority, known_from: date, group: str | None) -> SettingPlan:
    return SettingPlan(f"SY{urn}", authority, person.provider_type, group, known_from)


def settle(rng: Random, people: Sequence[Person]) -> list[SettingPlan]:
    """Gives every person a setting; returns the settings."""
    count = round(len(people) * (REGISTERED - SETTINGS) / REGISTERED)
    shared = _sharers(rng, people, count)
    hosts = {person.number for person in shared.values()}
    pins = {pin.code for pin in PINS}
    quiet = [
        person.number
        for person in people
        if person.number not in hosts | shared.keys()
        and person.authority is not None
        and person.authority.code not in pins
        and (person.ended - person.registered).days > 90
    ]
    late = set(rng.sample(quiet, max(1, round(len(people) * LATE_KNOWN_SHARE))))
    plans = []
    for person in people:
        if person.number in shared or person.authority is None:
            continue
        known_from = person.ended if person.number in late else ALWAYS
        chain = f"grp-{rng.randint(1, 240):03d}" if rng.random() < 0.25 else None
        group = chain if person.provider_type != CHILDMINDERS else None
        person.setting = f"SY{500000 + person.number}"
        plans.append(_plan(500000 + person.number, person, person.authority, known_from, group))
    for number, host in shared.items():
        people[number].setting = host.setting
    return plans
