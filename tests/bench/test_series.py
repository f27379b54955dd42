"""A series is the demonstration's mix under one sender, with ids of its own."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.series import PARTNER, rekeyed, series, shared_out, with_partners
from senconet.demonstration import dataset
from senconet.demonstration.model import Dataset, Record
from senconet.publisher import Outgoing

TRAINEE, OTHER = "0a000000-0000-4000-8000-000000000001", "0b000000-0000-4000-8000-000000000002"
RECORD = Record(
    TRAINEE.encode(),
    f'{{"trainee_id": "{OTHER}", "partner_ref": "EMB-1", "target_source": "/partners/tarnwick/mis"}}'.encode(),
    (("ce_source", b"/partners/emberfold/mis"), ("ce_subject", TRAINEE.encode()), ("ce_odd", None)),
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    """The least demonstration there is."""
    return with_partners(dataset.build(scale=0.04))


def types(records: list[Outgoing]) -> Counter[bytes]:
    return Counter(dict(record.headers).get("ce_type") or b"" for record in records)


def test_a_record_is_sent_by_the_benchmarks_partner_under_ids_of_its_copy() -> None:
    one, other = rekeyed(RECORD, 1), rekeyed(RECORD, 2)
    headers = dict(one.headers)
    assert headers["ce_source"] == b"/partners/benchmark/1.emberfold.mis"
    assert one.key == headers["ce_subject"] != RECORD.key
    assert headers["ce_odd"] is None
    assert one.value is not None
    assert b"/partners/benchmark/1.tarnwick.mis" in one.value
    assert b'"1.EMB-1"' in one.value
    assert OTHER.encode() not in one.value
    assert one.key != other.key


def test_a_series_has_as_many_records_as_asked_for_in_the_mix_of_the_data(data: Dataset) -> None:
    size = sum(len(records) for phase in data.phases for records in phase.values())
    given = Counter(dict(r.headers).get("ce_type") or b"" for phase in data.phases for rs in phase.values() for r in rs)
    long, short = series(data, 2 * size, salt=1), series(data, 1500, salt=1)
    assert (len(long), len(short)) == (2 * size, 1500)
    assert types(long) == Counter({name: 2 * count for name, count in given.items()})
    session = b"uk.eysenco.session.attended.v1"
    assert types(short)[session] / 1500 == pytest.approx(given[session] / size, abs=0.03)


def test_no_trainee_of_one_series_is_in_another_or_in_the_demonstration(data: Dataset) -> None:
    sent = {record.key for phase in data.phases for records in phase.values() for record in records}
    one, other = ({r.key for r in series(data, 1000, salt=salt) if r.key and len(r.key) == 36} for salt in (1, 2))
    assert one
    assert not one & other
    assert not (one | other) & sent


def test_a_trainees_records_keep_their_order(data: Dataset) -> None:
    partner, given = max(data.phases[0].items(), key=lambda item: len(item[1]))
    size = sum(len(records) for phase in data.phases for records in phase.values())
    again = [rekeyed(record, 1000 + 1) for record in given]
    sent = series(data, size, salt=1)
    busiest, _ = Counter(record.key for record in again).most_common(1)[0]
    expected = [record for record in again if record.key == busiest]
    assert [record for record in sent if record.key == busiest][: len(expected)] == expected, partner


def test_several_partners_send_whole_lives_each_as_its_own(data: Dataset) -> None:
    sent, codes = series(data, 1000, salt=1), ["one", "other"]
    shares = shared_out(sent, codes)
    assert sum(map(len, shares.values())) == len(sent)
    assert not {r.key for r in shares["one"]} & {r.key for r in shares["other"]}
    for code, records in shares.items():
        assert len(records) > len(sent) / 4
        assert [r.key for r in records] == [r.key for r in sent if r.key in {r.key for r in records}]
        told = b"".join((r.value or b"") + b"".join(value or b"" for _, value in r.headers) for r in records)
        assert f"/partners/{code}/".encode() in told
        assert f"/partners/{PARTNER}/".encode() not in told


def test_the_partner_has_a_partnership_for_every_cohort(data: Dataset) -> None:
    cohorts = {cohort["cohort_code"] for cohort in data.reference.cohorts}
    assert cohorts == {each["cohort_code"] for each in data.reference.partnerships if each["partner_code"] == PARTNER}
