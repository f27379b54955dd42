"""What stands, where the newest status is another than the one that a record was judged by."""

from __future__ import annotations

import pytest

from senconet.demonstration.wire import Event
from tests.support import agreement, mutants, quiet
from tests.support.histories import records_of
from tests.support.memory import NOW, System
from tests.support.owning import completed, decided, submitted
from tests.support.telling import told

LATE_DEFERRAL = told("deferred", "2023-03-01")
COMPLETION_THAT_WAITS = (
    *(told("registered"), submitted(1, "2023-01-20"), submitted(1, "2023-01-21", "unit-2"), decided(1, "2023-01-25")),
    *(completed("2023-04-03"), LATE_DEFERRAL, decided(1, "2023-01-26", unit="unit-2")),
)
"""Its last decision comes when a deferral dated before it has been told: it is accepted, and does not stand."""


def run(*events: Event) -> System:
    """The services after events that were told one after another."""
    services = agreement.system()
    for partner, record in records_of(events):
        services.publish(partner, record, NOW)
    services.settle()
    return services


def notices_of_the_completion() -> list[str]:
    """What its sender is told of it, before and after the deferral is voided."""
    void = told("deferred.voided", "2024-01-05T10:00", target_id="deferred", cause="entered_in_error")
    services = run(*COMPLETION_THAT_WAITS, void)
    return [name for name, _, (_, id_) in quiet.notices(services) if id_ == "completed"]


def test_a_completion_accepted_by_the_status_of_its_record_is_set_aside_by_the_newest_and_restored_with_it() -> None:
    assert agreement.told(COMPLETION_THAT_WAITS).answers[4] == ("accepted", frozenset())
    assert notices_of_the_completion() == ["fact_set_aside", "fact_restored"]


def test_a_service_that_shows_what_stands_by_the_attached_status_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants.attached_status_instead_of_the_newest_one(monkeypatch)
    assert notices_of_the_completion() != ["fact_set_aside", "fact_restored"]


def test_a_late_deferral_takes_the_decision_along_with_its_submission() -> None:
    deferred, submission = told("deferred", "2023-01-10"), submitted(1, "2023-01-20")
    services = run(told("registered"), submission, decided(1, "2023-01-25"), deferred)
    assert sorted(id_ for _, _, (_, id_) in quiet.notices(services)) == ["d1-unit-1", "s1-unit-1"]
    assert agreement.told([told("registered"), deferred, decided(1, "2023-01-25")]).answers[-1][0] == "rejected"
