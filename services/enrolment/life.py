"""The life of a registration: the state table of enrolment's own facts, and the periods that they make. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from services.enrolment import transfer
from services.enrolment.transfer import Move, Offer
from shared import clock
from shared.clock import Moment
from shared.events.catalogue import (
    ACCEPTED,
    BY_NAME,
    DEFERRED,
    OFFERED,
    REGISTERED,
    RESUMED,
    TRANSFERS,
    VOIDED,
    WITHDREW,
)
from shared.events.codes import Problem
from shared.history import Fact, History, history_of
from shared.reference import Reference, Rules
from shared.status import Period

REGISTRATION_VOIDED: Final = BY_NAME[REGISTERED.name + VOIDED]

_NO_REASON: Final = {"reason": None, "reason_group": None}


@dataclass(frozen=True, slots=True)
class Life:
    """What facts in order make of a registration: its states, as if it had stayed with one partner, and its moves."""

    states: tuple[Period, ...] = ()
    offer: Offer | None = None
    moves: tuple[Move, ...] = ()

    @property
    def owners(self) -> tuple[str, ...]:
        """Who had the registration, in order."""
        return (self.states[0].partner, *(move.to_partner for move in self.moves))

    def owner(self, moment: Moment) -> str:
        """The partner of a moment; before the registration, who made it."""
        moved = (move.to_partner for move in reversed(self.moves) if move.moment <= moment)
        return next(moved, self.states[0].partner)


@dataclass(frozen=True, slots=True)
class Folded:
    """A fold's outcome: the life, and the facts that are illegal after those that stand, each with its reason."""

    life: Life = Life()
    fallen: tuple[tuple[Fact, Problem], ...] = ()


def fold(facts: Iterable[Fact], reference: Reference) -> Folded:
    """The life that facts in order make."""
    life, fallen = Life(), list[tuple[Fact, Problem]]()
    for fact in facts:
        found = step(life, fact, reference.at(fact.received))
        if isinstance(found, Problem):
            fallen.append((fact, found))
        else:
            life = found
    return Folded(life, tuple(fallen))


def step(life: Life, fact: Fact, rules: Rules) -> Life | Problem:
    """One cell of the state table (reference: events 5): the life after a fact, or why it is not legal there."""
    current = life.states[-1] if life.states else None
    if fact.kind is REGISTERED:
        return replace(life, states=(_opened(fact),)) if current is None else Problem("same_fact_exists")
    if current is None:
        return Problem("registration_unknown")
    if fact.kind in TRANSFERS:
        return _transfer(life, current, fact)
    period = _changed(current, fact, rules)
    return period if isinstance(period, Problem) else replace(life, states=(*life.states, period))


def _transfer(life: Life, current: Period, fact: Fact) -> Life | Problem:
    if fact.kind is OFFERED:
        offered = transfer.offer(life.offer, current.state, life.owner(fact.moment), fact)
        return offered if isinstance(offered, Problem) else replace(life, offer=offered)
    answered = transfer.answer(life.offer, current.state, fact)
    if isinstance(answered, Problem):
        return answered
    moves = (*life.moves, answered.move) if fact.kind is ACCEPTED else life.moves
    return replace(life, offer=answered, moves=moves)


def _changed(current: Period, fact: Fact, rules: Rules) -> Period | Problem:
    since = {"since": clock.london_day(current.begins).isoformat(), "state": current.state.capitalize()}
    match fact.kind.name, current.state:
        case DEFERRED.name, "registered":
            return _next(current, fact, "deferred", fact.data["reason"])
        case DEFERRED.name, "withdrawn":
            return Problem("after_withdrawal", "ce_time", since)
        case RESUMED.name, "withdrawn" if (until := _return_until(current, rules)) < clock.london_day(fact.moment.time):
            return Problem("reinstatement_closed", "ce_time", {"until": until.isoformat()})
        case RESUMED.name, "deferred" | "withdrawn":
            return _next(current, fact, "registered", None)
        case WITHDREW.name, "registered" | "deferred":
            return _next(current, fact, "withdrawn", fact.data["reason"])
    return Problem("already_in_state", "ce_time", since)


def _opened(fact: Fact) -> Period:
    return Period(
        begins=fact.moment.time,
        order=fact.moment.order,
        state="registered",
        partner=fact.sender,
        cohort=fact.data["cohort_code"],
        setting_key=fact.data.get("setting_key", ""),
        provider_type=fact.data["provider_type"],
    )


def _next(current: Period, fact: Fact, state: str, reason: str | None) -> Period:
    cohort = fact.data.get("cohort_code") or current.cohort
    return current.model_copy(
        update={
            "begins": fact.moment.time,
            "order": fact.moment.order,
            "state": state,
            "cohort": cohort,
            "reason": reason,
            "reason_group": fact.data.get("reason_group") if reason else None,
        }
    )


def _return_until(current: Period, rules: Rules) -> date:
    """The last London day on which a withdrawn trainee may return; without a cohort's rules there is no bound."""
    cohort = rules.cohort(current.cohort)
    if cohort is None:
        return date.max
    return clock.london_day(current.begins) + timedelta(days=cohort.reinstatement_days)


def _void_of(history: History) -> Fact | None:
    """What has taken the registration itself back, if anything has."""
    return next((fact for fact in history.accepted if fact.kind is REGISTRATION_VOIDED), None)


def before_void(history: History) -> History:
    """The history as it was told before the registration was taken back, if it was."""
    void = _void_of(history)
    return history if void is None else history_of(fact for fact in history.accepted if fact is not void)


def periods_of(history: History, reference: Reference) -> tuple[Period, ...]:
    """The periods of a registration's status after all its accepted facts.

    A voided registration has one for each partner that had it, the last owner's at the end: voided, since the time of
    the void, though it admits nothing of any date.
    """
    periods, void = _periods(fold(before_void(history).facts, reference).life), _void_of(history)
    if void is None:
        return periods
    last = {period.partner: period for period in periods}
    partners = reversed(dict.fromkeys(period.partner for period in reversed(periods)))
    voided = {"state": "voided", "begins": void.moment.time, "order": void.moment.order}
    return tuple(last[partner].model_copy(update={**voided, **_NO_REASON}) for partner in partners)


def _periods(life: Life) -> tuple[Period, ...]:
    """The states, cut where the registration moves to another partner."""
    stays = [state.model_copy(update={"partner": life.owner(state.moment)}) for state in life.states]
    pairs = zip(life.owners, life.moves, strict=False)
    moves = [_moved(life, move) for owner, move in pairs if move.to_partner != owner]
    return tuple(sorted((*stays, *moves), key=lambda period: period.moment))


def _moved(life: Life, move: Move) -> Period:
    """The state goes on with another partner: an offer follows on the registration, so there is one."""
    state = next(state for state in reversed(life.states) if state.moment <= move.moment)
    return state.model_copy(update={"begins": move.at, "order": move.moment.order, "partner": move.to_partner})
