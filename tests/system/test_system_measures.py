"""Every metric, and every column of `senconet status`, moves when that happens which it stands for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from senconet.status import PartnerStatus, ServiceStatus, partner_status, service_status
from shared import relay, topics
from shared.metrics import Metrics
from tests.system import sabotage
from tests.system.events import Trainee
from tests.system.support import Partner, Stage, until

PROVOKED_ELSEWHERE = {
    "senconet_paused_partitions": "test_system_engines.py",
    "senconet_hold_overdue_seconds": "tests/shared/test_watch.py",
}
seen: set[str] = set()


def measured(stage: Stage, name: str, service: str = "enrolment", **labels: str) -> float:
    """The sum of a metric's samples with these labels; noted as seen to move once it is not nought."""
    samples = [
        sample.value
        for family in text_string_to_metric_families(stage.metrics(service))
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    total = sum(samples)
    if total:
        seen.add(name)
    return total


def status(stage: Stage, service: str = "enrolment") -> ServiceStatus:
    return service_status(service, stage.local.services[service].url)


def today(stage: Stage, partner: Partner) -> PartnerStatus:
    """The partner's line of `status`."""
    postgres = stage.local.engines.postgres
    journals = {service: postgres.connect(service) for service in topics.DECIDING_SERVICES}
    try:
        return next(line for line in partner_status((partner.code,), journals) if line.code == partner.code)
    finally:
        for journal in journals.values():
            journal.close()


@pytest.fixture
async def partner(stage: Stage) -> Partner:
    return await stage.partner("measured")


async def test_answers_are_counted_by_outcome_and_code(stage: Stage, partner: Partner):
    assert today(stage, partner).last_received is None
    trainee = Trainee(partner.code)
    registered = trainee.registered()
    await partner.send(registered, trainee.withdrew(), trainee.deferred(), trainee.completed(), registered)
    await stage.all_answered(partner)
    await until(lambda: measured(stage, "senconet_received_total", topic=partner.topic) == 5, "records received")
    decided = {"type": "trainee.registered"}
    assert measured(stage, "senconet_decided_total", outcome="accepted", **decided)
    assert measured(stage, "senconet_decided_total", outcome="duplicate", **decided)
    assert measured(stage, "senconet_rejected_total", code="after_withdrawal")
    await until(lambda: measured(stage, "senconet_published_total"), "messages published")
    assert measured(stage, "senconet_batch_seconds_count")
    line = today(stage, partner)
    assert line.last_received is not None
    last = line.last_received.timestamp()
    latest = "senconet_last_received_timestamp_seconds"
    await until(lambda: measured(stage, latest, partner=partner.code) == last, "the time of the last record")
    assert (line.answered, line.rejected) == (5, 1)


async def test_what_waits_and_what_failed_is_counted_while_it_lasts(stage: Stage, partner: Partner):
    waiting, struck = Trainee(partner.code), Trainee(partner.code)
    await stage.serve_async("enrolment", module="tests.system.sabotage")
    await partner.send(waiting.withdrew(), struck.registered(id=f"{sabotage.RAISES}-m"), struck.withdrew())
    await until(lambda: measured(stage, "senconet_held") == 1, "a record that waits")
    await until(lambda: measured(stage, "senconet_quarantined") == 2, "records in quarantine")
    assert (status(stage).held, status(stage).quarantined) == (1, 2)
    await stage.serve_async("enrolment")
    stage.retry_quarantine()
    await stage.all_answered(partner)
    await until(lambda: (status(stage).held, status(stage).quarantined) == (0, 0), "nothing waits any more")


async def test_a_table_that_is_locked_shows_as_time_behind_and_as_batches_given_back(stage: Stage, partner: Partner):
    with stage.local.engines.postgres.connect("enrolment") as blocking, blocking.transaction():
        blocking.execute("LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE")
        await partner.send(Trainee(partner.code).registered())
        await until(lambda: measured(stage, "senconet_behind_seconds", topic=partner.topic) > 1, "time behind")
        assert (status(stage).behind or 0) > 1
        await until(lambda: measured(stage, "senconet_batch_failures_total"), "a batch given back")
    await stage.all_answered(partner)
    await until(lambda: status(stage).behind == 0, "nothing behind")


async def test_regular_work_that_fails_is_counted_by_its_step(stage: Stage):
    with stage.local.engines.postgres.connect("enrolment") as blocking, blocking.transaction():
        blocking.execute("LOCK TABLE holds IN ACCESS EXCLUSIVE MODE")
        failed = "senconet_sweep_failures_total"
        await until(lambda: measured(stage, failed, step="show_waiting"), "a step that failed")


async def test_a_relay_that_cannot_send_shows_as_an_outbox_that_ages(stage: Stage, partner: Partner):
    stage.rest("enrolment")
    with stage.local.engines.postgres.connect("enrolment") as other_relay:
        other_relay.execute("SELECT pg_advisory_lock(%s)", [relay.LOCK])
        await stage.serve_async("enrolment")
        await partner.send(Trainee(partner.code).registered())
        await until(lambda: (status(stage).outbox_oldest or 0) > 1, "an answer that does not go out")
        assert measured(stage, "senconet_outbox_oldest_seconds") > 1
    await until(lambda: status(stage).outbox_oldest == 0, "the answer out")


async def test_reporting_tells_that_its_figures_agree(stage: Stage):
    told = 'senconet_figures_identity_difference{identity="states"} 0.0'
    await until(lambda: told in stage.metrics("reporting"), "the identity of the figures")


def test_a_service_that_does_not_run_is_not_ready(stage: Stage):
    assert status(stage).ready
    stage.rest("enrolment")
    assert not status(stage).ready


def names_of_metrics() -> Iterator[str]:
    """All that a service tells, as samples are named."""
    for family in Metrics().registry.collect():
        suffix = {"counter": "_total", "histogram": "_count"}.get(family.type, "")
        yield family.name + suffix


def test_no_metric_was_left_out():
    assert set(names_of_metrics()) - seen == PROVOKED_ELSEWHERE.keys()
