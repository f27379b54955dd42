"""Lives out of the ordinary: deferred, returned, corrected, doubled, out of order, held and cured."""

from __future__ import annotations

from datetime import date, timedelta

from senconet.demonstration.amend import supersede
from senconet.demonstration.lives import DAY, Author, Life, end, plain, start
from senconet.demonstration.reference import COHORTS
from senconet.demonstration.wire import Event


def _copy(event: Event, kind: str) -> Event:
    return event.again(kind)


def _offset(author: Author, low: int, high: int) -> date:
    return author.person.starts + timedelta(days=author.studio.rng.randint(low, high))


def _pause(author: Author) -> tuple[Event, Event]:
    """A deferral and the resumption, in the first 80 days after the start."""
    begins = _offset(author, 10, 35)
    ends = begins + timedelta(days=author.studio.rng.randint(10, 44))
    return author.deferred(begins, ends), author.resumed(ends)


def deferral(author: Author) -> Life:
    """Deferred, resumed, then the planned end."""
    life = start(author, "deferral" if author.person.completes else "deferral_withdrawn")
    life.events += _pause(author)
    return end(author, life)


def deferral_superseded(author: Author) -> Life:
    """Deferred and resumed, both told wrong at first and then superseded."""
    life = deferral(author)
    life.kind = "deferral_superseded"
    for fact in ("deferred", "resumed"):
        supersede(author, life, fact)
    return life


def returned(author: Author) -> Life:
    """Withdrew, resumed within the reinstatement time, completed."""
    life = start(author, "returned")
    left = _offset(author, 10, 30)
    back = left + timedelta(days=author.studio.rng.randint(5, 60))
    life.events += [author.withdrew(left), author.resumed(back)]
    return end(author, life)


def moved(author: Author) -> Life:
    """Registered for the cohort before, withdrew, resumed into its present cohort, completed."""
    person, rng = author.person, author.studio.rng
    old, new = COHORTS[person.cohort - 1], COHORTS[person.cohort]
    life = Life("moved", person, author.subject)
    left = old.starts + 8 * DAY
    first, last = max(left + 3 * DAY, new.opens), min(new.closes, left + 60 * DAY)
    back = first + timedelta(days=rng.randint(0, (last - first).days))
    registered = old.opens + timedelta(days=rng.randint(0, (old.starts - old.opens).days))
    life.events.append(author.registered(registered, person.cohort - 1))
    life.events += [author.withdrew(left), author.resumed(back, new.code)]
    return end(author, life)


def withdrawal_voided(author: Author) -> Life:
    """A withdrawal entered in error and voided by its sender; completed later."""
    life = start(author, "withdrawal_voided")
    wrong = author.withdrew(_offset(author, 10, 40), "other")
    life.events += [wrong, author.voided(wrong, _offset(author, 41, 60))]
    return end(author, life)


def withdrawal_voided_by_lead(author: Author) -> Life:
    """A wrong withdrawal sent after the completion sets it aside; the lead's void restores it."""
    life = end(author, start(author, "withdrawal_voided_by_lead"))
    wrong = author.withdrew(_offset(author, 10, 80), "not_known")
    void = author.voided_by_lead(wrong, author.person.ended + 20 * DAY)
    completed = life.first("completed").again("copy_of_set_aside")
    life.events += [wrong, completed, void]
    return life


def deferral_voided(author: Author) -> Life:
    """A deferral entered in error and voided."""
    life = start(author, "deferral_voided")
    wrong, _ = _pause(author)
    life.events += [wrong, author.voided(wrong, _offset(author, 81, 90))]
    return end(author, life)


def resumption_corrected(author: Author) -> Life:
    """A resumption on the wrong day, voided and sent again; before it, a void of the registration fails."""
    life = start(author, "resumption_corrected")
    deferred, wrong = _pause(author)
    void = author.voided(life.events[0], _offset(author, 36, 40))
    void = void.again("would_invalidate_registration_deferred")
    life.events += [deferred, void, wrong, author.voided(wrong, _offset(author, 81, 85))]
    life.events.append(author.resumed(_offset(author, 86, 95)))
    return end(author, life)


