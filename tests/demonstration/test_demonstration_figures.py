"""The published figures that the calibrated data set meets (figures.md a1, a4)."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime

from senconet.demonstration.calibration import REASONS, REGIONS, TYPES
from senconet.demonstration.model import AS_AT, Counts, Dataset, Key
from senconet.demonstration.reference import COHORTS, PARTNERS, authorities
from senconet.demonstration.rows import rows

Made = tuple[Dataset, Key]
END, JUNE, MARCH, FEBRUARY = date(2024, 11, 30), date(2024, 6, 30), date(2024, 3, 31), date(2023, 2, 28)


def _cut(made: Made, day: date, cut: str) -> dict[str, Counts]:
    return dict(made[1].figures[day].cuts[cut])


def test_national_totals(full: Made) -> None:
    total = _cut(full, END, "national")["total"]
    assert total == Counts(7064, 0, 0, 1554, 5510, 6779)
    assert _cut(full, MARCH, "national")["total"].registrations == 7064


def test_states_are_those_of_the_figures(full: Made) -> None:
    states = Counter(state.state for state in full[1].states.values())
    assert states["withdrawn"] == 1554
    assert states["completed"] == 5510
    assert 60 <= states["voided"] <= 95
    assert sum(states.values()) == len(full[1].states)


def test_margins(full: Made) -> None:
    names = {a.region: a.region_code for a in authorities()}
    regions = {names[region]: count for region, count in REGIONS}
    cuts = {
        "region": regions,
        "provider_type": dict(TYPES),
        "cohort": {plan.code: plan.registrations for plan in COHORTS},
        "partner": {partner.code: size for partner, size in PARTNERS},
    }
    for cut, expected in cuts.items():
        assert {key: found.registrations for key, found in _cut(full, END, cut).items()} == expected, cut


def test_every_cut_adds_up(full: Made) -> None:
    for day in AS_AT:
        total = _cut(full, day, "national")["total"]
        for cut, found in full[1].figures[day].cuts.items():
            for part in ("registrations", "in_training", "deferred", "withdrawn", "completed"):
                assert sum(getattr(counts, part) for counts in found.values()) == getattr(total, part), cut
            for counts in found.values():
                five = counts.in_training + counts.deferred + counts.withdrawn + counts.completed
                assert counts.registrations == five
        assert sum(full[1].figures[day].reasons.values()) == total.withdrawn


def test_reasons_by_group(full: Made) -> None:
    reasons = full[1].figures[END].reasons
    assert reasons == {
        "capacity_or_time": 518,
        "personal": 295,
        "programme": 140,
        "setting": 513,
        "unknown": 88,
    }
    assert sum(count for _, count in REASONS) == 1554


def test_pinned_cells_of_june_2024(full: Made) -> None:
    places = _cut(full, JUNE, "local_authority")
    barking, barnet = places["E09000002"], places["E09000003"]
    assert (barking.registrations, barking.settings, barking.completed) == (14, 13, 3)
    assert (barnet.registrations, barnet.settings, barnet.completed) == (35, 34, 13)


def test_first_and_last_dates(full: Made) -> None:
    done = [state.since for state in full[1].states.values() if state.state == "completed"]
    assert datetime(2023, 2, 1, tzinfo=UTC) <= min(done) < datetime(2023, 2, 2, tzinfo=UTC)
    assert max(done) < datetime(2024, 12, 1, tzinfo=UTC)
    last = max(
        row.header("ce_time")[:10]
        for row in rows(*full)
        if row.answer.outcome == "accepted" and row.header("ce_type").endswith("trainee.registered.v1")
    )
    assert last <= "2024-03-31"


def test_shares_of_the_special(full: Made) -> None:
    found = Counter((row.header("ce_type").split(".", 2)[-1], row.answer.outcome) for row in rows(*full))
    assert 0.02 <= found["trainee.deferred.v1", "accepted"] / 7064 <= 0.04
    assert 0.004 <= found["trainee.withdrew.voided.v1", "accepted"] / 7064 <= 0.006
    assert 0.008 <= found["trainee.registered.voided.v1", "accepted"] / 7064 <= 0.013


def test_before_the_start(full: Made) -> None:
    """343 withdrew before their cohort's start."""
    starts = {plan.code: plan.starts for plan in COHORTS}
    cohorts: dict[str, str] = {}
    for row in rows(*full):
        registered = row.header("ce_type").endswith("trainee.registered.v1")
        if registered and row.answer.outcome == "accepted" and row.record.value is not None:
            cohorts[row.header("ce_subject")] = json.loads(row.record.value)["cohort_code"]
    left = [(key, state) for key, state in full[1].states.items() if state.state == "withdrawn"]
    assert sum(1 for key, state in left if state.since.date() < starts[cohorts[key]]) == 343


def test_old_codes_and_unknown_places(full: Made) -> None:
    early, late = _cut(full, FEBRUARY, "local_authority"), _cut(full, END, "local_authority")
    assert "E10000023" in early
    assert "E06000065" not in early
    assert late["E06000065"].registrations > 30
    assert 1 <= _cut(full, MARCH, "local_authority")["x"].registrations <= 12
    assert _cut(full, MARCH, "region")["x"] == _cut(full, MARCH, "local_authority")["x"]
    assert "x" not in late


def test_figures_grow_with_the_date(small: Made) -> None:
    totals = [_cut(small, day, "national")["total"] for day in AS_AT]
    assert [total.registrations for total in totals] == sorted(total.registrations for total in totals)
    assert [total.completed for total in totals] == sorted(total.completed for total in totals)
    assert totals[-1].registrations == 353
