"""Lives at the edges of the rules: ids and references used again, a day's facts together, doubles."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

from senconet.demonstration.lives import DAY, Author, Life, end, plain, start
from senconet.demonstration.reference import Session
from senconet.demonstration.wire import LONDON, Event

UNKNOWN_URN = "SY999"  # begins URNs that no reference data knows


def registration_repaired(author: Author) -> Life:
    """A registration refused for a field too many, sent again without it under the same id."""
    life = plain(author)
    life.kind = "registration_repaired"
    first = life.events[0]
    life.events.insert(0, first.again("free_text_repaired", data=first.data | {"note": "from the form"}))
    return life


def reference_free_again(author: Author) -> Life:
    """A registration voided; the reference is then used for another registration in the same cohort."""
    life = plain(author)
    life.kind = "reference_free_again"
    studio = author.studio
    wrong = replace(author, subject=studio.uuid())
    first = life.events[0].again("registered", subject=wrong.subject, id=studio.event_id())
    void = wrong.voided(first, author.person.registered, "wrong_trainee")
    life.events = [first, void, *life.events]
    return life


def id_of_other_system(author: Author) -> Life:
    """Two systems of a partner use the same id: ids are unique within a source."""
    life = plain(author)
    life.kind = "id_of_other_system"
    registered, ended = life.events
    life.events = [registered.again("registered", system="mis"), _same_id(registered, ended, "portal")]
    return life


def id_of_other_owner(author: Author) -> Life:
    """A completion with the id of the registration: ids are bound per owner."""
    life = plain(author)
    life.kind = "id_of_other_owner"
    registered, ended = life.events
    life.events[1] = _same_id(registered, ended, registered.system)
    return life


def _same_id(first: Event, second: Event, system: str) -> Event:
    return second.again(second.kind, id=first.id, system=system)


def _on_the_day(event: Event, kind: str) -> Event:
    """The event, known to the London day only."""
    day = event.time.astimezone(LONDON).date()
    midnight = datetime.combine(day, time(0), LONDON)
    return event.again(kind, time=midnight, data=event.data | {"time_precision": "day"})


def completed_and_withdrew_same_day(author: Author) -> Life:
    """Completion and withdrawal on one day, both known to the day: the completion comes first."""
    life = end(author, start(author, "same_day"))
    withdrew = author.withdrew(author.person.ended, "other")
    life.events.insert(1, _on_the_day(withdrew, "withdrew"))
    life.events[2] = _on_the_day(life.events[2], "completed")
    return life


def resumed_same_day(author: Author) -> Life:
    """Deferral and resumption on one day, both known to the day: the resumption would come first."""
    life = start(author, "resumed_same_day")
    day = author.person.starts + 20 * DAY
    deferred = _on_the_day(author.deferred(day, day + 20 * DAY), "deferred")
    early = _on_the_day(author.resumed(day), "resumed_before_deferral")
    life.events += [deferred, early, author.resumed(day + 20 * DAY)]
    return end(author, life)


def held_until_voided(author: Author) -> Life:
    """Voids that find no target wait at both services; the registration's void answers them."""
    life = plain(author)
    life.kind = "held_until_voided"
    wrong = replace(author, subject=author.studio.uuid())
    ref = f"{author.person.partner[:3].upper()}-V{author.person.number:05d}"
    first = wrong.registered(author.person.registered, author.person.cohort, ref)
    void = wrong.voided(first, author.person.registered + DAY, "wrong_trainee")
    lost = [
        void.again("held_until_voided", fact=fact, id=wrong.studio.event_id())
        for fact in ("withdrew.voided", "completed.voided")
    ]
    life.events = [first, *lost, void, *life.events]
    return life


def doubled(author: Author) -> Life:
    """A second registration of the same trainee under another id, for voiding."""
    studio, person = author.studio, author.person
    twin = replace(author, subject=studio.uuid())
    studio.refs += 1
    urn = f"{UNKNOWN_URN}{studio.refs:06d}" if studio.rng.random() < 0.3 else person.setting
    double = Life("duplicate", person, twin.subject)
    ref = f"{person.partner[:3].upper()}-D{studio.refs:06d}"
    double.events.append(twin.registered(person.registered, person.cohort, ref, urn))
    if studio.rng.random() < 0.4:  # set aside by the void
        day = person.registered + DAY
        double.events.append(twin.session(day, Session("induction", "self_guided_study", day)))
    if studio.rng.random() < 0.15:
        double.events.append(twin.withdrew(person.registered + 2 * DAY, "not_known"))
    if studio.rng.random() < 0.25:
        double.kind = "duplicate_voided_by_lead"
        double.events.append(twin.voided_by_lead(double.events[0], person.registered + 40 * DAY, "duplicate"))
    else:
        double.events.append(twin.voided(double.events[0], person.registered + 6 * DAY, "duplicate"))
    return double
