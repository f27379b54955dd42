"""The plan meets the published figures (figures.md a1, a4), and the key's figures are those of the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, date, datetime

import pytest

from senconet.demonstration.calibration import REASONS, REGIONS, TYPES, Person
from senconet.demonstration.judge_contract import TYPES as WIRE_TYPES
from senconet.demonstration.model import AS_AT, Counts, Dataset, Key, State
from senconet.demonstration.reference import ACTIVITIES, COHORTS, PARTNERS, authorities
from senconet.demonstration.rows import Row, rows
from senconet.demonstration.wire import LONDON

Made = tuple[Dataset, Key]
END, JUNE, MARCH, FEBRUARY = date(2024, 11, 30), date(2024, 6, 30), date(2024, 3, 31), date(2023, 2, 28)
NOT_ADDED = {"settings", "days_median", "mentored", "mentors"}  # distinct, or by partner only
ADDED = [field.name for field in fields(Counts) if field.name not in NOT_ADDED]
STAGES = ("before_start", "month_1", "month_2", "month_3", "month_4_on")


def _cut(made: Made, day: date, cut: str) -> dict[str, Counts]:
    return dict(made[1].figures[day].cuts[cut])


def _total(made: Made, day: date = END) -> Counts:
    return _cut(made, day, "national")["total"]


def _region(person: Person) -> str:
    assert person.authority is not None
    return person.authority.region_code


KEYS: dict[str, Callable[[Person], str]] = {
    "region": _region,
    "provider_type": lambda person: person.provider_type,
    "cohort": lambda person: COHORTS[person.cohort].code,
    "partner": lambda person: person.partner,
}


def test_the_plan_has_the_published_margins(all_planned: list[Person]) -> None:
    names = {a.region: a.region_code for a in authorities()}
    margins = {
        "region": {names[region]: count for region, count in REGIONS},
        "provider_type": dict(TYPES),
        "cohort": {plan.code: plan.registrations for plan in COHORTS},
        "partner": {partner.code: size for partner, size in PARTNERS},
    }
    assert {cut: Counter(map(key, all_planned)) for cut, key in KEYS.items()} == margins


def test_the_plan_has_the_published_totals(all_planned: list[Person]) -> None:
    left = [person for person in all_planned if not person.completes]
    assert (len(all_planned), len(left)) == (7064, 1554)
    assert len({person.setting for person in all_planned}) == 6779
    assert sum(person.ended < person.starts for person in left) == 343
    assert sum(not person.passes for person in all_planned) == 72
    assert sum(count for _, count in REASONS) == 1554
    assert all(sum(person.reason in codes for person in left) == count for codes, count in REASONS)


def test_the_plan_has_the_pinned_cells_of_june_2024(all_planned: list[Person]) -> None:
    cells = {}
    for code in ("E09000002", "E09000003"):
        inside = [person for person in all_planned if person.authority is not None and person.authority.code == code]
        done = sum(person.completes and person.ended <= JUNE for person in inside)
        cells[code] = (len(inside), len({person.setting for person in inside}), done)
    assert cells == {"E09000002": (14, 13, 3), "E09000003": (35, 34, 13)}


def test_the_plan_has_the_published_dates(all_planned: list[Person]) -> None:
    done = [person.ended for person in all_planned if person.completes]
    assert min(done) == date(2023, 2, 1)
    assert max(done) <= date(2024, 11, 30)
    assert max(person.registered for person in all_planned) <= MARCH


def test_the_key_counts_what_was_planned(larger: Made, planned: list[Person]) -> None:
    for cut, key in KEYS.items():
        found = {name: cell.registrations for name, cell in _cut(larger, END, cut).items() if cell.registrations}
        assert found == Counter(map(key, planned)), cut
    total, left = _total(larger), [person for person in planned if not person.completes]
    assert (total.not_started, total.in_training, total.deferred) == (0, 0, 0)
    assert (total.withdrawn, total.completed) == (len(left), len(planned) - len(left))
    assert total.settings == len({person.setting for person in planned})
    before = sum(person.ended < person.starts for person in left)
    assert (total.withdrawn_before_start, total.starts) == (before, len(planned) - before)
    assert (total.with_outcome, total.passed) == (
        total.completed,
        sum(person.passes and person.completes for person in planned),
    )


def test_the_key_counts_as_planned_on_every_date(larger: Made, planned: list[Person]) -> None:
    for day in AS_AT:
        total = _total(larger, day)
        assert total.completed == sum(person.completes and person.ended <= day for person in planned), day


def test_states_are_those_of_the_figures(larger: Made) -> None:
    states = Counter(state.state for state in _present(larger[1]).values())
    total = _total(larger)
    assert (states["withdrawn"], states["completed"]) == (total.withdrawn, total.completed)
    assert set(states) == {"withdrawn", "completed", "voided"}


def _present(key: Key) -> dict[str, State]:
    """By registration the latest of the states that its partners see: of a transferred one the gaining partner's."""
    found: dict[str, State] = {}
    for (_, subject), state in sorted(key.states.items(), key=lambda item: item[1].since):
        found[subject] = state
    return found


