"""Bad records of stage 6 (cohort, partnership, eligibility), and corrections that find no target."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from senconet.demonstration.bad import Pools, Table, kind
from senconet.demonstration.lives import DAY
from senconet.demonstration.reference import COHORTS, LEAVER, LEAVER_COHORTS, LEAVES_ON
from senconet.demonstration.wire import Event

COHORT: Table = {}


def _no_level3(event: Event) -> Event:
    return event.again(event.kind, data=event.data | {"level3_full_relevant": False})


@kind(COHORT, "time_before_cohort")
def registered_before_cohort(pools: Pools, name: str) -> None:
    """A registration ten days before the cohort opens."""
    number = pools.studio.rng.randint(1, len(COHORTS) - 1)
    pools.put(name, pools.fresh(number, day=COHORTS[number].opens - 10 * DAY))


@kind(COHORT, "cohort_closed")
def registered_after_cohort(pools: Pools, name: str) -> None:
    """A registration five days after the cohort's registration closed."""
    number = pools.studio.rng.randint(0, len(COHORTS) - 1)
    pools.put(name, pools.fresh(number, day=COHORTS[number].closes + 5 * DAY))


@kind(COHORT, "partnership_not_active")
def partnership_none(pools: Pools, name: str) -> None:
    """The partner that left, in a cohort that it never had."""
    number = pools.studio.rng.randint(LEAVER_COHORTS, len(COHORTS) - 1)
    pools.put(name, pools.fresh(number, LEAVER))


@kind(COHORT, "partnership_not_active")
def partnership_ended(pools: Pools, name: str) -> None:
    """The partner that left, in its last cohort, after its last day."""
    day = LEAVES_ON + timedelta(days=pools.studio.rng.randint(1, 3))
    pools.put(name, pools.fresh(LEAVER_COHORTS - 1, LEAVER, day))


@kind(COHORT, "not_eligible")
def level3_missing(pools: Pools, name: str) -> None:
    """Without a full and relevant Level 3."""
    pools.put(name, _no_level3(pools.fresh()))


@kind(COHORT, "partnership_not_active", "not_eligible")
def partnership_none_and_level3_missing(pools: Pools, name: str) -> None:
    """Two errors of one stage."""
    pools.put(name, _no_level3(pools.fresh(LEAVER_COHORTS, LEAVER)))


@kind(COHORT, "time_before_cohort", "partnership_not_active", "not_eligible")
def before_cohort_and_two_more(pools: Pools, name: str) -> None:
    """Three errors of one stage."""
    number = len(COHORTS) - 1
    pools.put(name, _no_level3(pools.fresh(number, LEAVER, COHORTS[number].opens - 10 * DAY)))


@kind(COHORT, "cohort_closed")
def resumed_into_closed_cohort(pools: Pools, name: str) -> None:
    """A resumption into a cohort whose registration is over."""
    life = pools.take("withdrawn", lambda found: found.person.cohort >= 2 and found.person.partner != LEAVER)
    pools.put(name, pools.author(life).resumed(life.person.ended + 5 * DAY, COHORTS[0].code), life)


@kind(COHORT, "time_before_cohort")
def resumed_into_later_cohort(pools: Pools, name: str) -> None:
    """A resumption into a cohort that is not open yet."""
    life = pools.take("withdrawn", lambda found: found.person.cohort < 4 and found.person.partner != LEAVER)
    pools.put(name, pools.author(life).resumed(life.person.ended + 5 * DAY, COHORTS[-1].code), life)


def _void(target_id: str) -> dict[str, Any]:
    return {"target_id": target_id, "cause": "entered_in_error"}


@kind(COHORT, "target_unknown", held=True)
def void_unregistered(pools: Pools, name: str) -> None:
    """A void for a registration that there is not, and a copy while it waits."""
    item = pools.put(name, pools.stray("registered.voided", _void(pools.studio.event_id())))
    pools.studio.add(item.topic, 1, item.publish, "copy_of_held", item.record)


@kind(COHORT, "target_unknown", held=True)
def void_of_completion_unregistered(pools: Pools, name: str) -> None:
    """A void of a completion for a registration that there is not."""
    pools.put(name, pools.stray("completed.voided", _void(pools.studio.event_id())))


@kind(COHORT, "target_unknown", held=True)
def void_of_unknown_id(pools: Pools, name: str) -> None:
    """A void of a withdrawal that was never sent."""
    life = pools.take("completed")
    data = _void(pools.studio.event_id())
    pools.put(name, pools.author(life).event("withdrew.voided", life.person.ended, data), life)


@kind(COHORT, "target_unknown", held=True)
def void_of_other_type(pools: Pools, name: str) -> None:
    """A void of a withdrawal that names the registration."""
    life = pools.take("completed")
    first = life.first("registered")
    void = pools.author(life).event("withdrew.voided", life.person.ended, _void(first.id), system=first.system)
    pools.put(name, void, life)


@kind(COHORT, "target_unknown", held=True)
def void_of_unknown_completion(pools: Pools, name: str) -> None:
    """A void of a completion that was never sent; it waits at assessment."""
    life = pools.take("completed")
    data = _void(pools.studio.event_id())
    pools.put(name, pools.author(life).event("completed.voided", life.person.ended, data), life)


@kind(COHORT, "target_unknown", held=True)
def void_under_other_subject(pools: Pools, name: str) -> None:
    """A void that names another registration's withdrawal."""
    other = pools.take("withdrawn")
    life = pools.take("completed", lambda found: found.person.partner == other.person.partner)
    target = other.first("withdrew")
    data = _void(target.id)
    void = pools.author(life).event("withdrew.voided", life.person.ended, data, system=target.system)
    pools.put(name, void, life)


@kind(COHORT, "target_unknown", held=True)
def void_of_held(pools: Pools, name: str) -> None:
    """A void of a withdrawal that itself waits in vain."""
    base = pools.stray("withdrew", {"reason": "other", "trigger": "partner"})
    pools.put("withdrew_unregistered", base)
    void = base.again(name, fact="withdrew.voided", id=pools.studio.event_id(), data=_void(base.id))
    pools.put(name, void)
