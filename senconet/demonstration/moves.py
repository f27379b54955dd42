"""Lives with a transfer: offered by the losing partner in the first phase, answered in the second.

What the gaining partner sends follows its acceptance in its own topic. No answer depends on how topics
interleave, so that the lead, whose records depend on others' topics, offers nothing here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from senconet.demonstration.lives import DAY, Author, Life, Move, end, plain, start
from senconet.demonstration.reference import LEAVER, PARTNERS, Session
from senconet.demonstration.wire import LONDON, Event

NO_LEAVER = tuple(partner.code for partner, _ in PARTNERS if partner.code != LEAVER)


def another(author: Author, *besides: str) -> str:
    """Another partner of every cohort."""
    return author.studio.rng.choice([code for code in NO_LEAVER if code not in (author.person.partner, *besides)])


def losing(author: Author) -> Author:
    """The author for the partner that registered the person whom the other author's partner takes over."""
    leaver = author.person.cohort < 4 and author.studio.rng.random() < 0.1
    partner = LEAVER if leaver else another(author)
    return replace(author, person=replace(author.person, partner=partner))


def _clock(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour, 20), LONDON)


def _offer_day(author: Author) -> date:
    return author.person.starts + timedelta(days=author.studio.rng.randint(20, 50))


def _begin(author: Author, kind: str) -> tuple[Life, Author]:
    loser = losing(author)
    life = Life(kind, author.person, author.subject)
    life.events.append(loser.registered(author.person.registered, author.person.cohort))
    return life, loser


def _offer(author: Author, life: Life, loser: Author, day: date) -> Event:
    """The losing partner's last word: eight to twenty days before the change."""
    effective = day + timedelta(days=author.studio.rng.randint(8, 20))
    cause = "partner_left_programme" if loser.person.partner == LEAVER else "trainee_moved"
    offer = loser.offered(day, author.person.partner, effective, cause=cause)
    life.events.append(offer)
    life.moves = Move(loser, day, effective)
    return offer


def _accept(author: Author, life: Life, offer: Event, hour: int | None = None) -> Life:
    """The gaining partner's acceptance within a week, some with its own reference, and the end."""
    day = offer.time.astimezone(LONDON).date() + timedelta(days=author.studio.rng.randint(1, 6))
    data = {}
    if author.studio.rng.random() < 0.6:
        data["partner_ref"] = f"{author.person.partner[:3].upper()}-T{author.person.number:05d}"
    life.events.append(author.answer("accepted", day if hour is None else _clock(day, hour), offer, **data))
    end(author, life)
    life.events[-1] = replace(life.events[-1], phase=2)
    return life


def transferred(author: Author) -> Life:
    """Offered, accepted, completed with the gaining partner."""
    life, loser = _begin(author, "transferred")
    return _accept(author, life, _offer(author, life, loser, _offer_day(author)))


def transferred_while_deferred(author: Author) -> Life:
    """Deferred with the losing partner, resumed with the gaining one."""
    life, loser = _begin(author, "transferred_while_deferred")
    day = _offer_day(author)
    life.events.append(loser.deferred(day - 6 * DAY, day + 30 * DAY))
    offer = _offer(author, life, loser, day)
    back = (life.moves.effective if life.moves else day) + 3 * DAY
    _accept(author, life, offer)
    life.events.insert(-1, replace(author.resumed(back), phase=2))
    return life


def transferred_after_withdrawal(author: Author) -> Life:
    """Withdrawn by the losing partner between the acceptance and the change; the gaining one takes it back."""
    life, loser = _begin(author, "transferred_after_withdrawal")
    day = _offer_day(author)
    offer = _offer(author, life, loser, day)
    effective = life.moves.effective if life.moves else day
    life.events.append(loser.withdrew(effective - DAY, "other"))
    _accept(author, life, offer)
    back = author.event("resumed", _clock(effective, 9), {}, phase=2)
    life.events.insert(-1, back)
    return life


