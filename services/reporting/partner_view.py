"""The views of a registration: one for each partner that has or had it, and nothing of one partner for another. Pure.

Who has the registration sees it as it is now. Who lost it by a transfer sees it as it was just before 00:00 of the
day on which it moved, whatever follows (reference: events 8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any, Final

from services.reporting.periods import moved
from services.reporting.projection import Known
from shared import clock
from shared.clock import Moment
from shared.states import Activity, AssessmentState, Attempt, MentoringState, Signal
from shared.status import Period, Status

WITHDRAWN_AFTER_COMPLETION: Final = "withdrawn_after_completion"
ACTIVITY_AFTER_COMPLETION: Final = "activity_after_completion"
NO_START: Final = "no_start"
ASSESSOR_IS_MENTOR: Final = "assessor_is_mentor"

View = dict[str, Any]


def views(known: Known) -> dict[str, View]:
    """The view of each partner by its code; none before the status is known. Without the version.

    `since` and `completed` are moments in RFC 3339; `start` and the dates of units passed are days in London. The
    partner's identifiers are left out where they are not known.
    """
    if known.status is None:
        return {}
    if known.status.voided:
        alone = replace(known, mentoring=None, assessment=None)  # nothing stands of it
        return {period.partner: _view(alone, period.partner, (period,)) for period in known.status.periods}
    return {
        partner: _view(seen, partner, seen.status.periods)
        for partner, seen in _seen(known, known.status)
        if seen.status
    }


def shown_on(view: Mapping[str, Any], day: date) -> View:
    """A view as it is shown on a day: of the signals those that have begun."""
    begun = [signal for signal in view["at_risk"] if signal["since"] <= day.isoformat()]
    return {**view, "at_risk": begun}


def _seen(known: Known, status: Status) -> Iterator[tuple[str, Known]]:
    """What each partner sees of what is known: all of it the present one, the others what was before they lost it."""
    lost = {earlier.partner: later.begins for earlier, later in pairwise(status.periods) if moved(earlier, later)}
    for partner in dict.fromkeys(period.partner for period in status.periods):
        until = None if partner == status.latest.partner else lost[partner]
        yield partner, known if until is None else _as_of(known, status, until)


def _as_of(known: Known, status: Status, until: datetime) -> Known:
    """What was known of a registration just before a moment: nothing that happened later leaves a trace."""
    before = tuple(period for period in status.periods if period.begins < until)
    return replace(
        known,
        status=status.model_copy(update={"periods": before}),
        mentoring=_mentoring_as_of(known.mentoring, until) if known.mentoring else None,
        assessment=_assessment_as_of(known.assessment, until) if known.assessment else None,
    )


def _mentoring_as_of(state: MentoringState, until: datetime) -> MentoringState:
    day = clock.london_day(until)
    open_then = (signal for signal in state.signals if signal.begins < day)
    return state.model_copy(
        update={
            "activities": tuple(activity for activity in state.activities if activity.at < until),
            "mentors": tuple(mentor for mentor in state.mentors if mentor.begins < until),
            "signals": tuple(_signal_as_of(signal, day) for signal in open_then),
        }
    )


def _signal_as_of(signal: Signal, day: date) -> Signal:
    return signal if signal.ends is None or signal.ends < day else signal.model_copy(update={"ends": None})


def _assessment_as_of(state: AssessmentState, until: datetime) -> AssessmentState:
    done = state.completed is not None and state.completed < until
    attempts = tuple(_attempt_as_of(attempt, until) for attempt in state.attempts if attempt.submitted < until)
    return state.model_copy(update={"attempts": attempts, "completed": state.completed if done else None})


def _attempt_as_of(attempt: Attempt, until: datetime) -> Attempt:
    if attempt.decided is None or attempt.decided < until:
        return attempt
    return attempt.model_copy(update={"decided": None, "decided_by": None, "assessor_id": None, "outcome": None})


@dataclass(frozen=True, slots=True)
class _State:
    """The state shown. A transfer does not change it; the reason is only for the partner that gave it."""

    name: str
    since: datetime
    reason: str | None


def _state(periods: Sequence[Period], completed: Moment | None) -> _State:
    if completed is not None:
        return _State("completed", completed.time, None)
    latest = since = periods[-1]
    for later, earlier in pairwise(reversed(periods)):
        if not moved(earlier, later):
            break
        since = earlier
    return _State(latest.state, since.begins, latest.reason if since is latest else None)


def _view(known: Known, partner: str, periods: Sequence[Period]) -> View:
    completed, start = known.completed, known.start
    state = _state(periods, completed)
    return {
        "registration_id": known.registration,
        **_identifiers(known, partner),
        "cohort_code": periods[-1].cohort,
        "state": state.name,
        "since": clock.render(state.since),
        "reason": state.reason,
        "completed": clock.render(completed.time) if completed else None,
        "start": clock.london_day(start).isoformat() if start else None,
        "totals": _totals(known.mentoring),
        "units_passed": _units_passed(known.assessment),
        "at_risk": _at_risk(known.mentoring, state.name),
        "findings": list(_findings(known, partner, periods)),
    }


def _identifiers(known: Known, partner: str) -> dict[str, str]:
    """The trainee and the setting, and the reference that this partner gave."""
    if known.identity is None:
        return {}
    own = known.identity.refs.get(partner)
    reference = {} if own is None else {"partner_ref": own}
    return {**reference, "trainee_id": known.identity.trainee_id, "setting_urn": known.identity.setting_urn}


def _totals(state: MentoringState | None) -> dict[str, int]:
    """Minutes are those of attendance."""
    activities = state.activities if state else ()
    sessions = [activity for activity in activities if activity.type is not None and activity.due]
    mentorings = [activity for activity in activities if activity.type is None and activity.due]
    return {
        "sessions_due": len(sessions),
        "sessions_attended": sum(activity.attended for activity in sessions),
        "mentoring_due": len(mentorings),
        "mentoring_held": sum(activity.attended for activity in mentorings),
        "minutes": sum(activity.minutes for activity in activities if activity.attended),
    }


def _units_passed(state: AssessmentState | None) -> list[dict[str, str]]:
    return [
        {"unit_code": attempt.unit_code, "passed_on": clock.london_day(attempt.decided).isoformat()}
        for attempt in (state.attempts if state else ())
        if attempt.outcome == "passed" and attempt.decided
    ]


def _at_risk(state: MentoringState | None, shown: str) -> list[dict[str, str]]:
    """The signals that nothing has ended; one may begin on a day to come, if nothing happens before."""
    if state is None or shown != "registered":
        return []
    still = (signal for signal in state.signals if signal.ends is None)
    return [{"reason": signal.reason, "since": signal.begins.isoformat()} for signal in still]


def _findings(known: Known, partner: str, periods: Sequence[Period]) -> Iterator[str]:
    """What the partner may want to look at again: only its own facts show in it (reference: events 9)."""
    completed, start = known.completed, known.start
    if completed is not None:
        withdrawn = (period for period in _told_by(partner, periods) if period.state == "withdrawn")
        if any(period.moment > completed for period in withdrawn):
            yield WITHDRAWN_AFTER_COMPLETION
        if any(activity.due and activity.at > completed.time for activity in _own_activities(known, partner)):
            yield ACTIVITY_AFTER_COMPLETION
        if start is None or start > completed.time:
            yield NO_START
    if _assessors(known, partner) & _mentors(known, partner):
        yield ASSESSOR_IS_MENTOR


def _told_by(partner: str, periods: Sequence[Period]) -> Iterator[Period]:
    """The periods that this partner began: not those in which a state goes on over a transfer."""
    for earlier, period in pairwise((None, *periods)):
        if period is not None and period.partner == partner and not (earlier and moved(earlier, period)):
            yield period


def _own_activities(known: Known, partner: str) -> Iterator[Activity]:
    activities = known.mentoring.activities if known.mentoring else ()
    return (activity for activity in activities if activity.partner == partner)


def _assessors(known: Known, partner: str) -> set[str]:
    attempts = known.assessment.attempts if known.assessment else ()
    return {each.assessor_id for each in attempts if each.assessor_id and each.decided_by == partner}


def _mentors(known: Known, partner: str) -> set[str]:
    mentors = known.mentoring.mentors if known.mentoring else ()
    return {mentor.mentor_id for mentor in mentors if mentor.partner == partner}
