"""Bad records of stage 2: contract, code lists, sender, future."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from senconet.demonstration.bad import Bad, Pools, Table, kind, spoiled
from senconet.demonstration.model import Record
from senconet.demonstration.wire import Item, header, wire

CONTRACT: Table = {}
Data: TypeAlias = dict[str, Any]
SCHEMA = "schema_invalid"
WITHDREW = {"reason": "workload_too_high", "trigger": "trainee"}
VOIDED = {"target_id": "ev:1", "cause": "entered_in_error"}


def _type(record: Record, name: str) -> Record:
    return header(record, "ce_type", name.encode())


@spoiled(CONTRACT, "type_unknown")
def type_invented(record: Record) -> Record:
    """A fact that there is not."""
    return _type(record, "uk.eysenco.trainee.graduated.v1")


@spoiled(CONTRACT, "type_unknown")
def type_next_version(record: Record) -> Record:
    """A version that there is not."""
    return _type(record, "uk.eysenco.trainee.registered.v2")


@spoiled(CONTRACT, "type_unknown")
def type_without_prefix(record: Record) -> Record:
    """The short name."""
    return _type(record, "trainee.registered.v1")


@spoiled(CONTRACT, "type_unknown")
def type_of_transfer_voided(record: Record) -> Record:
    """A correction of a transfer, which can only be cancelled."""
    return _type(record, "uk.eysenco.transfer.offered.voided.v1")


@spoiled(CONTRACT, "type_unknown")
def type_of_transfer_superseded(record: Record) -> Record:
    """Another."""
    return _type(record, "uk.eysenco.transfer.accepted.superseded.v1")


@spoiled(CONTRACT, "type_unknown")
def type_survey(record: Record) -> Record:
    """A fact that is not there yet."""
    return _type(record, "uk.eysenco.survey.answered.v1")


@spoiled(CONTRACT, "type_unknown")
def type_award(record: Record) -> Record:
    """Another."""
    return _type(record, "uk.eysenco.award.recorded.v1")


@spoiled(CONTRACT, "source_not_yours")
def source_of_another(record: Record) -> Record:
    """A source under another partner."""
    return header(record, "ce_source", b"/partners/nobody-here/mis")


@spoiled(CONTRACT, "source_not_yours", "type_unknown")
def source_of_another_and_type_invented(record: Record) -> Record:
    """Two errors of one stage."""
    return _type(source_of_another(record), "uk.eysenco.trainee.graduated.v1")


def data(
    *codes: str, fact: str = "registered", base: Data | None = None, table: Table = CONTRACT
) -> Callable[..., Any]:
    """Enters a kind that changes the data of a registration, or of a fact about an unknown one."""

    def enter(change: Callable[[Data], Data]) -> Callable[[Data], Data]:
        def make(pools: Pools, name: str) -> Item:
            event = pools.fresh() if base is None else pools.stray(fact, base)
            record = replace(wire(event), value=json.dumps(change(dict(event.data))).encode())
            return pools.put(name, event, record=record)

        table[change.__name__] = Bad(frozenset(codes), make)
        return change

    return enter


@data(SCHEMA)
def field_absent(found: Data) -> Data:
    """No cohort."""
    del found["cohort_code"]
    return found


@data(SCHEMA)
def data_empty(found: Data) -> Data:
    """No field at all."""
    return {}


@data(SCHEMA)
def role_not_in_enum(found: Data) -> Data:
    """A role that there is not."""
    return found | {"role": "manager"}


@data(SCHEMA)
def allocation_not_in_enum(found: Data) -> Data:
    """An allocation that there is not."""
    return found | {"places_allocation": "contract_2021"}


@data(SCHEMA)
def boolean_as_text(found: Data) -> Data:
    """Yes instead of true."""
    return found | {"level3_full_relevant": "yes"}


@data(SCHEMA)
def trainee_id_upper_case(found: Data) -> Data:
    """A UUID in capitals."""
    return found | {"trainee_id": "0B4E5C1A-8F77-4D43-9A35-9F0E5B6C7D8E"}


@data(SCHEMA)
def reference_a_name(found: Data) -> Data:
    """A reference with a space, which may be a name."""
    return found | {"partner_ref": "Jo Example"}


@data(SCHEMA)
def reference_an_address(found: Data) -> Data:
    """A reference that is an e-mail address."""
    return found | {"partner_ref": "jo@example.org"}


@data(SCHEMA)
def reference_too_long(found: Data) -> Data:
    """A reference of 80 characters."""
    return found | {"partner_ref": "R" * 80}


@data(SCHEMA)
def reference_a_number(found: Data) -> Data:
    """A reference that is no text."""
    return found | {"partner_ref": 4711}


@data(SCHEMA)
def hours_beyond_forty(found: Data) -> Data:
    """More protected time than a week has."""
    return found | {"capacity": _capacity(60)}


@data(SCHEMA)
def hours_as_text(found: Data) -> Data:
    """A number in quotes."""
    return found | {"capacity": _capacity("2")}


def _capacity(hours: Any) -> Data:
    return {
        "protected_time_hours_per_week": hours,
        "training_in_working_hours": True,
        "cover_available": False,
    }


@data(SCHEMA)
def prior_training_unknown(found: Data) -> Data:
    """A training that there is not."""
    return found | {"prior_training": ["first_aid"]}


@data(SCHEMA)
def precision_not_in_enum(found: Data) -> Data:
    """A precision that there is not."""
    return found | {"time_precision": "month"}


@data(SCHEMA)
def day_not_at_midnight(found: Data) -> Data:
    """Known to the day, and yet with a time of day."""
    return found | {"time_precision": "day"}


@data(SCHEMA, fact="withdrew", base=WITHDREW)
def trigger_not_in_enum(found: Data) -> Data:
    """A trigger that there is not."""
    return found | {"trigger": "weather"}


@data(SCHEMA, fact="withdrew", base=WITHDREW)
def date_impossible(found: Data) -> Data:
    """The 13th month."""
    return found | {"last_engaged_on": "2023-13-01"}


@data(SCHEMA, fact="withdrew.voided", base=VOIDED)
def target_absent(found: Data) -> Data:
    """A void of nothing."""
    del found["target_id"]
    return found


@data(SCHEMA, fact="completed.voided", base=VOIDED)
def cause_not_in_enum(found: Data) -> Data:
    """A cause that there is not."""
    return found | {"cause": "changed_mind"}


@data("field_unknown")
def free_text(found: Data) -> Data:
    """A note, which may say anything of a person."""
    return found | {"note": "prefers mornings"}


@data("field_unknown")
def field_unknown_inside(found: Data) -> Data:
    """A field too many in an inner object."""
    return found | {"capacity": _capacity(2) | {"comment": "none"}}


@data("field_unknown", fact="completed", base={})
def grade_on_completion(found: Data) -> Data:
    """A completion with an outcome: completed is not passed."""
    return found | {"outcome": "passed"}


@data(SCHEMA, "field_unknown")
def misspelled_field(found: Data) -> Data:
    """One field absent, one unknown: two errors of one stage."""
    found["cohort"] = found.pop("cohort_code")
    return found


@data("code_not_in_list", fact="withdrew", base=WITHDREW)
def reason_not_in_list(found: Data) -> Data:
    """A reason that there is not."""
    return found | {"reason": "lost_interest"}


@data("code_not_in_list", fact="deferred", base={"reason": "parental_leave"})
def reason_of_another_list(found: Data) -> Data:
    """A reason for withdrawal, given for a deferral."""
    return found | {"reason": "workload_too_high"}


@data("code_not_in_list", SCHEMA, fact="withdrew", base=WITHDREW)
def reason_not_in_list_and_trigger(found: Data) -> Data:
    """Two errors of one stage."""
    return {"reason": "lost_interest", "trigger": "weather"}


@data("use_void", fact="withdrew", base=WITHDREW)
def started_in_error(found: Data) -> Data:
    """A withdrawal that should be a void."""
    return found | {"reason": "started-in-error"}


@data("use_transfer", fact="withdrew", base=WITHDREW)
def changed_lead_provider(found: Data) -> Data:
    """A withdrawal that should be a transfer."""
    return found | {"reason": "changed-lead-provider"}


@data("target_not_yours", fact="withdrew.voided", base=VOIDED)
def target_of_another(found: Data) -> Data:
    """A void of another partner's fact."""
    return found | {"target_source": "/partners/nobody-here/mis"}


@kind(CONTRACT, "code_not_in_list")
def reason_before_list(pools: Pools, name: str) -> None:
    """A reason on a day before the first list is valid."""
    base = pools.stray("withdrew", WITHDREW)
    pools.put(name, base.again(name, time=datetime(2022, 7, 20, 10, tzinfo=UTC)))


@kind(CONTRACT, "time_in_future")
def in_the_future(pools: Pools, name: str) -> None:
    """A registration at the end of the century."""
    pools.put(name, pools.fresh().again(name, time=datetime(2099, 1, 1, tzinfo=UTC)))


@kind(CONTRACT, "time_in_future", "source_not_yours")
def in_the_future_from_another(pools: Pools, name: str) -> None:
    """Two errors of one stage."""
    event = pools.fresh().again(name, time=datetime(2099, 1, 1, tzinfo=UTC))
    pools.put(name, event, record=source_of_another(wire(event)))