def transferred_with_sessions(author: Author) -> Life:
    """Sessions that the losing partner dates after the change, told before the acceptance: set aside by it."""
    life, loser = _begin(author, "transferred_with_sessions")
    offer = _offer(author, life, loser, _offer_day(author))
    effective = life.moves.effective if life.moves else author.person.starts
    for number in (1, 2):
        extra = Session(f"extra-{number}", "enrichment", effective + number * DAY)
        life.events.append(loser.session(extra.on, extra))
    return _accept(author, life, offer)


def transferred_at_second_offer(author: Author) -> Life:
    """Offered to one partner and cancelled, then offered to another."""
    life, loser = _begin(author, "transferred_at_second_offer")
    day = _offer_day(author)
    first = loser.offered(day - 5 * DAY, another(author, loser.person.partner), day + 9 * DAY)
    cancelled = replace(loser.answer("cancelled", day - 3 * DAY, first), phase=1)
    life.events += [first, cancelled]
    return _accept(author, life, _offer(author, life, loser, day))


def transferred_after_lapse(author: Author) -> Life:
    """Offered to one partner, which answers after the fourteen days; then offered to another."""
    life, loser = _begin(author, "transferred_after_lapse")
    day = _offer_day(author)
    other = another(author, loser.person.partner)
    first = loser.offered(day - 16 * DAY, other, day + 9 * DAY)
    life.events.append(first)
    _accept(author, life, _offer(author, life, loser, day))
    late = author.answer("accepted", day - DAY, first)
    life.events.append(late.again("transfer_answered_late", topic=other))
    return life


def _kept(author: Author, kind: str) -> tuple[Life, Event, str]:
    """A life that stays with its partner, though once offered."""
    life = start(author, kind)
    other, day = another(author), _offer_day(author)
    offer = author.offered(day, other, day + 10 * DAY, cause="partner_capacity")
    life.events.append(offer)
    return end(author, life), offer, other


def _day(event: Event) -> date:
    return event.time.astimezone(LONDON).date()


def transfer_declined(author: Author) -> Life:
    """Offered and declined."""
    life, offer, other = _kept(author, "transfer_declined")
    answer = author.answer("declined", _day(offer) + 3 * DAY, offer, reason="no_capacity")
    life.events.append(replace(answer, topic=other, system="mis"))
    return life


def transfer_cancelled_by_lead(author: Author) -> Life:
    """Offered, and cancelled by the lead."""
    life, offer, _ = _kept(author, "transfer_cancelled_by_lead")
    answer = author.answer("cancelled", _day(offer) + 3 * DAY, offer)
    life.events.append(replace(answer, topic="lead", system="mis"))
    return life


def transfer_lapsed(author: Author) -> Life:
    """Offered, and answered too late."""
    life, offer, other = _kept(author, "transfer_lapsed")
    answer = author.answer("accepted", _day(offer) + 16 * DAY, offer)
    life.events.append(answer.again("transfer_answered_late", topic=other, system="mis"))
    return life


def transfer_in_conflict(author: Author) -> Life:
    """Offered, then deferred and resumed after the date of the change: the acceptance is refused."""
    life, offer, other = _kept(author, "transfer_in_conflict")
    day = _day(offer) + 12 * DAY
    life.events[-1:-1] = [author.deferred(day, day + 9 * DAY), author.resumed(day + 9 * DAY)]
    answer = author.answer("accepted", _day(offer) + 3 * DAY, offer)
    life.events.append(answer.again("acceptance_in_conflict", topic=other, system="mis"))
    return life


def withdrawn_before_acceptance(author: Author) -> Life:
    """Offered, withdrawn the next day, and only then accepted; declined in the end."""
    life = plain(author)
    life.kind = "withdrawn_before_acceptance"
    other, day = another(author), author.person.ended - 2 * DAY
    offer = author.offered(day, other, day + 10 * DAY)
    life.events.insert(-1, offer)
    accepted = author.answer("accepted", author.person.ended + 2 * DAY, offer)
    declined = author.answer("declined", author.person.ended + 3 * DAY, offer, reason="not_ours")
    life.events.append(accepted.again("accepted_after_withdrawal", topic=other, system="mis"))
    life.events.append(replace(declined, topic=other, system="mis"))
    return life
