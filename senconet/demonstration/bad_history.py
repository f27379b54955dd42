"""Bad records of stages 3 to 7 that a partner's own topic decides."""

from __future__ import annotations

from datetime import timedelta

from senconet.demonstration.bad import Pools, Table, kind
from senconet.demonstration.lives import DAY, Life
from senconet.demonstration.wire import Event, wire

HISTORY: Table = {}


def _new_id(pools: Pools, event: Event, **changes: object) -> Event:
    return event.again(event.kind, id=pools.studio.event_id(), **changes)


def _between(first: Event, second: Event) -> timedelta:
    return (second.time - first.time) / 2


@kind(HISTORY, "id_conflict")
def id_again_other_content(pools: Pools, name: str) -> None:
    """A registration's id again, with another role."""
    life = pools.take("completed")
    first = life.first("registered")
    role = "senco" if first.data["role"] == "senco_designate" else "senco_designate"
    pools.put(name, first.again(name, data=first.data | {"role": role}), life)


@kind(HISTORY, "id_conflict")
def id_again_other_time(pools: Pools, name: str) -> None:
    """A withdrawal's id again, a day later."""
    life = pools.take("withdrawn")
    first = life.first("withdrew")
    pools.put(name, first.again(name, time=first.time + timedelta(hours=24)), life)


@kind(HISTORY, "id_conflict")
def id_again_other_type(pools: Pools, name: str) -> None:
    """A registration's id again, for a withdrawal."""
    life = pools.take("completed")
    first = life.first("registered")
    withdrew = pools.author(life).withdrew(life.person.ended - DAY, "other")
    pools.put(name, withdrew.again(name, id=first.id, system=first.system), life)


@kind(HISTORY, "id_conflict")
def id_again_completed(pools: Pools, name: str) -> None:
    """A completion's id again for the same trainee, an hour before."""
    life = pools.take("completed", lambda found: "time_precision" not in found.first("completed").data)
    first = life.first("completed")
    pools.put(name, first.again(name, time=first.time - timedelta(hours=1)), life)


@kind(HISTORY, "id_conflict")
def id_again_while_held(pools: Pools, name: str) -> None:
    """The id of a withdrawal that waits, with another trigger."""
    base = pools.stray("withdrew", {"reason": "other", "trigger": "partner"})
    item = pools.put("withdrew_unregistered", base)
    again = base.again(name, data=base.data | {"trigger": "trainee"})
    pools.studio.add(base.topic, 1, item.publish, name, wire(again), again)


@kind(HISTORY, "id_conflict")
def id_again_while_held_completed(pools: Pools, name: str) -> None:
    """The id of a completion that waits, on another day."""
    base = pools.stray("completed", {})
    item = pools.put("completed_unregistered", base)
    again = base.again(name, time=base.time + DAY)
    pools.studio.add(base.topic, 1, item.publish, name, wire(again), again)


@kind(HISTORY, "same_fact_exists")
def registered_again(pools: Pools, name: str) -> None:
    """The same registration under another event id."""
    life = pools.take("completed")
    pools.put(name, _new_id(pools, life.first("registered")), life)


@kind(HISTORY, "same_fact_exists")
def reference_again(pools: Pools, name: str) -> None:
    """Another registration with the same reference and cohort."""
    life = pools.take("completed")
    pools.put(name, _new_id(pools, life.first("registered"), subject=pools.studio.uuid()), life)


@kind(HISTORY, "same_fact_exists")
def completed_again(pools: Pools, name: str) -> None:
    """A second completion."""
    life = pools.take("completed")
    pools.put(name, pools.author(life).completed(life.person.ended + 5 * DAY), life)


@kind(HISTORY, "use_resume")
def registered_after_withdrawal(pools: Pools, name: str) -> None:
    """A registration again instead of a resumption."""
    life = pools.take("withdrawn")
    again = _new_id(pools, life.first("registered"), time=life.first("withdrew").time + 10 * DAY)
    data = {key: value for key, value in again.data.items() if key != "time_precision"}
    pools.put(name, again.again(name, data=data), life)


@kind(HISTORY, "registration_unknown", held=True)
def withdrew_unregistered(pools: Pools, name: str) -> None:
    """A withdrawal without a registration, and a copy while it waits."""
    item = pools.put(name, pools.stray("withdrew", {"reason": "other", "trigger": "partner"}))
    pools.studio.add(item.topic, 1, item.publish, "copy_of_held", item.record)


@kind(HISTORY, "registration_unknown", held=True)
def deferred_unregistered(pools: Pools, name: str) -> None:
    """A deferral without a registration."""
    pools.put(name, pools.stray("deferred", {"reason": "bereavement"}))


@kind(HISTORY, "registration_unknown", held=True)
def resumed_unregistered(pools: Pools, name: str) -> None:
    """A resumption without a registration."""
    pools.put(name, pools.stray("resumed", {}))


@kind(HISTORY, "registration_unknown", held=True)
def completed_unregistered(pools: Pools, name: str) -> None:
    """A completion without a registration, and a copy while it waits."""
    item = pools.put(name, pools.stray("completed", {}))
    pools.studio.add(item.topic, 1, item.publish, "copy_of_held", item.record)


@kind(HISTORY, "registration_unknown", held=True)
def withdrew_before_registration(pools: Pools, name: str) -> None:
    """A withdrawal dated before the registration's own moment."""
    life = pools.take("completed", lambda found: found.person.cohort > 0)
    pools.put(name, pools.author(life).withdrew(life.person.registered - 20 * DAY, "other"), life)