def completion_corrected(author: Author) -> Life:
    """A completion on the wrong day, voided by its sender and sent again under another id."""
    life = start(author, "completion_corrected")
    wrong = author.completed(author.person.ended - 6 * DAY)
    life.events += [wrong, author.voided(wrong, author.person.ended - DAY)]
    return end(author, life)


def completion_voided(author: Author) -> Life:
    """A completion that was none, voided by its sender; then the withdrawal."""
    life = start(author, "completion_voided")
    wrong = author.completed(author.person.ended - DAY)
    life.events += [wrong, author.voided(wrong, author.person.ended, "evidence_withdrawn")]
    return end(author, life)


def completion_voided_by_lead(author: Author) -> Life:
    """A withdrawal dated after a completion that the lead voids."""
    life = start(author, "completion_voided_by_lead")
    wrong = author.completed(author.person.ended - DAY)
    life.events += [wrong, author.voided_by_lead(wrong, author.person.ended + 30 * DAY)]
    return end(author, life)


def withdrew_after_completion(author: Author) -> Life:
    """A withdrawal dated after the completion: accepted, and shown as completed all the same."""
    life = end(author, start(author, "withdrew_after_completion"))
    life.events.append(author.withdrew(author.person.ended + 5 * DAY, "left_sector"))
    return life


def completion_sent_late(author: Author) -> Life:
    """The same, but the completion is sent after the withdrawal."""
    life = withdrew_after_completion(author)
    life.kind = "completion_sent_late"
    life.events[1], life.events[2] = life.events[2], life.events[1]
    return life


def deferral_sent_late(author: Author) -> Life:
    """Deferred and resumed, sent after the completion, which is set aside and restored."""
    life = end(author, start(author, "deferral_sent_late"))
    life.events += _pause(author)
    return life


def completion_retried(author: Author) -> Life:
    """A completion refused while deferred, sent again under its id once the resumption is there."""
    life = start(author, "completion_retried")
    deferred, resumed = _pause(author)
    completed = author.completed(author.person.ended)
    life.events += [deferred, completed.again("while_deferred_retried"), resumed, completed]
    return life


def resumption_retried(author: Author) -> Life:
    """A resumption refused while registered, sent again under its id once the withdrawal is there."""
    life = start(author, "resumption_retried")
    left = _offset(author, 10, 30)
    resumed = author.resumed(left + 20 * DAY)
    life.events += [resumed.again("already_in_state_retried"), author.withdrew(left), resumed]
    return end(author, life)


def held(author: Author) -> Life:
    """The registration arrives after its end; a copy arrives while that is held."""
    life = plain(author)
    registered, ended = life.events
    life.kind, life.burst = "held", True
    life.events = [ended.again("held"), _copy(ended, "copy_of_held"), registered]
    if author.studio.rng.random() < 0.3:
        life.events.append(ended.again("copy_after_cure"))
    return life


def held_chain(author: Author) -> Life:
    """Deferral, resumption and end all arrive before the registration, in their order."""
    life = deferral(author)
    life.kind, life.burst = "held_chain", True
    registered, *rest = life.events
    life.events = [*(event.again("held") for event in rest), registered]
    return life


def held_void(author: Author) -> Life:
    """A void arrives before its target, and both before the registration."""
    life = withdrawal_voided(author)
    life.kind, life.burst = "held_void", True
    registered, wrong, void, completed = life.events
    life.events = [void.again("held"), wrong.again("held"), registered, completed]
    return life


def held_void_of_completion(author: Author) -> Life:
    """The void of a completion arrives before it and waits at the owner; the right one follows."""
    life = completion_corrected(author)
    life.kind, life.burst = "held_void_of_completion", True
    registered, wrong, void, right = life.events
    life.events = [registered, void.again("held"), void.again("copy_of_held"), wrong, right]
    return life
