"""Bad records of stage 2 among sessions, mentors, portfolios, decisions, transfers and supersedes."""

from __future__ import annotations

from functools import partial
from typing import Any

from senconet.demonstration.bad import Table
from senconet.demonstration.bad_contract import Data, data

FIELDS: Table = {}
SCHEMA = "schema_invalid"
UUID = "0b4e5c1a-8f77-4d43-9a35-9f0e5b6c7d8e"
SESSION = {
    "session_id": "s-1",
    "activity_type": "enrichment",
    "status": "attended",
    "minutes": 60,
    "mode": "online",
}
MENTORING = {"mentoring_id": "m-1", "mentor_id": UUID, "status": "held", "minutes": 45, "mode": "video"}
SUBMITTED = {"unit_code": "unit-1", "attempt": 1, "evidence_count": 4}
DECIDED = {"unit_code": "unit-1", "attempt": 1, "outcome": "passed", "assessor_id": UUID}
OFFERED = {
    "transfer_id": UUID,
    "to_partner": "tarnwick",
    "effective_on": "2023-06-01",
    "cause": "trainee_moved",
}
TARGET = {"target_id": "ev:1", "cause": "entered_in_error"}
session = partial(data, fact="session.attended", base=SESSION, table=FIELDS)
mentoring = partial(data, fact="mentoring.held", base=MENTORING, table=FIELDS)
submitted = partial(data, fact="portfolio.submitted", base=SUBMITTED, table=FIELDS)
decided = partial(data, fact="assessment.decided", base=DECIDED, table=FIELDS)
offered = partial(data, fact="transfer.offered", base=OFFERED, table=FIELDS)
changed = partial(data, fact="session.attended.superseded", base=TARGET | {"replacement": SESSION}, table=FIELDS)


@session(SCHEMA)
def minutes_beyond_a_day(found: Data) -> Data:
    """More minutes than a day has."""
    return found | {"minutes": 1441}


@session(SCHEMA)
def minutes_negative(found: Data) -> Data:
    """Less than none."""
    return found | {"minutes": -1}


@session(SCHEMA)
def minutes_with_a_fraction(found: Data) -> Data:
    """A whole number written with a fraction."""
    return found | {"minutes": 60.0}


@session(SCHEMA)
def activity_not_in_enum(found: Data) -> Data:
    """An activity that there is not."""
    return found | {"activity_type": "lecture"}


@session(SCHEMA)
def attendance_not_in_enum(found: Data) -> Data:
    """A status that there is not."""
    return found | {"status": "late"}


@session("field_unknown")
def session_with_a_note(found: Data) -> Data:
    """Free text on a session."""
    return found | {"note": "camera off"}


@session(SCHEMA, "field_unknown")
def session_misspelled(found: Data) -> Data:
    """One field absent, one unknown."""
    found["duration"] = found.pop("minutes")
    return found


@mentoring(SCHEMA)
def mentor_a_name(found: Data) -> Data:
    """A mentor who is named."""
    return found | {"mentor_id": "Jo Example"}


@mentoring(SCHEMA)
def mentoring_mode_of_sessions(found: Data) -> Data:
    """A mode that only sessions have."""
    return found | {"mode": "online"}


@data(
    SCHEMA,
    fact="mentor.assigned",
    base={"mentor_id": UUID, "ends_previous": False},
    table=FIELDS,
)
def ends_previous_as_text(found: Data) -> Data:
    """No instead of false."""
    return found | {"ends_previous": "no"}


@submitted(SCHEMA)
def attempt_zero(found: Data) -> Data:
    """Attempts count from one."""
    return found | {"attempt": 0}


@submitted(SCHEMA)
def attempt_beyond_99(found: Data) -> Data:
    """A number out of bounds."""
    return found | {"attempt": 100}


@submitted(SCHEMA)
def attempt_true(found: Data) -> Data:
    """True is no number."""
    return found | {"attempt": True}


@submitted(SCHEMA)
def evidence_out_of_bounds(found: Data) -> Data:
    """More evidence than anybody reads."""
    return found | {"evidence_count": 10_001}


@submitted("field_unknown")
def portfolio_attached(found: Data) -> Data:
    """A portfolio is never sent."""
    return found | {"file": "portfolio.pdf"}


@decided(SCHEMA)
def outcome_not_in_enum(found: Data) -> Data:
    """An outcome that there is not."""
    return found | {"outcome": "merit"}


@decided(SCHEMA)
def resubmit_by_after_a_pass(found: Data) -> Data:
    """A day to resubmit by, which only a referral has."""
    return found | {"resubmit_by": "2023-07-01"}


@offered(SCHEMA)
def transfer_on_no_day(found: Data) -> Data:
    """The 31st of June."""
    return found | {"effective_on": "2023-06-31"}


@offered(SCHEMA)
def transfer_cause_not_in_enum(found: Data) -> Data:
    """A cause that there is not."""
    return found | {"cause": "other"}


@data(
    SCHEMA,
    fact="transfer.declined",
    base={"transfer_id": UUID, "reason": "not_ours"},
    table=FIELDS,
)
def decline_without_reason(found: Data) -> Data:
    """A refusal that does not say why."""
    del found["reason"]
    return found


@changed(SCHEMA)
def replacement_absent(found: Data) -> Data:
    """A supersede that says nothing new."""
    del found["replacement"]
    return found


@changed(SCHEMA)
def replacement_incomplete(found: Data) -> Data:
    """A replacement is whole data."""
    return found | {"replacement": {"minutes": 90}}


@changed("field_unknown")
def replacement_with_a_note(found: Data) -> Data:
    """Free text in a replacement."""
    return found | {"replacement": SESSION | {"note": "sorry"}}


@changed(SCHEMA)
def replacement_out_of_bounds(found: Data) -> Data:
    """A replacement is checked like the first."""
    return found | {"replacement": SESSION | {"minutes": 1441}}


@changed(SCHEMA)
def replacement_time_without_offset(found: Data) -> Data:
    """A local time of nowhere."""
    return found | {"replacement_time": "2023-02-03T10:00:00"}


@changed(SCHEMA)
def replacement_day_not_at_midnight(found: Data) -> Data:
    """Moved to a day, and yet with a time of day."""
    moved = {"replacement_time": "2023-02-03T10:00:00Z", "replacement": SESSION | {"time_precision": "day"}}
    return found | moved


@changed("time_in_future")
def replacement_in_the_future(found: Data) -> Data:
    """Moved to the end of the century."""
    return found | {"replacement_time": "2099-01-01T10:00:00Z"}


@changed("target_not_yours")
def supersede_of_another(found: Data) -> Data:
    """A supersede of another partner's fact."""
    return found | {"target_source": "/partners/nobody-here/mis"}


def _withdrawal(reason: str) -> dict[str, Any]:
    return TARGET | {"replacement": {"reason": reason, "trigger": "trainee"}}


@data("code_not_in_list", fact="withdrew.superseded", base=_withdrawal("lost_interest"), table=FIELDS)
def replacement_reason_not_in_list(found: Data) -> Data:
    """A reason that there is not."""
    return found


@data("use_void", fact="withdrew.superseded", base=_withdrawal("started-in-error"), table=FIELDS)
def replacement_started_in_error(found: Data) -> Data:
    """A void in the guise of a supersede."""
    return found


@data("code_not_in_list", fact="withdrew.superseded", base=_withdrawal("content"), table=FIELDS)
def replacement_reason_before_list(found: Data) -> Data:
    """A reason on a new day, before the first list is valid."""
    return found | {"replacement_time": "2022-07-20T10:00:00Z"}