@kind(HISTORY, "registration_unknown", held=True)
def completed_before_registration(pools: Pools, name: str) -> None:
    """A completion dated before the registration's own moment."""
    life = pools.take("withdrawn")
    pools.put(name, pools.author(life).completed(life.person.registered - 20 * DAY), life)


@kind(HISTORY, "registration_voided")
def withdrew_of_voided(pools: Pools, name: str) -> None:
    """A withdrawal of a voided registration."""
    life = pools.take("duplicate")
    pools.put(name, pools.author(life).withdrew(life.person.registered + 20 * DAY, "other"), life)


@kind(HISTORY, "registration_voided")
def completed_of_voided(pools: Pools, name: str) -> None:
    """A completion of a voided registration."""
    life = pools.take("duplicate")
    pools.put(name, pools.author(life).completed(life.person.registered + 90 * DAY), life)


@kind(HISTORY, "registration_voided")
def registered_after_void(pools: Pools, name: str) -> None:
    """A voided registration once more under its own id."""
    life = pools.take("duplicate")
    pools.put(name, _new_id(pools, life.first("registered")), life)


@kind(HISTORY, "already_in_state")
def voided_again(pools: Pools, name: str) -> None:
    """A second void of a registration."""
    life = pools.take("duplicate")
    pools.put(name, _new_id(pools, life.first("registered.voided")), life)


@kind(HISTORY, "already_in_state")
def withdrawal_voided_again(pools: Pools, name: str) -> None:
    """A second void of a withdrawal."""
    life = pools.take("withdrawal_voided")
    pools.put(name, _new_id(pools, life.first("withdrew.voided")), life)


@kind(HISTORY, "already_in_state")
def completion_voided_again(pools: Pools, name: str) -> None:
    """A second void of a completion."""
    life = pools.take("completion_corrected")
    pools.put(name, _new_id(pools, life.first("completed.voided")), life)


@kind(HISTORY, "already_in_state")
def withdrew_again(pools: Pools, name: str) -> None:
    """A second withdrawal, later."""
    life = pools.take("withdrawn")
    pools.put(name, pools.author(life).withdrew(life.person.ended + 9 * DAY), life)


@kind(HISTORY, "already_in_state")
def deferred_again(pools: Pools, name: str) -> None:
    """A deferral while deferred."""
    life = pools.take("deferral")
    day = life.first("deferred").time.date() + 4 * DAY
    pools.put(name, pools.author(life).deferred(day, day + 30 * DAY), life)


@kind(HISTORY, "already_in_state")
def resumed_while_registered(pools: Pools, name: str) -> None:
    """A resumption of somebody who was never away."""
    life = pools.take("completed")
    pools.put(name, pools.author(life).resumed(life.person.starts + 30 * DAY), life)


@kind(HISTORY, "after_withdrawal")
def deferred_after_withdrawal(pools: Pools, name: str) -> None:
    """A deferral after the withdrawal."""
    life = pools.take("withdrawn")
    day = life.person.ended + 9 * DAY
    pools.put(name, pools.author(life).deferred(day, day + 30 * DAY), life)


@kind(HISTORY, "after_withdrawal")
def completed_after_withdrawal(pools: Pools, name: str) -> None:
    """A completion after the withdrawal."""
    life = pools.take("withdrawn")
    pools.put(name, pools.author(life).completed(life.person.ended + 20 * DAY), life)


@kind(HISTORY, "while_deferred")
def completed_while_deferred(pools: Pools, name: str) -> None:
    """A completion dated within a deferral."""
    life = pools.take("deferral")
    pools.put(name, pools.author(life).completed(life.first("deferred").time.date() + 4 * DAY), life)


@kind(HISTORY, "reinstatement_closed")
def resumed_too_late(pools: Pools, name: str) -> None:
    """A resumption 120 days after the withdrawal."""
    life = pools.take("withdrawn")
    pools.put(name, pools.author(life).resumed(life.person.ended + 120 * DAY), life)


def _apart(life: Life) -> bool:
    return (life.person.ended - life.person.registered).days > 10


@kind(HISTORY, "would_invalidate")
def withdrew_before_withdrawal(pools: Pools, name: str) -> None:
    """A withdrawal dated before one that stands."""
    life = pools.take("withdrawn", _apart)
    first, last = life.first("registered"), life.first("withdrew")
    day = (first.time + _between(first, last)).date()
    pools.put(name, pools.author(life).withdrew(day), life)


@kind(HISTORY, "would_invalidate")
def deferred_before_deferral(pools: Pools, name: str) -> None:
    """A deferral dated before one that stands."""
    life = pools.take("deferral")
    day = life.first("deferred").time.date() - 2 * DAY
    pools.put(name, pools.author(life).deferred(day, day + 30 * DAY), life)


@kind(HISTORY, "would_invalidate")
def deferral_voided_under_resumption(pools: Pools, name: str) -> None:
    """The void of a deferral from which a resumption came back."""
    life = pools.take("deferral")
    void = pools.author(life).voided(life.first("deferred"), life.person.ended)
    pools.put(name, void, life)


@kind(HISTORY, "would_invalidate")
def withdrawal_voided_under_resumption(pools: Pools, name: str) -> None:
    """The void of a withdrawal from which a resumption came back."""
    life = pools.take("returned")
    pools.put(name, pools.author(life).voided(life.first("withdrew"), life.person.ended), life)


@kind(HISTORY, "would_invalidate")
def registration_voided_under_deferral(pools: Pools, name: str) -> None:
    """The void of a withdrawn registration that was once deferred."""
    life = pools.take("deferral_withdrawn")
    pools.put(name, pools.author(life).voided(life.first("registered"), life.person.ended + DAY), life)
