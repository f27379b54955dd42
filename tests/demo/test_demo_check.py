"""The answer key fails when one record is dropped, one altered or two answers swapped, and says which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from senconet.demo.check import check_answers, check_figures, check_states, outcomes
from senconet.demonstration import model
from senconet.demonstration.model import Answer, Counts, Figures, State
from senconet.publisher import Receipt
from tests.support import agreement
from tests.support.histories import OURS, random_history, records_of
from tests.support.memory import System
from tests.support.telling import told

EVENTS = [
    told("registered"),
    told("withdrew", "2023-02-01"),
    told("withdrew", "2023-03-01", "again"),
    told("withdrew", "2023-02-01"),
    told("resumed", "2023-02-09"),
]
AT = datetime(2023, 2, 1, tzinfo=UTC)


def published(records: Sequence[tuple[str, model.Record]]) -> System:
    """The services after all of it."""
    services = agreement.system()
    for partner, record in records:
        services.publish(partner, record)
    services.settle()
    return services


def receipts(services: System) -> list[Receipt]:
    """What our partner reads back."""
    found = sorted(services.answers().items(), key=lambda item: item[0].offset)
    return [
        Receipt(f"{place}{body['outcome']}", place.offset, body["outcome"], body)
        for place, bodies in found
        for body in bodies
    ]


KEY = agreement.key_of(EVENTS).answers[OURS]
RECORDS = records_of(EVENTS)
RECEIPTS = receipts(published(RECORDS))


def test_what_was_published_whole_agrees_with_the_key() -> None:
    checked = check_answers(OURS, KEY, RECEIPTS)
    assert (checked.equal, checked.compared, checked.differences) == (len(EVENTS), len(EVENTS), ())


@pytest.mark.parametrize("dropped", range(len(EVENTS)))
def test_a_record_that_was_not_published_is_missed(dropped: int) -> None:
    left = [record for number, record in enumerate(RECORDS) if number != dropped]
    checked = check_answers(OURS, KEY, receipts(published(left)))
    assert f"{OURS} record {len(left)}: expected accepted, got no answer" in checked.differences


def test_a_record_that_was_altered_on_its_way_is_found() -> None:
    partner, record = RECORDS[1]
    altered = replace(record, value=(record.value or b"").replace(b'"trainee"', b'"weather"'))
    checked = check_answers(OURS, KEY, receipts(published([RECORDS[0], (partner, altered), *RECORDS[2:]])))
    assert checked.differences[0] == f"{OURS} record 1: expected accepted, got rejected schema_invalid"


def test_two_answers_that_were_swapped_are_both_found() -> None:
    first, second = RECEIPTS[1], RECEIPTS[2]
    swapped = [replace(first, offset=2), replace(second, offset=1), RECEIPTS[0], *RECEIPTS[3:]]
    checked = check_answers(OURS, KEY, swapped)
    assert checked.differences == (
        f"{OURS} record 1: expected accepted, got rejected already_in_state",
        f"{OURS} record 2: expected rejected already_in_state, got accepted",
    )


def test_a_receipt_that_is_lost_is_missed_and_one_delivered_again_is_not_counted() -> None:
    assert check_answers(OURS, KEY, RECEIPTS[1:]).differences == (f"{OURS} record 0: expected accepted, got no answer",)
    assert check_answers(OURS, KEY, [*RECEIPTS, *RECEIPTS]).differences == ()


def test_two_different_final_answers_to_one_record_are_found() -> None:
    second = Receipt("another", 0, "duplicate", {"errors": []})
    (difference,) = check_answers(OURS, KEY, [*RECEIPTS, second]).differences
    assert difference == f"{OURS} record 0: expected accepted, got accepted and duplicate"


def test_an_answer_to_no_record_of_the_key_is_found() -> None:
    surplus = replace(RECEIPTS[0], offset=99)
    checked = check_answers(OURS, KEY, [*RECEIPTS, surplus])
    assert checked.differences == (f"{OURS} record 99: answered but not in the key",)
    assert checked.compared == checked.equal + 1


def test_what_is_held_is_no_final_answer() -> None:
    held = Receipt("held", 9, "held", {"errors": []})
    assert outcomes([held, *RECEIPTS]) == {"accepted": 3, "rejected": 1, "duplicate": 1, "held": 1}
    assert outcomes([replace(held, offset=0), *RECEIPTS])["held"] == 0
    assert check_answers(OURS, [Answer("accepted", frozenset(), waits=True)], [replace(held, offset=0)]).differences


STATES = {(OURS, "r1"): State("withdrawn", AT), ("other", "r1"): State("registered", AT)}
VIEWS = {seen: {"state": state.state, "since": "2023-02-01T00:00:00Z"} for seen, state in STATES.items()}


@pytest.mark.parametrize(
    ("views", "difference"),
    [
        (
            {(OURS, "r1"): VIEWS[OURS, "r1"]},
            "other registration r1: expected registered since 2023-02-01T00:00:00Z, got nothing",
        ),
        (
            VIEWS | {("other", "r1"): VIEWS[OURS, "r1"]},
            "other registration r1: expected registered since 2023-02-01T00:00:00Z,"
            " got withdrawn since 2023-02-01T00:00:00Z",
        ),
        (VIEWS | {("third", "r1"): VIEWS[OURS, "r1"]}, "third registration r1: shown but not in the key"),
    ],
)
def test_a_view_that_differs_for_one_of_its_partners_is_found(views: dict[Any, Any], difference: str) -> None:
    assert check_states(STATES, VIEWS).differences == ()
    assert check_states(STATES, views).differences == (difference,)


COUNTS = Counts(registrations=2, in_training=1, withdrawn=1, settings=2, sessions_due_enrichment=3)
OF_PARTNER = Counts(registrations=2, days_median=0.5, mentored=0, mentors=0)
FIGURES = Figures({"national": {"total": COUNTS}, "partner": {OURS: OF_PARTNER}}, {"personal": 1}, {"contract_2022": 2})
DAY = date(2023, 2, 28)


def cells(counts: Counts) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in counts.__dataclass_fields__}


def document(**changes: float | None) -> dict[str, Any]:
    """The same figures as the server gives them, with more measures than the key has."""
    return {
        "rows": [
            {"cut": "national", "code": "total", "withdrawn_flagged": 1, **cells(COUNTS)},
            {"cut": "partner", "code": OURS, **cells(OF_PARTNER), **changes},
        ],
        "withdrawal_reasons": [{"reason_group": "personal", "withdrawn": 1}],
        "places": [
            {"allocation": "contract_2022", "registrations": 2},
            {"allocation": "places_2025", "registrations": 0},
        ],
    }


@pytest.mark.parametrize("measure", Counts.__dataclass_fields__)
def test_a_cell_of_the_figures_that_differs_is_found(measure: str) -> None:
    assert check_figures(DAY, FIGURES, document()).differences == ()
    found = check_figures(DAY, FIGURES, document(**{measure: 7}))
    expected = getattr(OF_PARTNER, measure) or 0
    assert found.differences == (f"2023-02-28 partner {OURS} {measure}: expected {expected}, got 7",)
    assert found.compared == found.equal + 1


def test_a_row_too_many_and_a_reason_or_an_allocation_too_few_are_found() -> None:
    more = document()
    more["rows"].append({**more["rows"][1], "code": "another"})
    assert len(check_figures(DAY, FIGURES, more).differences) == 2  # a cell of nothing is no difference
    assert check_figures(DAY, FIGURES, document() | {"withdrawal_reasons": []}).differences == (
        "2023-02-28 reason personal withdrawn: expected 1, got 0",
    )
    assert check_figures(DAY, FIGURES, document() | {"places": []}).differences == (
        "2023-02-28 allocation contract_2022 registrations: expected 2, got 0",
    )


def test_random_traffic_agrees_partner_by_partner() -> None:
    events = random_history(7)
    services = published(records_of(events))
    for partner, key in agreement.key_of(events).answers.items():
        own = [r for r in receipts(services) if r.body["position"]["topic"] == f"partners.{partner}.events"]
        assert check_answers(partner, key, own).differences == ()