def test_a_partner_that_lost_a_trainee_sees_it_as_it_was(larger: Made) -> None:
    seen = Counter(subject for _, subject in larger[1].states)
    moved = {subject for subject, views in seen.items() if views == 2}
    assert len(moved) > 5
    assert max(seen.values()) == 2
    before = Counter(state.state for (_, subject), state in larger[1].states.items() if subject in moved)
    assert before["completed"] == len(moved)
    assert set(before) == {"registered", "deferred", "withdrawn", "completed"}


def test_every_cut_adds_up(larger: Made) -> None:
    for day in AS_AT:
        total, figures = _total(larger, day), larger[1].figures[day]
        for cut, found in figures.cuts.items():
            for part in ADDED:
                assert sum(getattr(counts, part) for counts in found.values()) == getattr(total, part), (cut, part)
            for counts in found.values():
                five = counts.not_started + counts.in_training + counts.deferred + counts.withdrawn + counts.completed
                assert counts.registrations == five
                assert counts.withdrawn == sum(getattr(counts, f"withdrawn_{stage}") for stage in STAGES)
        assert sum(figures.reasons.values()) == total.withdrawn
        assert sum(figures.allocations.values()) == total.registrations


def test_what_a_partner_lost_and_gained_explains_its_registrations(larger: Made) -> None:
    """Registrations where they were made, and those moved in less those moved out, are the five states."""
    made = [row for row in rows(*larger) if _accepted(row, "registered")]
    for day in AS_AT:
        end = day.isoformat() + "T23:59:59.999999"
        begun = Counter(row.partner for row in made if _begins(larger, row) <= end)
        for partner, counts in _cut(larger, day, "partner").items():
            assert counts.registrations == begun[partner] + counts.moved_in - counts.moved_out, (day, partner)


def _accepted(row: Row, name: str) -> bool:
    return row.answer.outcome == "accepted" and WIRE_TYPES.get(row.header("ce_type")) == name


def _begins(made: Made, row: Row) -> str:
    """When a registration was made, in London; after all days if it was voided."""
    state = made[1].states[row.partner, row.header("ce_subject")].state
    return "9" if state == "voided" else datetime.fromisoformat(row.header("ce_time")).astimezone(LONDON).isoformat()


def test_mentors_are_counted_by_partner_only(larger: Made) -> None:
    for day in AS_AT[:-1]:
        assert _total(larger, day).mentored is None
        cells = _cut(larger, day, "partner")
        assert all(0 <= (cell.mentors or 0) <= (cell.mentored or 0) <= cell.registrations for cell in cells.values())
        assert sum(cell.mentored or 0 for cell in cells.values()) > 10


def test_what_is_set_aside_is_not_counted(larger: Made) -> None:
    accepted = Counter(
        name
        for name in ("session.attended", "session.attended.voided")
        for row in rows(*larger)
        if _accepted(row, name)
    )
    due = sum(getattr(_total(larger), f"sessions_due_{activity}") for activity in ACTIVITIES)
    assert accepted["session.attended"] - accepted["session.attended.voided"] - due > 5


def test_time_to_complete(larger: Made) -> None:
    total = _total(larger)
    assert total.days_counted == total.completed
    assert 0.32 <= total.completed_within_4 / total.registrations <= 0.38
    assert 0.63 <= total.completed_within_6 / total.registrations <= 0.69
    assert total.days_median == pytest.approx(130, abs=10)


def test_shares_of_the_special(larger: Made) -> None:
    registered = _total(larger).registrations
    found = [row for row in rows(*larger) if row.answer.outcome == "accepted"]
    count = Counter(WIRE_TYPES[row.header("ce_type")] for row in found)
    assert 0.02 <= count["deferred"] / registered <= 0.045
    assert 0.004 <= count["withdrew.voided"] / registered <= 0.012
    assert 0.008 <= count["registered.voided"] / registered <= 0.03
    assert 0.008 <= count["transfer.offered"] / registered <= 0.04


def test_old_codes_and_unknown_places(larger: Made) -> None:
    early, late = _cut(larger, FEBRUARY, "local_authority"), _cut(larger, END, "local_authority")
    assert early.keys() & {"E10000006", "E10000023", "E10000027"}
    assert not early.keys() & {"E06000063", "E06000064", "E06000065", "E06000066"}
    assert not late.keys() & {"E10000006"} or late["E10000006"].registrations == 0
    assert sum(_cut(larger, day, "local_authority").get("x", Counts()).registrations for day in AS_AT) > 0
    assert late.get("x", Counts()).registrations == 0


def test_figures_grow_with_the_date(small: Made) -> None:
    totals = [_total(small, day) for day in AS_AT]
    assert [total.registrations for total in totals] == sorted(total.registrations for total in totals)
    assert [total.completed for total in totals] == sorted(total.completed for total in totals)
    assert totals[-1].registrations == 353


def test_first_completion(small: Made) -> None:
    done = min(state.since for state in small[1].states.values() if state.state == "completed")
    assert datetime(2023, 2, 1, tzinfo=UTC) <= done < datetime(2023, 2, 2, tzinfo=UTC)
